"""Clients of a service, one that waits and one for who does something else meanwhile.

Knows HTTP: connections, when to try again, entity tags. Knows no kind of answer.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Self, TypeVar
from urllib.parse import quote

import httpx

from sightline.client.answers import Question, awaited, read
from sightline.client.errors import Problem
from sightline.client.interface import (
    SOLUTIONS,
    TRIPLES,
    Progress,
    Sightline,
    Solutions,
    W,
    ended,
    late,
    write,
)
from sightline.client.kinds import AsyncKinds
from sightline.client.records import (
    Decision,
    Health,
    JobPage,
    JobView,
    Pairs,
    RawRecord,
    ReportPage,
    ReportView,
)

A = TypeVar("A")
JSON = "application/json"
#: Answers that are kept, to be asked for by their tag; seconds between two looks at a report.
KEPT, LOOK = 64, 0.5
#: What a service says that may take the question later.
LATER = (429, 503)


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One request, and how its answer is read.

    Attributes:
        asks: it changes nothing, so that it may be sent twice.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], A]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    content: tuple[str, bytes] | None = None
    files: Sequence[tuple[str, str | Path]] = ()
    accept: str = JSON
    asks: bool = True

    @contextmanager
    def opened(self) -> Iterator[list[Any]]:
        """Its files, open as long as they are sent."""
        with ExitStack() as held:
            yield [
                (name, (Path(path).name, held.enter_context(Path(path).open("rb"))))
                for name, path in self.files
            ]


def asking(asked: Question[A], given: Mapping[str, Any]) -> Call[A]:
    """A question of a declared kind."""
    said = {name.rstrip("_"): _plain(value) for name, value in asked.said(given).items()}
    # In the path an id would meet proxies that decode it.
    path = asked.path.replace("{id}", "-")

    def made(response: httpx.Response) -> A:
        return read(asked.record, response.json())

    if asked.method == "GET":
        return Call("GET", path, made, {k: v for k, v in said.items() if v is not None})
    return Call(asked.method, path, made, body=said)


def asking_each(asked: Question[A], questions: Sequence[Any]) -> Call[tuple[A | Problem, ...]]:
    """Several questions of a kind."""
    each = [_plain(asked.said(asdict(question))) for question in questions]

    def made(response: httpx.Response) -> tuple[A | Problem, ...]:
        return tuple(
            Problem.of(answer["problem"]) if "problem" in answer else read(asked.record, answer)
            for answer in response.json()["answers"]
        )

    return Call(asked.method, asked.path, made, body={"questions": each})


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _reading(method: str, path: str, record: type[A], **more: Any) -> Call[A]:
    """What is answered by one record; POST is not sent twice."""
    return Call(method, path, lambda r: read(record, r.json()), asks=method != "POST", **more)


def _asked(query: str, made: Callable[[httpx.Response], A], accept: str) -> Call[A]:
    """A query of SPARQL."""
    body = ("application/sparql-query", query.encode())
    return Call("POST", "/sparql", made, content=body, accept=accept)


def _fetching(report: ReportView | str, name: str) -> Call[bytes]:
    if isinstance(report, str):
        path = f"{_at('reports', report)}/files/{quote(name, safe='')}"
        return Call("GET", path, lambda r: r.content, accept="*/*")
    there = {file.name: file.href for file in report.files}
    if name not in there:
        detail = f"report {report.id} has no file {name[:80]!r}; there are: {', '.join(there)}"
        raise Problem(detail, "unknown-report", 404)
    return Call("GET", there[name], lambda r: r.content, accept="*/*")


def _at(kind: str, id: str) -> str:
    return f"/v1/{kind}/{quote(id, safe='')}"


def _looking(work: W) -> Call[W]:
    """Where work stands that is waited for."""
    path = _at("reports", work.id) if isinstance(work, ReportView) else _at("jobs", work.id)
    return _reading("GET", path, type(work))


def _given(said: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that say something."""
    return {name: value for name, value in said.items() if value is not None and value is not False}


class _Exchange:
    """What both clients know: how to send, when to send again, what was answered before."""

    def __init__(self, url: str, token: str | None, timeout: float, patience: float) -> None:
        self.url = url
        self.patience = patience
        self.options: dict[str, Any] = {
            "base_url": url,
            "timeout": httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            "headers": {} if token is None else {"Authorization": f"Bearer {token}"},
        }
        self._kept: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def request(
        self, http: httpx.Client | httpx.AsyncClient, call: Call[Any], files: list[Any]
    ) -> httpx.Request:
        """A request; with the tag of what was answered before."""
        headers = {"Accept": call.accept}
        if call.content is not None:
            headers["Content-Type"] = call.content[0]
        request = http.build_request(
            call.method,
            call.path,
            params=call.params or None,
            json=call.body,
            content=call.content and call.content[1],
            files=files or None,
            headers=headers,
        )
        if call.method == "GET" and (known := self._kept.get(str(request.url))):
            request.headers["If-None-Match"], request.extensions["kept"] = known
        return request

    def made(self, call: Call[A], outcome: httpx.Response | httpx.TransportError) -> A:
        """The answer.

        Raises:
            Problem
        """
        if not isinstance(outcome, httpx.Response):
            why = str(outcome) or type(outcome).__name__
            detail = f"{self.url} does not answer ({why}); is `sightline serve` running there?"
            raise Problem(detail, "unreachable") from outcome
        url = str(outcome.request.url)
        if outcome.status_code == 304:
            kept: A = outcome.request.extensions["kept"]
            return kept
        if not outcome.is_success:
            raise _problem(outcome)
        answer: A = call.read(outcome)
        if call.method == "GET" and call.accept == JSON and (tag := outcome.headers.get("ETag")):
            self._kept[url] = tag, answer
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return answer


class _Tries:
    """When one request is sent again: ever later, until ``patience`` seconds were waited."""

    def __init__(self, call: Call[Any], patience: float) -> None:
        self._asks = call.asks
        self._left = patience
        self._next = 0.1

    def pause(self, outcome: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds to wait before the next try; None: this was the last."""
        wait = self._next
        if isinstance(outcome, httpx.Response):
            if outcome.status_code not in LATER:
                return None
            said = outcome.headers.get("Retry-After", "")
            wait = max(wait, float(said) if said.isdecimal() else 0.0)
        elif not self._again(outcome):
            return None
        if wait > self._left:
            return None
        self._left, self._next = self._left - wait, self._next * 2
        return wait

    def _again(self, error: httpx.TransportError) -> bool:
        """Whether the same may be sent once more: it did not arrive, or changes nothing."""
        lost = isinstance(error, httpx.ConnectError)
        return lost or (self._asks and not isinstance(error, httpx.TimeoutException))


def _problem(response: httpx.Response) -> Problem:
    try:
        report = dict(response.json())
        return Problem.of({"status": response.status_code, **report})
    except (ValueError, TypeError):
        detail = f"{response.url.host} answers {response.status_code} {response.reason_phrase}, "
        return Problem(detail + "and is no Sightline service", "no-service", response.status_code)


class Client(Sightline):
    """Asks a service, and waits.

    Args:
        url: of the service, such as ``http://127.0.0.1:8000``.
        token: where the service wants one; see ``sightline token``.
        timeout: seconds that one answer may take.
        patience: seconds to wait in all, for one answer, where the service is busy or restarting.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = 60, patience: float = 15
    ) -> None:
        self._exchange = _Exchange(url, token, timeout, patience)
        self._http = httpx.Client(**self._exchange.options)

    def _do(self, call: Call[A]) -> A:
        outcome: httpx.Response | httpx.TransportError
        tries = _Tries(call, self._exchange.patience)
        with call.opened() as files:
            while True:
                try:
                    request = self._exchange.request(self._http, call, files)
                    outcome = self._http.send(request)
                except httpx.TransportError as error:
                    outcome = error
                if (pause := tries.pause(outcome)) is None:
                    return self._exchange.made(call, outcome)
                time.sleep(pause)

    def _ask(self, asked: Question[A], given: Mapping[str, Any], /) -> A:
        return self._do(asking(asked, given))

    def _ask_each(self, asked: Question[A], questions: Sequence[Any], /) -> tuple[A | Problem, ...]:
        return self._do(asking_each(asked, questions))

    def sparql(self, query: str) -> Solutions:
        return self._do(_asked(query, lambda r: Solutions.of(r.content), SOLUTIONS))

    def triples(self, query: str) -> str:
        return self._do(_asked(query, lambda r: r.text, TRIPLES))

    def order_report(self, about: Sequence[str] = ()) -> ReportView:
        return self._do(_reading("POST", "/v1/reports", ReportView, body={"about": list(about)}))

    def report(self, id: str) -> ReportView:
        return self._do(_reading("GET", _at("reports", id), ReportView))

    def reports(self, *, limit: int = 20, cursor: str | None = None) -> ReportPage:
        params = _given({"limit": limit, "cursor": cursor})
        return self._do(_reading("GET", "/v1/reports", ReportPage, params=params))

    def wait(
        self, report: W, progress: Progress[W] | None = None, timeout: float | None = None
    ) -> W:
        started = time.monotonic()
        while not ended(report):
            if timeout is not None and time.monotonic() - started > timeout:
                raise late(report, timeout)
            time.sleep(LOOK)
            seen, report = report, self._do(_looking(report))
            if progress is not None and report != seen:
                progress(report)
        return report

    def cancel_report(self, id: str) -> ReportView:
        return self._do(_reading("DELETE", _at("reports", id), ReportView))

    def file(self, report: ReportView | str, name: str) -> bytes:
        return self._do(_fetching(report, name))

    def add_data(
        self,
        *files: str | Path,
        mapping: str | Path | None = None,
        source: str | None = None,
        format: str | None = None,
        encoding: str | None = None,
        strict: bool = False,
        skip_unreadable: bool = False,
    ) -> JobView:
        """Add data to what is served: files become loads, and the graph is compiled with them.

        Args:
            mapping: a YAML file that says how tables become facts.
            source: what the one file is: it takes the place of what was loaded under this name.
            format, encoding: of the files; else they are found out.
            strict: fail on the first bad record.
            skip_unreadable: load the other files where some cannot be read, and say which.
        """
        said = {"source": source, "format": format, "encoding": encoding, "strict": strict}
        said["skip_unreadable"] = skip_unreadable
        sent = [("file", path) for path in files]
        sent += [] if mapping is None else [("mapping", mapping)]
        call = _reading("POST", "/v1/ingest", JobView, params=_given(said), files=sent)
        return self._do(call)

    def train(
        self,
        *,
        preset: Literal["quick", "standard", "max"] = "standard",
        seed: int = 0,
        weight: str | None = None,
        extracted: bool = False,
    ) -> JobView:
        """Have the service learn from its graph, and serve what was learnt if it answers better.

        Args:
            weight: what facts say of themselves in numbers: each counts by its share of the
                largest.
            extracted: learn from facts of texts, too; each counts by its confidence.
        """
        said = {"preset": preset, "seed": seed, "weight": weight, "extracted": extracted}
        return self._do(_reading("POST", "/v1/training", JobView, body=said))

    def compile(self) -> JobView:
        """Have the service compile its graph anew, with what was decided about findings."""
        return self._do(_reading("POST", "/v1/compile", JobView, body={}))

    def job(self, id: str) -> JobView:
        """Where work stands, and what came of it."""
        return self._do(_reading("GET", _at("jobs", id), JobView))

    def jobs(
        self,
        *,
        kind: Literal["report", "ingest", "compile", "training"] | None = None,
        state: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> JobPage:
        """The work that was asked for, the newest first."""
        params = _given({"kind": kind, "state": state, "limit": limit, "cursor": cursor})
        return self._do(_reading("GET", "/v1/jobs", JobPage, params=params))

    def cancel_job(self, id: str) -> JobView:
        """Cancel work that waits or is being done; what has ended stays as it is."""
        return self._do(_reading("DELETE", _at("jobs", id), JobView))

    def retry_job(self, id: str) -> JobView:
        """Try work again that failed or was cancelled."""
        return self._do(_reading("POST", f"{_at('jobs', id)}:retry", JobView))

    def row(self, load: str, at: str | int) -> RawRecord:
        """The raw record behind facts, and which of its cells made which.

        Args:
            load: its id, or what was loaded.
            at: the row as the origin of a fact says it: a number, `line 12`, `$.ranges[2]`.
        """
        path = f"{_at('loads', load)}/rows"
        return self._do(_reading("GET", path, RawRecord, params={"at": str(at)}))

    def accept_patch(self, id: str) -> Decision:
        """Take back the statements that a finding of `doctor` names, with the next compile."""
        return self._decide(id, "accept")

    def ignore_finding(self, id: str) -> Decision:
        """Let a finding of `doctor` be: it is listed no more."""
        return self._decide(id, "ignore")

    def reopen_finding(self, id: str) -> Decision:
        """Take back what was decided about a finding of `doctor`."""
        return self._decide(id, "reopen")

    def _decide(self, id: str, what: str) -> Decision:
        return self._do(_reading("POST", f"{_at('doctor', id)}:{what}", Decision))

    def pairs(self) -> Pairs:
        """What is served, and what was before and can be again."""
        return self._do(_reading("GET", "/v1/rollback", Pairs))

    def roll_back(self, to: str | None = None) -> Pairs:
        """Serve the former snapshot and model again; the same again goes forward.

        Args:
            to: the start of the id of its snapshot or its model; none: the last one.
        """
        return self._do(_reading("POST", "/v1/rollback", Pairs, body=_given({"to": to})))

    def ready(self) -> Health:
        """What the service answers from, and what it lacks.

        Raises:
            Problem: it cannot answer; it says why.
        """
        return self._do(_reading("GET", "/readyz", Health))

    def close(self) -> None:
        self._http.close()


class AsyncClient(AsyncKinds):
    """The same as ``Client``, for who does something else meanwhile. One per event loop."""

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = 60, patience: float = 15
    ) -> None:
        self._exchange = _Exchange(url, token, timeout, patience)
        self._http = httpx.AsyncClient(**self._exchange.options)

    async def _do(self, call: Call[A]) -> A:
        outcome: httpx.Response | httpx.TransportError
        tries = _Tries(call, self._exchange.patience)
        with call.opened() as files:
            while True:
                try:
                    request = self._exchange.request(self._http, call, files)
                    outcome = await self._http.send(request)
                except httpx.TransportError as error:
                    outcome = error
                if (pause := tries.pause(outcome)) is None:
                    return self._exchange.made(call, outcome)
                await asyncio.sleep(pause)

    async def _ask(self, asked: Question[A], given: Mapping[str, Any], /) -> A:
        return await self._do(asking(asked, given))

    async def _ask_each(
        self, asked: Question[A], questions: Sequence[Any], /
    ) -> tuple[A | Problem, ...]:
        return await self._do(asking_each(asked, questions))

    sparql = awaited(Client.sparql)
    triples = awaited(Client.triples)
    order_report = awaited(Client.order_report)
    report = awaited(Client.report)
    reports = awaited(Client.reports)
    cancel_report = awaited(Client.cancel_report)
    file = awaited(Client.file)
    add_data = awaited(Client.add_data)
    train = awaited(Client.train)
    compile = awaited(Client.compile)
    job = awaited(Client.job)
    jobs = awaited(Client.jobs)
    cancel_job = awaited(Client.cancel_job)
    retry_job = awaited(Client.retry_job)
    row = awaited(Client.row)
    accept_patch = awaited(Client.accept_patch)
    ignore_finding = awaited(Client.ignore_finding)
    reopen_finding = awaited(Client.reopen_finding)
    pairs = awaited(Client.pairs)
    roll_back = awaited(Client.roll_back)
    ready = awaited(Client.ready)

    _decide = awaited(Client._decide)

    async def wait(
        self, report: W, progress: Progress[W] | None = None, timeout: float | None = None
    ) -> W:
        """As ``Client.wait``."""
        started = time.monotonic()
        while not ended(report):
            if timeout is not None and time.monotonic() - started > timeout:
                raise late(report, timeout)
            await asyncio.sleep(LOOK)
            seen, report = report, await self._do(_looking(report))
            if progress is not None and report != seen:
                progress(report)
        return report

    async def save(self, report: ReportView | str, folder: str | Path) -> list[Path]:
        """As ``Client.save``."""
        report = await self.report(report) if isinstance(report, str) else report
        return [write(folder, f.name, await self.file(report, f.name)) for f in report.files]

    async def close(self) -> None:
        """Give back connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
