"""The same questions to a workspace on this machine, without a service.

Knows how a question reaches ``sightline.insights``, which is loaded when a workspace is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sightline.client.answers import Question, read
from sightline.client.errors import Problem
from sightline.client.interface import (
    SOLUTIONS,
    TRIPLES,
    Progress,
    Sightline,
    Solutions,
    ended,
)
from sightline.client.records import ReportFile, ReportPage, ReportView

if TYPE_CHECKING:
    from sightline.graph.errors import SightlineError
    from sightline.graph.rdf.sparql import QueryPool

A = TypeVar("A")


class Local(Sightline):
    """Asks what a workspace serves, as it is when this opens it.

    Reports are written at once, in this process, into the workspace.

    Raises:
        Problem: there is no workspace, or nothing to ask in it.
    """

    def __init__(self, workspace: str | Path) -> None:
        from sightline.graph.storage.workspace import Workspace
        from sightline.insights.ask import Sightline as Opened
        from sightline.insights.kinds import KINDS

        self._kinds = {kind.name: kind for kind in KINDS}
        self._pool: QueryPool | None = None
        with _problems():
            self._workspace = Workspace.open(Path(workspace))
            self._opened = Opened.open(self._workspace)

    def _ask(self, asked: Question[A], given: Mapping[str, Any], /) -> A:
        kind = self._kinds[asked.name]
        with _problems():
            answer = kind.answer(self._opened, self._question(asked, given))
        return read(asked.record, asdict(answer))

    def _ask_each(self, asked: Question[A], questions: Sequence[Any], /) -> tuple[A | Problem, ...]:
        from sightline.graph.errors import SightlineError

        together = self._kinds[asked.name].batch
        assert together is not None
        own = [self._question(asked, asdict(question)) for question in questions]
        with _problems():
            return tuple(
                _problem(answer)
                if isinstance(answer, SightlineError)
                else read(asked.record, asdict(answer))
                for answer in together(self._opened, own)
            )

    def _question(self, asked: Question[Any], given: Mapping[str, Any]) -> Any:
        """A question as its kind has it."""
        said = asked.said(given)
        for name in asked.many:
            if name in said:
                said[name] = tuple(said[name])
        return self._kinds[asked.name].question(**said)

    def sparql(self, query: str) -> Solutions:
        return Solutions.of(self._evaluated(query, SOLUTIONS))

    def triples(self, query: str) -> str:
        return self._evaluated(query, TRIPLES).decode()

    def _evaluated(self, query: str, media_type: str) -> bytes:
        from sightline.graph.rdf.query_text import read_query
        from sightline.graph.rdf.sparql import QueryPool, offered

        with _problems():
            text = read_query(query, self._opened.snapshot.prefixes)
            if media_type not in offered(text):
                other = "triples" if media_type == SOLUTIONS else "sparql"
                detail = f"{text.form} gives another kind of result; use {other}() for it"
                raise Problem(detail, "not-acceptable", 406)
            self._pool = self._pool or QueryPool()
            return self._pool.answer(self._opened.snapshot, text, media_type)

    def order_report(self, about: Sequence[str] = ()) -> ReportView:
        from sightline.graph.progress import silent
        from sightline.insights.report.write import write_report

        with _problems():
            entities = [self._opened.entity(name) for name in about]
            folder = write_report(self._workspace, self._opened, entities, None, silent)
        return self.report(folder.name)

    def report(self, id: str) -> ReportView:
        import json

        from sightline.graph.storage.artifact import MANIFEST

        folder = self._workspace.reports / id
        try:
            written = json.loads((folder / "report.json").read_bytes())
        except OSError as error:
            there = "order_report() writes one"
            detail = f"report {id[:80]!r} does not exist; {there}"
            raise Problem(detail, "unknown-report", 404) from error
        about = tuple(part["view"]["entity"]["iri"] for part in written["sections"])
        when = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
        moment = when.isoformat(timespec="milliseconds")
        files = tuple(
            ReportFile(path.name, path.as_uri(), path.stat().st_size)
            for path in sorted(folder.iterdir())
            if path.is_file() and path.name != MANIFEST
        )
        count = len(about)
        headline, likely = written["headline"], written["likely"]
        title = headline.rpartition(": ")[0]
        told = (moment, moment, count, count, None, headline, likely, files, None)
        return ReportView(id, "done", title, about, *told)

    def reports(self, *, limit: int = 20, cursor: str | None = None) -> ReportPage:
        from sightline.graph.storage.artifact import MANIFEST

        there = [path.parent for path in self._workspace.reports.glob(f"*/{MANIFEST}")]
        there.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
        names = [path.name for path in there]
        start = names.index(cursor) + 1 if cursor in names else 0
        shown = names[start : start + limit]
        more = start + limit < len(names)
        return ReportPage(tuple(map(self.report, shown)), shown[-1] if more else None, len(names))

    def wait(
        self,
        report: ReportView,
        progress: Progress[ReportView] | None = None,
        timeout: float | None = None,
    ) -> ReportView:
        ended(report)
        return report

    def cancel_report(self, id: str) -> ReportView:
        return self.report(id)

    def file(self, report: ReportView | str, name: str) -> bytes:
        report = self.report(report) if isinstance(report, str) else report
        if name not in [file.name for file in report.files]:
            names = ", ".join(file.name for file in report.files)
            detail = f"report {report.id} has no file {name[:80]!r}; there are: {names}"
            raise Problem(detail, "unknown-report", 404)
        return (self._workspace.reports / report.id / name).read_bytes()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


@contextmanager
def _problems() -> Iterator[None]:
    """Makes a problem of every error that a user may see."""
    from sightline.graph.errors import SightlineError

    try:
        yield
    except SightlineError as error:
        raise _problem(error) from error


def _problem(error: SightlineError) -> Problem:
    return Problem(str(error), error.kind, error.status, error.extra)
