"""What a language model says is taken only where the sentence bears it out; all else is counted."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sightline.cli.main import run
from sightline.graph.extraction import llm
from sightline.graph.extraction.errors import EndpointFailed, NetworkForbidden
from sightline.graph.extraction.extract import Options, about, extract
from sightline.graph.record.loads import Load, active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import TEXT
from tests.graph.conftest import add_load, literal
from tests.graph.test_extract import add_text, said, world

TEXTS = ["Townaia lies on the Riverwo.", "Townkia lies on the Riveryo, they say."]
Reply = tuple[int, bytes]


@contextmanager
def endpoint(reply: Callable[[str], Reply]) -> Iterator[tuple[str, list[str]]]:
    """An endpoint of this machine, and the prompts that it was sent."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body["messages"][1]["content"])
            status, said = reply(asked[-1])
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.send_header("Location", "http://example.org/")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        server.server_close()


def answer(content: object, tokens: object = 10) -> Reply:
    text = content if isinstance(content, str) else json.dumps(content)
    said = {"choices": [{"message": {"content": text}}], "usage": {"total_tokens": tokens}}
    return 200, json.dumps(said).encode()


def reading(prompt: str, **other: object) -> Reply:
    """What a good model says: the town lies on the river."""
    town, river = (
        int(re.search(rf"^(\d+): {name}", prompt, re.M)[1]) for name in ("Town", "River")
    )
    fact = {"head": town, "relation": "lies on", "tail": river, "quote": "lies on  THE river"}
    return answer({"facts": [{**fact, **other}]})


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "ws")
    world(made)
    add_text(made, TEXTS)
    return made


def told(load: Load) -> dict[str, object]:
    return about(load)["asked"]


def test_what_the_model_reads_is_extracted_and_asked_for_once(ws: Workspace) -> None:
    with endpoint(lambda prompt: reading(prompt)) as (url, asked):
        options = Options(llm=url, model="m", precision=0.5)
        load = extract(ws, options)
        assert about(load)["method"] == "language model m"
        assert len(asked) == 2
        assert "lies on: (Town) to (River)" in asked[0]
        snapshot = compile_snapshot(ws, rdf=False)
        assert said(snapshot) == {("Townkia", "Riveryo")}
        one = snapshot.extractions()[0]
        assert (one.sentence, one.method) == (TEXTS[1], "language model m")
        assert one.confidence == pytest.approx(
            2 / 3, abs=1e-4
        )  # one that the graph holds, and none wrong
        more = extract(ws, Options(llm=url, model="m", precision=0.6))
        assert (told(more)["asked"], told(more)["cached"], len(asked)) == (0, 2, 2)
    # Nobody is asked while a graph is compiled.
    add_load(ws, [literal("doc", TEXT, "Townlia lies on the Riverzo.")], role="text", name="more")
    assert said(compile_snapshot(ws, rdf=False)) == {("Townkia", "Riveryo")}
    (load,) = (load for load in active_loads(ws) if load.role == "extracted")
    assert (told(load)["asked"], told(load)["unasked"]) == (0, 1)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda p: (200, b"\xff nonsense"), "answers that are no such JSON"),
        (lambda p: (200, b"[" * 100_000), "answers that are no such JSON"),
        (lambda p: (200, b'{"choices": []}'), "answers that are no such JSON"),
        (lambda p: answer("I cannot."), "answers that are no such JSON"),
        (lambda p: answer({"facts": 3}), "answers that are no such JSON"),
        (lambda p: answer({"facts": [7]}), "facts that are no objects"),
        (lambda p: reading(p, head=99), "facts of names, relations or types that were not offered"),
        (lambda p: reading(p, head=[]), "facts of names, relations or types that were not offered"),
        (lambda p: reading(p, relation="eats"), "facts of names, relations or types that were not"),
        (lambda p: reading(p, quote="it is on"), "facts whose quote is not in the sentence"),
        (lambda p: reading(p, quote=" "), "facts whose quote is not in the sentence"),
        (lambda p: reading(p, quote=None), "facts whose quote is not in the sentence"),
    ],
)
def test_nonsense_is_counted(reply: Callable[[str], Reply], reason: str, ws: Workspace) -> None:
    with endpoint(reply) as (url, _):
        load = extract(ws, Options(llm=url, model="m", precision=0))
    ((why, count),) = told(load)["refused"].items()
    assert (why.startswith(reason), count) == (True, 2)
    assert load.counts.statements == 0


def test_very_many_facts_are_cut_and_tokens_are_counted(ws: Workspace) -> None:
    fact = {"head": 0, "relation": "", "tail": 0}
    with endpoint(lambda p: answer({"facts": [fact] * 60}, tokens="many")) as (url, _):
        load = extract(ws, Options(llm=url, model="m"))
    assert told(load)["refused"]["facts beyond 50 of an answer"] == 20
    assert told(load)["tokens"] > 100


def test_a_budget_ends_it_and_says_so(ws: Workspace) -> None:
    with endpoint(lambda prompt: reading(prompt)) as (url, asked):
        load = extract(ws, Options(llm=url, model="m", budget=5))
        assert (told(load)["asked"], told(load)["unasked"], len(asked)) == (1, 1, 1)


def test_a_failing_endpoint_is_tried_again_and_gone_on_with(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("sightline.graph.extraction.llm.time.sleep", waits.append)
    state = {"fail": 2}

    def reply(prompt: str) -> Reply:
        if "Townkia" in prompt and state["fail"]:
            state["fail"] -= 1
            return 503, b""
        return reading(prompt)

    with endpoint(reply) as (url, asked):
        state["fail"] = 9
        options = Options(llm=url, model="m", precision=0)
        with pytest.raises(EndpointFailed, match=r"2 sentences, and 1 are done.*status 503"):
            extract(ws, options)
        assert waits == [1, 2, 4]
        state["fail"] = 2
        load = extract(ws, options)
        counts = [told(load)[name] for name in ("asked", "cached", "retries")]
        assert counts == [1, 1, 2]
        assert load.counts.statements == 1
    with endpoint(lambda p: (302, b"")) as (url, asked):
        with pytest.raises(EndpointFailed, match="status 302"):
            extract(ws, Options(llm=url, model="other"))
        assert len(asked) == 1  # neither followed nor tried again
    monkeypatch.setattr(llm, "TRIES", 2)
    with pytest.raises(EndpointFailed, match=r"are done: ConnectError: .*refused"):
        extract(ws, Options(llm=url, model="another"))
    now = iter([0.0, 0.0, 0.0, 9.0])  # of the start, the first try, the wait and the next try
    monkeypatch.setattr("sightline.graph.extraction.llm.time.monotonic", lambda: next(now, 9.0))
    with pytest.raises(EndpointFailed, match=r"of 3 seconds is over, and before ConnectError"):
        extract(ws, Options(llm=url, model="another"), deadline_s=3)


def test_a_deadline_ends_it(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightline.graph.extraction.llm.time.sleep", lambda s: None)
    over = pytest.raises(EndpointFailed, match=r"deadline of 0 seconds")
    with endpoint(lambda p: (429, b"")) as (url, _), over:
        extract(ws, Options(llm=url, model="m"), deadline_s=0)


def test_a_damaged_file_of_answers_is_named(ws: Workspace) -> None:
    (ws.path / "answers.sqlite").write_text("no database" * 99)
    with pytest.raises(DamagedArtifact, match=r"answers\.sqlite.*not a database.*delete it"):
        extract(ws, Options(llm="http://127.0.0.1:9/v1", model="m"))
    assert not [load for load in active_loads(ws) if load.role == "extracted"]


def test_nothing_leaves_this_machine_unasked(
    ws: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("http://example.org/v1", "http://127.0.0.1.example.org", "http://0.0.0.0/v1"):
        with pytest.raises(NetworkForbidden, match="allow-network"):
            extract(ws, Options(llm=url, model="m"))
    for url in ("ftp://127.0.0.1", "nowhere", "http://[::1", "http://", "http://[::1]:x"):
        with pytest.raises(NetworkForbidden, match="no http"):
            extract(ws, Options(llm=url, model="m"), network=True)
    with pytest.raises(NetworkForbidden, match="no part of an address") as error:
        extract(ws, Options(llm="http://me:secret@example.org/v1", model="m"), network=True)
    assert "secret" not in str(error.value)
    monkeypatch.setenv(llm.KEY, "l\u0435tters")  # one of them is Cyrillic
    with pytest.raises(NetworkForbidden, match="SIGHTLINE_LLM_KEY holds letters"):
        extract(ws, Options(llm="http://localhost/v1", model="m"))
    llm.require_allowed("http://localhost/v1", False)
    llm.require_allowed("http://[::1]/v1", False)
    llm.require_allowed("https://example.org/v1", True)
    assert run(["extract", "-w", str(ws.path), "--llm", "http://127.0.0.1:9/v1"]) == 2
    assert "--llm and --model go together" in capsys.readouterr().err
