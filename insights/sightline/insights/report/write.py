"""The files of a report: a page, a text, JSON, CSV and Parquet, written entity by entity.

What has been found about an entity is kept beside until the report is whole: one that was stopped
goes on from there. Knows the records of a report and files; ranks nothing. The page loads nothing
from anywhere, and runs one script of its own that sorts tables.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from sightline.graph.errors import require_range
from sightline.graph.exchange.spreadsheet import without_formulas
from sightline.graph.progress import Progress, stop_if_cancelled
from sightline.graph.storage.artifact import MANIFEST, new_artifact
from sightline.graph.storage.errors import NotWritable, from_os_error, is_disk_full
from sightline.graph.storage.workspace import Workspace
from sightline.insights.errors import NothingToReport, ReportTooLarge
from sightline.insights.from_texts import said
from sightline.insights.records import Fact
from sightline.insights.report import plots
from sightline.insights.report.choice import Sections, limits_of_entities, sections_of
from sightline.insights.report.compose import Report, Section, Summary, sections_about
from sightline.insights.report.policy import policy, script

if TYPE_CHECKING:
    from jinja2 import Environment

    from sightline.insights.ask import Sightline

#: Version of the layout of a report; part of its id.
FORMAT = 8
#: Entities of a report that names none, and at most.
DEFAULT_ENTITIES = 10
MAX_ENTITIES = 1000
#: Entities about whom a model is asked together that does not read the graph for each question.
TOGETHER = 32
#: Entities that the page and the text tell of at length; all are in the other files.
AT_LENGTH = 50
#: Seconds that what a stopped report has found is kept without it going on.
KEPT = 24 * 3600
#: What Markdown gives a meaning, and HTML in it.
MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>#|~$&!"})


def write_report(
    ws: Workspace,
    sight: Sightline,
    entities: Sequence[int],
    out: Path | None,
    progress: Progress,
    sections: Sections | None = None,
    most: int | None = None,
) -> Path:
    """Write a report about some entities, or about the best connected ones where none are given.

    The same entities, sections, snapshot and model give the same id; a report with it is replaced.
    One that was stopped goes on where it was.

    Args:
        out: the folder to write; None: ``reports/ID`` of the workspace.
        sections: what it holds; None: everything.
        most: bytes that it may take; None: any.

    Returns:
        The folder.

    Raises:
        OutOfRange: more than ``MAX_ENTITIES``.
        NothingToReport: none are given, and none has a fact.
        ReportTooLarge: nothing of it is left.
        NotWritable: also where ``out`` holds something that is no report.
        DiskFull, DamagedArtifact, Cancelled
    """
    chosen = list(dict.fromkeys(entities)) or best_connected(sight)
    require_range("the number of entities", len(chosen), 0, MAX_ENTITIES)
    shown = sections_of(None) if sections is None else sections
    report_id = report_id_of(sight, chosen, shown)
    folder = ws.reports / report_id if out is None else _free_folder(out)
    with _kept(ws, report_id) as (stream, done):
        limits = limits_of_entities(shown)
        together = 1 if sight.reads_graph else TOGETHER
        for start in range(done, len(chosen), together):
            part = chosen[start : start + together]
            told = sections_about(sight, part, limits)
            for i, about in enumerate(part, start):
                stop_if_cancelled()
                progress("report", i, len(chosen), sight.snapshot.entity_labels[about])
                stream.write(_json(next(told)) + b"\n")
                stream.flush()
                _require_size(stream.tell(), most)
        summary = Summary(sight, shown)
        for section in read_back(stream):
            summary.add(section)
        report = summary.report(report_id)
        with new_artifact(folder.parent, folder.name, kind="report", format=FORMAT) as target:
            write_files(report, shown, lambda: read_back(stream), target)
            _require_size(sum(path.stat().st_size for path in target.iterdir()), most)
        progress("report", len(chosen), len(chosen), "")
    return folder


def _require_size(size: int, most: int | None) -> None:
    if most is not None and size > most:
        raise ReportTooLarge(size, most)


def best_connected(sight: Sightline) -> list[int]:
    """The entities with most facts, ties by id.

    Raises:
        NothingToReport
    """
    degree = sight.snapshot.degree
    order = np.argsort(-degree, kind="stable")[:DEFAULT_ENTITIES]
    found = [int(entity) for entity in order if degree[entity]]
    if not found:
        raise NothingToReport
    return found


def report_id_of(sight: Sightline, entities: Sequence[int], sections: Sections) -> str:
    """Hash of what determines a report: its layout, snapshot, model, entities and sections."""
    model = sight.model.id if sight.model else None
    iris = sight.snapshot.entity_iris.take(entities)
    shown = [[name, dict(limits)] for name, limits in sections.items()]
    text = json.dumps([FORMAT, sight.snapshot.id, model, iris, shown], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _free_folder(out: Path) -> Path:
    """A folder that does not exist, is empty, or holds an earlier report."""
    folder = out.resolve()
    if not folder.exists():
        return folder
    if not folder.is_dir():
        raise NotWritable(out, "it is a file")
    try:
        ours = json.loads((folder / MANIFEST).read_bytes()).get("kind") == "report"
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours and any(folder.iterdir()):
        raise NotWritable(out, "it holds files that are no report")
    return folder


@contextmanager
def _kept(ws: Workspace, report_id: str) -> Iterator[tuple[IO[bytes], int]]:
    """The file that holds a line for each entity of a report that is being made, held alone, at its
    end, and how many lines there are. It goes when the report is whole.

    Raises:
        NotWritable, DiskFull
    """
    path = ws.work / f"report-{report_id}.jsonl"
    try:
        ws.work.mkdir(exist_ok=True)
        for other in ws.work.glob("report-*.jsonl"):
            if time.time() - other.stat().st_mtime > KEPT:
                other.unlink(missing_ok=True)
        stream = path.open("a+b")
    except OSError as error:
        if is_disk_full(error):
            raise from_os_error(error, path) from error
        # A workspace that may only be read: nothing goes on later.
        stream = TemporaryFile()  # noqa: SIM115
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield stream, _whole_lines(stream)
        except OSError as error:
            raise from_os_error(error, path) from error
        except ReportTooLarge:
            path.unlink(missing_ok=True)
            raise
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _whole_lines(stream: IO[bytes]) -> int:
    """How many lines say what a section says; what follows the last of them is cut off."""
    stream.seek(0)
    end = done = 0
    for line in stream:
        try:
            _reader().validate_json(line)
        except ValueError:
            break
        if not line.endswith(b"\n"):
            break
        end, done = end + len(line), done + 1
    stream.truncate(end)
    stream.seek(0, 2)
    return done


def read_back(stream: IO[bytes]) -> Iterator[Section]:
    """The sections that were written, one after the other."""
    stream.seek(0)
    for line in stream:
        yield _reader().validate_json(line)


@cache
def _reader() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Section)


def _json(record: object) -> bytes:
    import orjson

    return orjson.dumps(record)


def write_files(
    report: Report, shown: Sections, sections: Callable[[], Iterator[Section]], folder: Path
) -> None:
    """Write every file of a report into an empty folder.

    Args:
        sections: begins to read them anew whenever it is called.
    """
    for name, template in (("report.html", "page.html.jinja"), ("report.md", "text.md.jinja")):
        environment = _environment(page=name == "report.html")
        source = (files(__package__) / template).read_text(encoding="utf-8")
        given = {
            "report": report,
            "shown": shown,
            "sections": islice(sections(), AT_LENGTH),
            "most": AT_LENGTH,
        }
        with (folder / name).open("w", encoding="utf-8") as stream:
            stream.writelines(environment.from_string(source).generate(given))
    with (folder / "report.json").open("wb") as stream:
        stream.write(_json(report)[:-1] + b',"sections":[')
        for i, section in enumerate(sections()):
            stream.write((b",\n" if i else b"\n") + _json(section))
        stream.write(b"\n]}\n")
    _write_table(sections(), "stated", folder / "facts")
    _write_table(sections(), "extracted", folder / "from_texts")
    _write_table(sections(), "predicted", folder / "predictions")


def _environment(page: bool) -> Environment:
    """For a page every text is escaped as HTML, for a text as Markdown."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def as_markdown(value: object) -> Markup:
        if isinstance(value, Markup):  # what a macro made
            return value
        return Markup(plots.upright(str(value)).translate(MARKDOWN))

    environment = Environment(
        autoescape=True,
        finalize=None if page else as_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "file": lambda path: path.rpartition("/")[2],
        "percent": percent,
        "said": said,
        "left": left,
        "bin": lambda one: (span(one.low, one.high), one.entities),
        "community": lambda one: (one.name, one.entities),
    }
    environment.globals |= {
        "script": Markup(script()),
        "policy": policy(),
        "plots": plots,
    }
    return environment


def span(low: int, high: int) -> str:
    """Numbers from one to another, short enough to stand under a column."""
    if low == high:
        return str(low)
    return f"{low}–{high}" if high < 100 else f"{low if low < 1000 else f'{low // 1000}k'}+"


def percent(p: float) -> str:
    """A chance as people say it."""
    if p >= 0.995:
        return "> 99 %"
    if p < 0.001:
        return "< 0.1 %"
    return f"{100 * p:.0f} %" if p >= 0.0995 else f"{100 * p:.1f} %"


def left(fall: float) -> str:
    """What is left of a share whose natural logarithm falls, as people say it."""
    share = 100 * math.exp(-fall)
    return f"{share:.0f} %" if share >= 0.5 else "< 1 %"


def _write_table(
    sections: Iterator[Section], part: Literal["stated", "extracted", "predicted"], path: Path
) -> None:
    """The stated, the extracted or the predicted facts of all entities as CSV and Parquet."""
    import polars as pl

    columns = {
        "about": pl.String(),
        "head": pl.String(),
        "head_label": pl.String(),
        "relation": pl.String(),
        "relation_label": pl.String(),
        "tail": pl.String(),
        "tail_label": pl.String(),
        "status": pl.String(),
        "probability": pl.Float64(),
        "probability_if_any": pl.Float64(),
        "guess": pl.Boolean(),
        "surprising": pl.Float64(),
        "confidence": pl.Float64(),
        "why": pl.String(),
    }
    rows = [
        (
            section.view.entity.id,
            fact.head.id,
            fact.head.label,
            fact.relation.id,
            fact.relation.label,
            fact.tail.id,
            fact.tail.label,
            fact.status,
            fact.probability,
            fact.probability_if_any,
            fact.abstain if part == "predicted" else None,
            fact.surprising,
            said(fact, "confidence"),
            _why(fact),
        )
        for section in sections
        for fact in getattr(section, part)
    ]
    frame = pl.DataFrame(rows, columns, orient="row")
    frame.write_parquet(path.with_suffix(".parquet"))
    frame.with_columns(without_formulas(frame.schema)).write_csv(path.with_suffix(".csv"))


def _why(fact: Fact) -> str:
    if fact.rule:
        return f"{fact.rule.paths[0].text}, by {fact.rule.rule.text}"
    origins = "; ".join(f"{origin.source}, {origin.place}" for origin in fact.origins)
    if fact.status == "extracted":
        return f"{said(fact, 'sentence')} ({origins})"
    return "; ".join(path.text for path in fact.support) or fact.support_note or origins
