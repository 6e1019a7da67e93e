"""What can be asked besides the declared kinds: SPARQL and reports; and lists page by page."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from sightline.client.answers import Question, Table
from sightline.client.errors import Problem
from sightline.client.kinds import Kinds
from sightline.client.records import JobView, ReportPage, ReportView

#: What SPARQL answers come as: solutions and truth values, and triples.
SOLUTIONS, TRIPLES = "application/sparql-results+json", "application/n-triples"
#: Work that is waited for; what is called with it after every change.
W = TypeVar("W", ReportView, JobView)
Progress = Callable[[W], object]
A = TypeVar("A")
P = ParamSpec("P")


class Page(Protocol):
    """A page of a list; ``next`` is where the next one starts."""

    @property
    def next(self) -> str | None: ...


PageT = TypeVar("PageT", bound=Page)


@dataclass(frozen=True, slots=True)
class Term:
    """A value of a solution.

    Attributes:
        type: ``uri``, ``literal``, ``bnode`` or ``triple``.
        datatype, language: of a literal, where it has one.
    """

    value: str
    type: str
    datatype: str | None = None
    language: str | None = None

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Solutions(Table):
    """What a SELECT query finds, or whether what an ASK query asks for is there.

    Attributes:
        rows: one value for each variable; None where it has none.
        boolean: of ASK; None for SELECT.
    """

    variables: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]
    boolean: bool | None = None

    def to_pandas(self, field: str | None = None) -> Any:
        """A frame with a column for each variable; values as text."""
        import pandas as pd

        texts = [[None if term is None else term.value for term in row] for row in self.rows]
        return pd.DataFrame(texts, columns=list(self.variables))

    @classmethod
    def of(cls, body: bytes) -> Solutions:
        """The solutions in SPARQL's JSON."""
        found = json.loads(body)
        variables = tuple(found["head"].get("vars", ()))
        rows = found.get("results", {}).get("bindings", ())
        made = tuple(tuple(_term(row.get(name)) for name in variables) for row in rows)
        return cls(variables, made, found.get("boolean"))


def _term(value: dict[str, Any] | None) -> Term | None:
    if value is None:
        return None
    text = value["value"] if isinstance(value["value"], str) else json.dumps(value["value"])
    return Term(text, value["type"], value.get("datatype"), value.get("xml:lang"))


class Sightline(Kinds, ABC):
    """What ``Client`` and ``Local`` both are: the same questions, the same answers."""

    @abstractmethod
    def _ask(self, asked: Question[A], given: Mapping[str, Any], /) -> A:
        """The answer to one question."""

    @abstractmethod
    def _ask_each(self, asked: Question[A], questions: Sequence[Any], /) -> tuple[A | Problem, ...]:
        """The answers to several questions."""

    @abstractmethod
    def sparql(self, query: str) -> Solutions:
        """The solutions of a SELECT query, or the truth of an ASK query.

        The default graph holds what is stated and what is inferred.
        """

    @abstractmethod
    def triples(self, query: str) -> str:
        """What a CONSTRUCT or DESCRIBE query gives, as N-Triples."""

    @abstractmethod
    def order_report(self, about: Sequence[str] = ()) -> ReportView:
        """Ask for a batch report about some entities, or about the best connected ones."""

    @abstractmethod
    def report(self, id: str) -> ReportView:
        """Where a report stands, and its files when it is done."""

    @abstractmethod
    def reports(self, *, limit: int = 20, cursor: str | None = None) -> ReportPage:
        """The reports that there are, the newest first."""

    @abstractmethod
    def wait(
        self,
        report: ReportView,
        progress: Progress[ReportView] | None = None,
        timeout: float | None = None,
    ) -> ReportView:
        """The report when it is done.

        Args:
            timeout: most seconds to wait; none for as long as it takes.

        Raises:
            Problem: it failed, was cancelled, or is not done in time.
        """

    @abstractmethod
    def cancel_report(self, id: str) -> ReportView:
        """Cancel a report that waits or is being made; one that has ended stays as it is."""

    @abstractmethod
    def file(self, report: ReportView | str, name: str) -> bytes:
        """A file of a finished report, which its id names too, by its name."""

    def save(self, report: ReportView | str, folder: str | Path) -> list[Path]:
        """Write the files of a finished report into a folder, which is made if need be."""
        report = self.report(report) if isinstance(report, str) else report
        return [write(folder, f.name, self.file(report, f.name)) for f in report.files]

    @abstractmethod
    def close(self) -> None:
        """Give back connections and processes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write(folder: str | Path, name: str, body: bytes) -> Path:
    """Write one file into a folder; of its name only the last part counts."""
    path = Path(folder, Path(name).name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def ended(work: ReportView | JobView) -> bool:
    """Whether a report or a job is done.

    Raises:
        Problem: it ended otherwise.
    """
    kind = work.kind if isinstance(work, JobView) else "report"
    if work.state in ("failed", "cancelled"):
        why = work.error or f"{kind} {work.id} was cancelled; order it again"
        raise Problem(why, f"{kind}-{work.state}")
    return work.state == "done"


def late(work: ReportView | JobView, timeout: float) -> Problem:
    """Why nobody waits any longer."""
    kind = work.kind if isinstance(work, JobView) else "report"
    said = f"{work.done} of {work.total or '?'} steps are done"
    detail = f"{kind} {work.id} is {work.state} after {timeout:g} seconds, {said}; wait longer"
    return Problem(detail, f"{kind}-late")


def pages(method: Callable[P, PageT], *args: P.args, **kwargs: P.kwargs) -> Iterator[PageT]:
    """The pages of a list, one after the other: ``pages(client.entities, type="Country")``."""
    given: dict[str, Any] = dict(kwargs)
    while True:
        page = method(*args, **given)
        yield page
        if page.next is None:
            return
        given["cursor"] = page.next


async def async_pages(
    method: Callable[P, Awaitable[PageT]], *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[PageT]:
    """The same of an ``AsyncClient``."""
    given: dict[str, Any] = dict(kwargs)
    while True:
        page = await method(*args, **given)
        yield page
        if page.next is None:
            return
        given["cursor"] = page.next
