"""What a person sees: progress, tables and messages on a terminal.

Knows rich and the records of ``insights``; knows no command. Labels are hostile text: control
characters never reach the terminal and markup in them is never read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sightline.graph.progress import SOON, Pace, Progress

if TYPE_CHECKING:
    from rich.console import Console

#: Seconds between two lines of progress where the output is no terminal.
QUIET_INTERVAL = 10.0
#: What is done more slowly, or has fewer steps, is told by the time that is left alone.
SLOW, FEW = 10.0, 1000
#: Columns of a table that goes to a file or a pipe.
PIPE_WIDTH = 240


def console(stderr: bool = False) -> Console:
    """A console for answers (stdout) or for progress and messages (stderr)."""
    from rich.console import Console

    # In a file or a pipe nothing is narrow: cells must not be broken over lines there.
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, highlight=False, width=width)


def plain(value: object) -> str:
    """Text without control characters, so that a label cannot steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def say(text: str) -> None:
    """One plain line to stdout."""
    print(plain(text))


def print_json(answer: Any) -> None:
    """An answer as indented JSON."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY
    sys.stdout.write(orjson.dumps(answer, option=options).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; says so when there is no row. Columns that start with ``#`` hold numbers."""
    from rich.table import Table
    from rich.text import Text

    lines = [[Text(plain(cell)) for cell in row] for row in rows]
    if not lines:
        say(f"{title}: nothing found")
        return
    grid = Table(title=Text(plain(title)), title_justify="left", box=None, pad_edge=False)
    for name in columns:
        number = name.startswith("#")
        grid.add_column(
            name.removeprefix("#"),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number,
        )
    for line in lines:
        grid.add_row(*line)
    out = console()
    out.print(grid)
    out.print()


@contextmanager
def progress() -> Iterator[Progress]:
    """Show stages with rate and remaining time on stderr; sparse lines where it is no terminal."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Bars(*columns, console=console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}
        pace = _Pace()

        def show(stage: str, done: int, total: int | None, note: str) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(plain(stage), total=total, note="", rate="")
            said = plain(note), pace.rate(stage, done, total)
            bars.update(tasks[stage], completed=done, total=total, note=said[0], rate=said[1])

        yield show


class _Pace:
    """How fast stages go, and how long they will take, in words."""

    def __init__(self) -> None:
        self._pace = Pace()

    def rate(self, stage: str, done: int, total: int | None) -> str:
        """What is done in a second, once that can be told; nothing where it is little."""
        rate = self._pace.rate(stage, done)
        return f"{rate:,.0f}/s" if rate >= SLOW and (total is None or total >= FEW) else ""

    def left(self, stage: str, done: int, total: int | None) -> str:
        """How long it will take until the end, once that can be told."""
        seconds = self._pace.left(stage, done, total)
        if seconds is None:
            return ""
        if seconds < 100:
            return f"{seconds:.0f} s left"
        return f"{seconds / 60:.0f} min left" if seconds < 6000 else f"{seconds / 3600:.1f} h left"


def _lines() -> Progress:
    """Progress for logs: the first line of a stage, one after two seconds and then in a while, its
    end."""
    due: dict[str, float] = {}
    pace = _Pace()

    def show(stage: str, done: int, total: int | None, note: str) -> None:
        now = time.monotonic()
        said = pace.rate(stage, done, total), pace.left(stage, done, total)
        ended = total is not None and done >= total
        if not ended and now < due.get(stage, now):
            return
        due[stage] = now + (QUIET_INTERVAL if stage in due else SOON)
        of = f"/{total}" if total is not None else ""
        told = ", ".join(filter(None, said))
        line = f"{stage} {done}{of} {note}".rstrip() + (f" ({told})" if told else "")
        print(plain(line), file=sys.stderr, flush=True)

    return show
