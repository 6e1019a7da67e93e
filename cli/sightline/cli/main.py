"""The command ``sightline``: finds the command, and turns every error into one line.

Knows the command modules and exit codes. Imports nothing heavy, so that help comes at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Annotated

import typer
from typer.exceptions import TyperException

from sightline.cli import ask, build, demo, graph, keep, service, source, warm

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From raw files to explained answers: what is related, how things are connected, what is "
    "missing, and why.\n\nStart with `sightline demo`, or with your own data:\n\n"
    "    sightline run data.csv --mapping map.yaml -w WORKSPACE\n\n"
    '    sightline related "Some name" -w WORKSPACE',
)
parts = (
    build.COMMANDS,
    source.COMMANDS,
    graph.COMMANDS,
    ask.commands(),
    service.COMMANDS,
    keep.COMMANDS,
    (demo.demo, warm.warm),
)
commands: Iterable[Callable[..., None]] = chain.from_iterable(parts)
for command in commands:
    # The first sentence, whole: typer would cut it to what fits one line.
    about = " ".join((command.__doc__ or "").partition("\n\n")[0].split()).partition(". ")[0]
    app.command(command.__name__.rstrip("_"), short_help=about.rstrip("."))(command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"sightline {version('sightline')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


#: What shells take for the end by Ctrl-C, and what typer makes of it.
INTERRUPTED = 130
STOPPED = "stopped; what was stored before is intact, the same command goes on from it"


def main() -> None:
    """Run a command and exit: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl-C."""
    # Threads that wait for each other in a busy loop make learning many times slower as soon as
    # anything else wants a core; those of NumPy make each of many small products ten times slower,
    # as the foundation member has them. Read when torch and NumPy are loaded, so it is said here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; print one line on stderr for every failure."""
    from sightline.graph.errors import SightlineError

    try:
        result = app(arguments, prog_name="sightline", standalone_mode=False)
        sys.stdout.flush()
        if result == INTERRUPTED:
            return _fail(STOPPED, INTERRUPTED)
        return result if isinstance(result, int) else 0
    except SightlineError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(STOPPED, INTERRUPTED)
    except typer.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        # The reader (`head`, a pager) went away: nothing more to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f"; see `{context.command_path} --help`" if context else ""
        return _fail(error.format_message().rstrip(".") + hint, 2)
    except Exception as error:
        return _internal(error)


def _fail(message: str, code: int = 1) -> int:
    print(f"sightline: {' '.join(message.split())}", file=sys.stderr)
    return code


def _internal(error: Exception) -> int:
    """An error that nobody foresaw: still one line, and the way to see more."""
    from sightline.graph.storage.errors import DiskFull, is_disk_full

    if os.environ.get("SIGHTLINE_DEBUG"):
        raise error
    if is_disk_full(error):
        return _fail(str(DiskFull(getattr(error, "filename", None))))
    text = f"{type(error).__name__}: {error}"[:300]
    return _fail(f"internal error ({text}); SIGHTLINE_DEBUG=1 shows where, please report it")
