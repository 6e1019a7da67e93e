"""The client: the same questions and answers remotely, locally, and beside other work."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd
import pytest

from sightline.api.ways import over_http
from sightline.client import (
    AsyncClient,
    Client,
    Local,
    Problem,
    Sightline,
    async_pages,
    interface,
    pages,
    remote,
)
from sightline.client.kinds import Kinds
from sightline.client.records import Atom, Edge, Finding, JobView, PredictionQuestion
from sightline.graph.errors import in_words
from sightline.insights import ranking
from sightline.insights.kinds import KINDS

EXAMPLES: dict[str, dict[str, Any]] = {
    "entity": {"id": "Kenya"},
    "related": {"id": "Kenya", "k": 3},
    "similar": {"id": "Kenya", "k": 2, "same_type": False},
    "neighborhood": {"id": "http://example.org/a/b?c=d#related", "hops": 2},
    "paths": {"source": "Kenya", "target": "Nepal", "exclude": ["borders"]},
    "enrich": {"entities": ["Kenya", "Uganda"]},
    "predict": {"head": "Kenya", "relation": "member_of"},
    "explain": {"head": "Kenya", "relation": "borders", "tail": "Uganda"},
    "inductive": {"edges": [Edge("borders", "Kenya")], "k": 2},
    "table": {"id": "Country"},
    "query": {"atoms": [Atom("?c", "member_of", "United Nations")], "limit": 2},
}


def test_every_kind_is_a_method_with_its_arguments() -> None:
    for kind in KINDS:
        listed = inspect.signature(getattr(Kinds, kind.name)).parameters.values()
        given = {p.name: p.default for p in listed if p.name != "self"}
        assert given == {
            p.field: inspect.Parameter.empty if p.required else p.default for p in kind.parameters
        }


def methods(kind: type) -> dict[str, str]:
    """The public methods of a class, with their arguments as text."""
    return {
        name: str(inspect.signature(method)).partition(" ->")[0]
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def test_all_three_have_the_same_interface() -> None:
    waiting = inspect.signature(Client.wait).parameters.keys()

    assert methods(Client) == methods(AsyncClient)
    assert inspect.signature(Sightline.wait).parameters.keys() == waiting
    shared = {k: v for k, v in methods(Client).items() if k in methods(Sightline)} | {"wait": ""}
    assert shared == methods(Local) | {"wait": ""} == methods(Sightline) | {"wait": ""}


@pytest.fixture
def own_words() -> Iterator[None]:
    """Whatever is set goes with the test."""
    before = in_words.set(str)
    yield
    in_words.reset(before)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_service_and_a_workspace_answer_alike(
    kind: Any, client: Client, local: Local, url: str, own_words: None
) -> None:
    shown: Any = next(iter(kind.examples.values()), {})
    given = EXAMPLES.get(kind.name, shown) | ({"deadline_ms": 10_000} if kind.deadline else {})

    async def beside() -> Any:
        async with AsyncClient(url) as asked:
            return await getattr(asked, kind.name)(**given)

    def answers(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Problem as problem:
            return problem.kind, problem.status

    answers(lambda: getattr(local, kind.name)(**given))  # may compile kernels, past its deadline
    in_words.set(over_http)  # a workspace names commands, the service its routes
    found = answers(lambda: getattr(client, kind.name)(**given))
    assert found == answers(lambda: getattr(local, kind.name)(**given))
    assert found == answers(lambda: asyncio.run(beside()))
    # There is only one snapshot, and this model cannot place what it never saw.
    if kind.name not in ("changes", "inductive"):
        assert type(found).__name__ == kind.record.__name__


def test_a_problem_says_the_way_out(graph: Sightline) -> None:
    with pytest.raises(Problem) as unknown:
        graph.related("Kenia")
    with pytest.raises(Problem) as several:
        graph.related("Georgia")
    with pytest.raises(Problem) as beyond:
        graph.related("Kenya", k=0)

    assert (unknown.value.status, unknown.value.kind) == (404, "unknown-entity")
    assert "Kenya" in unknown.value.nearest[0]
    assert len(several.value.candidates) == 2
    assert beyond.value.extra == {"allowed": [1, 1000]}
    assert str(beyond.value) == "k is 0; allowed are 1 to 1000"


def test_a_problem_can_be_handed_to_another_process() -> None:
    sent = Problem("full", "busy", 503, {"nearest": ["a"], "allowed": [1]})

    assert vars(pickle.loads(pickle.dumps(sent))) == vars(sent)  # noqa: S301


def test_what_a_service_answered_before_is_not_sent_again(client: Client) -> None:
    assert client.schema() is client.schema()


def test_a_text_in_place_of_a_list_is_refused(graph: Sightline) -> None:
    with pytest.raises(Problem, match=r"entities is the text 'Kenya'; give a list: \['Kenya'\]"):
        graph.enrich("Kenya")


def test_what_is_no_argument_is_refused_by_all(graph: Sightline) -> None:
    found = graph.entity("Kenya").entity
    for wrong, said in (
        (lambda: graph.similar(found), "'entity:kenya'; give its id"),  # type: ignore[arg-type]
        (lambda: graph.paths(["Nepal", found], "Nepal"), "give its id"),  # type: ignore[list-item]
        (lambda: graph.doctor(kind="zz"), "'contradiction'"),  # type: ignore[arg-type]
        (lambda: graph.related("Kenya", direction="zz"), "'both'"),  # type: ignore[arg-type]
        (lambda: graph.similar("Kenya", k=2.5), "whole number"),  # type: ignore[arg-type]
        (lambda: graph.similar("Kenya", k=True), "whole number"),
        (lambda: graph.related("Kenya", known="zz"), "known"),  # type: ignore[arg-type]
    ):
        with pytest.raises(Problem, match=said) as refused:
            wrong()
        assert refused.value.status == 422


def test_facts_as_a_frame(graph: Sightline) -> None:
    frame = graph.related("Kenya", relation="borders", predicted=False).to_pandas()
    row = frame[frame["direction"] == "out"].iloc[0]

    assert (row["head"], row["tail"], row["tail_label"]) == (
        "entity:kenya",
        "entity:uganda",
        "Uganda",
    )
    assert row["status"] == "stated"
    assert list(graph.entities("no such thing at all").to_pandas().columns) == [
        *("id", "iri", "label", "types", "degree", "extracted", "how")
    ]


def test_answers_of_a_query_have_a_column_for_each_variable(graph: Sightline) -> None:
    frame = graph.query("?c borders ?d").to_pandas()

    assert list(frame.columns[:4]) == ["c", "c_label", "d", "d_label"]
    assert ("Kenya", "Uganda") in set(zip(frame["c_label"], frame["d_label"]))
    assert list(graph.query("?c borders ?c").to_pandas().columns[:2]) == ["c", "c_label"]


def test_a_type_as_a_frame(graph: Sightline) -> None:
    asked = ["property:calling_code", "relation:member_of", "relation:official_language"]
    found = graph.table("Country", columns=asked).to_pandas().set_index("entity_label")
    code, member, language = found.columns[-3:]

    assert found.loc["Kenya", [code, language]].tolist() == ["+254", "English"]
    assert set(found.loc["Kenya", member]) == {"African Union", "United Nations"}
    assert found.loc["Nepal", member] == "United Nations"
    assert pd.isna(found.loc["Portugal", language])


def test_another_list_as_a_frame(graph: Sightline) -> None:
    shown = graph.neighborhood("Kenya")

    assert {"source", "relation_label", "target"} <= set(shown.to_pandas("edges").columns)
    assert shown.to_pandas().equals(shown.to_pandas("nodes"))
    with pytest.raises(Problem, match="has no list 'edge'; there are: nodes, edges, omitted"):
        shown.to_pandas("edge")


def test_facts_as_a_graph(graph: Sightline) -> None:
    found = graph.paths("Kenya", "Nepal").to_networkx()

    assert nx.has_path(found.to_undirected(), "entity:kenya", "entity:nepal")
    assert found.nodes["entity:kenya"]["label"] == "Kenya"
    # Nepal is the head of the fact by which the path reaches it.
    assert list(found["entity:nepal"]["entity:un"]) == ["relation:member_of"]
    assert not found.has_edge("entity:un", "entity:nepal")


def test_a_predicted_fact_says_so_in_the_graph(graph: Sightline) -> None:
    found = graph.related("Kenya", known=False).to_networkx()

    statuses = {data["status"] for _, _, data in found.edges(data=True) if "status" in data}
    assert statuses == {"predicted"}


def test_pages_follow_one_another(graph: Sightline, url: str) -> None:
    found = [e.id for page in pages(graph.entities, limit=5) for e in page.entities]

    async def beside() -> list[str]:
        async with AsyncClient(url) as asked:
            walked = async_pages(asked.entities, limit=5)
            return [e.id async for page in walked for e in page.entities]

    assert len(found) == len(set(found)) == graph.stats().entities > 5
    assert graph.entities(limit=1).total == len(found)
    assert graph.entities("Kenya").total is None
    assert graph.relations(limit=1).total == graph.stats().relations
    assert asyncio.run(beside()) == found


def test_several_questions_at_once(graph: Sightline) -> None:
    asked = PredictionQuestion(head="Kenya", relation="member_of", k=2)
    good, bad = graph.predict_each([asked, dataclasses.replace(asked, head="Kenia")])

    assert good == graph.predict(head="Kenya", relation="member_of", k=2)
    assert isinstance(bad, Problem)
    assert bad.kind == "unknown-entity"


def test_the_model_of_a_workspace_is_asked_several_questions_at_once(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    complete = ranking.complete
    monkeypatch.setattr(
        ranking, "complete", lambda view, gaps: asked.append(len(gaps)) or complete(view, gaps)
    )
    local.predict_each([PredictionQuestion("Kenya", "member_of", k=k) for k in (1, 2)])
    assert asked == [2]


def test_sparql(graph: Sightline) -> None:
    found = graph.sparql(
        "SELECT ?c ?code { ?c rdfs:label 'Kenya' OPTIONAL { ?c rdfs:nothing ?code } }"
    )

    assert found.variables == ("c", "code")
    assert [(str(c), code) for c, code in found.rows] == [("urn:sightline:entity:kenya", None)]
    assert found.to_pandas()["c"].tolist() == ["urn:sightline:entity:kenya"]
    assert graph.sparql("ASK { ?c rdfs:label 'Kenya' }").boolean is True
    made = graph.triples("CONSTRUCT { ?c a ?c } WHERE { ?c rdfs:label 'Kenya' }")
    assert made.startswith("<urn:sightline:entity:kenya> ")
    with pytest.raises(Problem):
        graph.sparql("SELECT")
    with pytest.raises(Problem) as other:
        graph.triples("ASK {}")
    assert other.value.status == 406


def test_a_report_is_ordered_awaited_and_saved(
    graph: Sightline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOOK", 0.05)
    report = graph.wait(graph.order_report(["Kenya"]), timeout=60)

    assert report.state == "done"
    assert report.about == ("urn:sightline:entity:kenya",)
    assert [path.name for path in graph.save(report, tmp_path)] == [f.name for f in report.files]
    assert b"Kenya" in (tmp_path / "report.html").read_bytes()
    assert graph.file(report.id, "report.md") == graph.file(report, "report.md")
    assert graph.save(report.id, tmp_path) == graph.save(report, tmp_path)
    assert graph.reports(limit=1).reports[0].id == report.id
    assert graph.report(report.id) == graph.cancel_report(report.id) == report
    with pytest.raises(Problem, match=r"has no file 'x'; there are: .*report\.html"):
        graph.file(report, "x")
    with pytest.raises(Problem):
        graph.file(report.id, "x")
    with pytest.raises(Problem):
        graph.report("none")


def test_who_waits_hears_of_failure_and_of_time(client: Client) -> None:
    report = dataclasses.replace(client.order_report(["Nepal"]), state="failed", error="no room")

    with pytest.raises(Problem, match="no room"):
        client.wait(report)
    waiting = dataclasses.replace(report, state="queued", error=None)
    with pytest.raises(Problem, match=r"is queued after -1 seconds"):
        client.wait(waiting, timeout=-1)


def test_data_is_added_and_what_fails_can_be_tried_again(
    client: Client, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOOK", 0.05)
    (tmp_path / "bad.csv").write_bytes(b"\x00" * 100)
    asked = client.add_data(tmp_path / "bad.csv", format="parquet")
    seen: list[JobView] = []

    assert asked.asked["format"] == "parquet"
    assert asked.asked["files"][0]["name"] == "bad.csv"
    with pytest.raises(Problem) as failed:
        client.wait(asked, seen.append, timeout=120)
    assert failed.value.kind == "ingest-failed"
    assert "bad.csv" in failed.value.detail
    assert seen[-1] == client.job(asked.id) == client.jobs(kind="ingest", limit=1).jobs[0]

    async def beside() -> JobView:
        async with AsyncClient(url) as asking:
            again = await asking.retry_job(asked.id)
            await asking.cancel_job(again.id)
            return await asking.job(again.id)

    assert asyncio.run(beside()).state in ("cancelled", "failed")


def test_how_data_and_learning_are_asked_for(tmp_path: Path) -> None:
    for name in ("a.csv", "map.yaml"):
        (tmp_path / name).write_text(f"text of {name}")
    view = {f.name: None for f in dataclasses.fields(JobView)} | {"id": "j", "state": "queued"}
    taken = (202, {}, json.dumps(view).encode())

    async def beside(url: str) -> None:
        async with AsyncClient(url) as client:
            await client.add_data(tmp_path / "a.csv", mapping=tmp_path / "map.yaml")

    with answering(BUSY, taken, taken, taken) as (url, heard), Client(url) as client:
        client.add_data(tmp_path / "a.csv", mapping=tmp_path / "map.yaml", source="s", strict=True)
        asyncio.run(beside(url))
        client.train(preset="quick", seed=3, weight="rating")

    # What was turned away is sent whole again.
    (path, _, first), (_, _, again), (bare, _, _), (training, _, body) = heard
    assert (path, bare) == ("/v1/ingest?source=s&strict=true", "/v1/ingest")
    for sent in (first, again):
        assert b'name="file"; filename="a.csv"' in sent
        assert b"text of a.csv" in sent
        assert b'name="mapping"; filename="map.yaml"' in sent
    said = {"preset": "quick", "seed": 3, "weight": "rating", "extracted": False}
    assert (training, json.loads(body)) == ("/v1/training", said)


def test_what_an_operator_does_is_asked_for(tmp_path: Path) -> None:
    pairs = {"served": {"snapshot": "s", "model": None, "loads": ["l"]}, "former": []}
    finding = {f.name: None for f in dataclasses.fields(Finding)} | {"id": "f"}
    finding |= {"entities": [], "relations": [], "facts": []}
    fact = {"subject": "a", "predicate": "b", "object": "c", "datatype": None, "language": None}
    record = {"load": "l", "source": "a.csv", "row": 3, "place": "line 4", "key": ["id"]}
    record |= {"cells": [{"column": "id", "values": ["7"]}], "raw": "7", "facts": [fact]}
    fact["columns"] = ["id"]
    answers = [
        record,
        {"finding": finding, "next": "sightline compile"},
        {"finding": finding, "next": None},
        {"finding": finding, "next": None},
        pairs,
        pairs,
        pairs,
        {"status": "ok", "snapshot": "s", "model": None, "detail": None, "missing": ["a model"]},
    ]
    made = [(200, {}, json.dumps(answer).encode()) for answer in answers]

    async def beside(url: str) -> list[Any]:
        async with AsyncClient(url) as asking:
            return await asked(asking)

    async def asked(asking: AsyncClient) -> list[Any]:
        return [
            await asking.row("a/b", "line 4"),
            await asking.accept_patch("f"),
            await asking.ignore_finding("f"),
            await asking.reopen_finding("f"),
            await asking.pairs(),
            await asking.roll_back(),
            await asking.roll_back("s"),
            await asking.ready(),
        ]

    with answering(*made, *made) as (url, heard), Client(url) as client:
        given: list[Any] = [
            client.row("a/b", "line 4"),
            client.accept_patch("f"),
            client.ignore_finding("f"),
            client.reopen_finding("f"),
            client.pairs(),
            client.roll_back(),
            client.roll_back("s"),
            client.ready(),
        ]
        assert asyncio.run(beside(url)) == given

    sent = [(path, json.loads(body) if body else None) for path, _, body in heard]
    assert sent[8:] == sent[:8]
    assert sent[:8] == [
        ("/v1/loads/a%2Fb/rows?at=line+4", None),
        *((f"/v1/doctor/f:{what}", None) for what in ("accept", "ignore", "reopen")),
        *(("/v1/rollback", body) for body in (None, {}, {"to": "s"})),
        ("/readyz", None),
    ]
    assert given[0].cells[0].values == ("7",)
    assert list(given[0].to_pandas()) == ["column", "values"]
    assert (given[1].finding.id, given[1].next) == ("f", "sightline compile")
    assert given[5].served.loads == ("l",)
    assert given[7].missing == ("a model",)


def test_the_name_of_a_file_is_never_a_path(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()

    assert interface.write(tmp_path / "in", "../out.txt", b"") == tmp_path / "in" / "out.txt"


@contextmanager
def answering(
    *answers: tuple[int, dict[str, str], bytes] | None,
) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives these answers in turn (None: it hangs up), and what it was asked."""
    left, heard = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            heard.append((self.path, dict(self.headers), body))
            answer = left.pop(0)
            if answer is None:
                self.close_connection = True
                return
            status, headers, sent = answer
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(sent))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


BUSY = (503, {"Retry-After": "0"}, b'{"type": "urn:sightline:problem:busy", "detail": "full"}')
SCHEMA = (200, {"ETag": '"one"'}, json.dumps({"types": [], "links": []}).encode())


def test_a_busy_service_is_asked_again_and_an_answer_is_kept() -> None:
    with answering(BUSY, None, SCHEMA, (304, {}, b"")) as (url, heard), Client(url) as client:
        first = client.schema()
        assert client.schema() is first

    assert len(heard) == 4
    assert [headers.get("If-None-Match") for _, headers, _ in heard] == [None, None, None, '"one"']


def test_the_same_beside_other_work_with_a_token() -> None:
    async def ask(url: str) -> Any:
        async with AsyncClient(url, "secret") as client:
            return await client.schema()

    with answering(BUSY, SCHEMA) as (url, heard):
        assert asyncio.run(ask(url)).types == ()

    assert [headers["Authorization"] for _, headers, _ in heard] == ["Bearer secret"] * 2


def test_patience_ends() -> None:
    later = (429, {"Retry-After": "30"}, BUSY[2])
    with answering(later) as (url, _), Client(url) as client, pytest.raises(Problem) as busy:
        client.schema()

    assert (busy.value.status, busy.value.title, busy.value.detail) == (429, "Busy", "full")


def test_an_order_that_may_have_arrived_is_not_sent_again() -> None:
    lost = pytest.raises(Problem, match="does not answer")
    with answering(None) as (url, heard), Client(url) as client, lost:
        client.order_report()

    assert len(heard) == 1


def test_nobody_there() -> None:
    with answering() as (url, _):
        pass
    with Client(url, patience=0.2) as client, pytest.raises(Problem) as nobody:
        client.schema()

    assert nobody.value.status is None
    assert "is `sightline serve` running there?" in nobody.value.detail


def test_something_else_is_there() -> None:
    page, other = (404, {}, b"<html>"), (200, {}, b'{"types": []}')
    with answering(page, other) as (url, _), Client(url) as client:
        with pytest.raises(Problem, match="answers 404 Not Found, and is no Sightline service"):
            client.schema()
        with pytest.raises(Problem, match=r"no Schema of this version of the client \('links'\)"):
            client.schema()


def test_a_service_may_be_newer() -> None:
    newer = {"types": [], "links": [], "colours": ["red"]}
    with answering((200, {}, json.dumps(newer).encode())) as (url, _), Client(url) as client:
        assert client.schema().links == ()
