"""What is published is served without a restart; what is damaged never is."""

from __future__ import annotations

import ast
import gc
import re
import shutil
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sightline.api import readiness
from sightline.api import service as module
from sightline.api.app import create_app
from sightline.api.jobs.queue import Jobs
from sightline.distill.serving import write_maps
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.tokens import create_token
from sightline.graph.storage.workspace import Workspace
from sightline.insights.kinds import schema
from tests.api.conftest import add_facts, make_workspace


@pytest.fixture
def workspace(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(module, "WATCH_INTERVAL", 0.02)
    return Workspace.open(shutil.copytree(folder, tmp_path / "ws"))


@contextmanager
def serving(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder)) as client:
        yield client


def until(claim: Callable[[], bool]) -> None:
    """Wait for what another thread will make true."""
    end, pause = time.monotonic() + 120, 0.01
    while not claim():
        assert time.monotonic() < end
        time.sleep(pause)
        # Who waits for long would else take half the time of what is waited for.
        pause = min(1.3 * pause, 0.25)


def more(workspace: Workspace, damage: bool = False, maps: bool = True) -> str:
    """Compile and publish a snapshot with one more entity, that sorts first; its id."""
    add_facts(workspace, "more", ("0-more", "borders", "kenya"))

    def prepare(snapshot: Snapshot) -> None:
        if maps:
            write_maps(workspace, snapshot, "model-1")
        if damage:
            # Not emptied in place: it is mapped here.
            (snapshot.folder / "head.npy").unlink()
            (snapshot.folder / "head.npy").write_bytes(b"")

    return compile_snapshot(workspace, rdf=False, prepare=prepare).id


def best(client: TestClient) -> tuple[str, float]:
    """What the model expects of Kenya first."""
    found = client.get("/v1/entities/Kenya/related?known=false&k=1").json()["related"][0]
    return found["tail"]["label"], found["probability"]


def test_a_new_snapshot_is_served_and_no_old_answer_is_left(workspace: Workspace) -> None:
    with serving(workspace.path) as client:
        before = client.get("/v1/stats")
        chance = best(client)
        snapshot = more(workspace)
        until(lambda: client.get("/readyz").json()["snapshot"] == snapshot)
        after = client.get("/v1/stats", headers={"If-None-Match": before.headers["etag"]})

        assert after.status_code == 200
        assert after.json()["entities"] == before.json()["entities"] + 1
        assert client.get("/v1/entities/0-more").status_code == 200
        assert best(client) == chance


def test_what_is_missing_is_said_in_words(workspace: Workspace, monkeypatch) -> None:
    with serving(workspace.path) as client:

        def lacks(*, but: int = 1) -> list[str]:
            """All but what some snapshots lack for a moment."""
            until(lambda: len(client.get("/readyz").json()["missing"]) == but)
            return client.get("/readyz").json()["missing"]

        assert lacks(but=0) == []
        jobs = Jobs(workspace.path)
        waits = jobs.submit("training", {})
        assert jobs.claim({"training": "this needs torch"}) is None
        assert lacks(but=0) == []
        monkeypatch.setattr(readiness, "UNTAKEN", -1.0)
        assert re.match("jobs that .*: 1 .*this needs torch.*`sightline work`", lacks()[0])
        running = jobs.claim()
        assert running is not None
        behind = jobs.submit("report", {})
        assert lacks(but=0) == []
        assert [jobs.cancel(one.id).state for one in (waits, behind)] == ["cancelled"] * 2
        monkeypatch.setattr(readiness, "HEADROOM", 1 << 62)
        assert "no space left" in lacks()[0]
        monkeypatch.setattr(readiness, "HEADROOM", 0)
        create_token(workspace.path, "me", ["read"])
        (workspace.path / "tokens.json").chmod(0o644)
        assert "others may read it" in lacks()[0]
        (workspace.path / "tokens.json").write_text("{")
        assert "tokens.json" in lacks()[0]
        (workspace.path / "tokens.json").unlink()
        shutil.rmtree(workspace.path / "models")
        more(workspace, maps=False)  # and no RDF index
        found = " ".join(lacks(but=2))
        assert "nothing can be predicted" in found
        assert "RDF index" in found
        assert str(workspace.path) not in found


def test_the_collector_passes_over_what_serves_and_frees_what_served(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.unfreeze()
    whole: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda collect=gc.collect: whole.append(collect()))
    app = create_app(workspace.path)
    with TestClient(app) as client:
        # From the first answer on, and nobody waits for it to look through all that is open.
        assert client.get("/readyz").status_code == 200
        assert gc.get_freeze_count() > 0
        until(lambda: app.state.service.checked)
        assert whole == []
        old = weakref.ref(app.state.service.served_or_none.sight.snapshot)
        snapshot = more(workspace)
        until(lambda: client.get("/readyz").json()["snapshot"] == snapshot)
        until(lambda: old() is None)
    gc.unfreeze()


def test_a_cursor_ends_with_its_snapshot(workspace: Workspace) -> None:
    with serving(workspace.path) as client:
        cursor = client.get("/v1/entities?limit=2").json()["next"]
        snapshot = more(workspace)
        until(lambda: client.get("/readyz").json()["snapshot"] == snapshot)
        answer = client.get("/v1/entities", params={"limit": 2, "cursor": cursor})

        assert answer.status_code == 422
        assert "begin again" in answer.json()["detail"]


def test_a_damaged_snapshot_is_refused_and_the_old_one_serves(workspace: Workspace) -> None:
    with serving(workspace.path) as client:
        old = client.get("/readyz").json()["snapshot"]
        new = more(workspace, damage=True)
        assert workspace.current.snapshot == new
        until(lambda: client.get("/readyz").json()["detail"] is not None)

        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["snapshot"] == old
        assert "head.npy" in ready.json()["detail"]
        assert str(workspace.path) not in ready.text
        assert client.get("/v1/stats").json()["snapshot"] == old


def test_damage_that_sizes_do_not_show_is_found_after_the_start(workspace: Workspace) -> None:
    snapshot = workspace.current.snapshot
    assert snapshot is not None
    path = workspace.snapshots / snapshot / "origin_row.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with serving(workspace.path) as client:
        until(lambda: client.get("/readyz").status_code == 503)

        assert "origin_row.npy" in client.get("/readyz").json()["detail"]
        assert client.get("/v1/stats").status_code == 503


def test_a_damaged_model_takes_no_working_one_away(workspace: Workspace) -> None:
    with serving(workspace.path) as client:
        # Else its own check may find the damage, and the model that serves is the damaged one.
        until(lambda: client.app.state.service.checked)
        chance, old = best(client), client.get("/readyz").json()["snapshot"]
        calibration = workspace.models / "model-1" / "student" / "calibration.json"
        calibration.write_bytes(b"")
        more(workspace, maps=False)
        until(lambda: client.get("/readyz").json()["detail"] is not None)

        assert "calibration.json" in client.get("/readyz").json()["detail"]
        assert client.get("/readyz").json()["snapshot"] == old
        assert best(client) == chance


def test_a_damaged_model_stops_no_answer_from_the_graph(workspace: Workspace) -> None:
    (workspace.models / "model-1" / "student" / "calibration.json").write_bytes(b"")
    with serving(workspace.path) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert "calibration.json" in ready.json()["detail"]
        assert client.get("/v1/entities/Kenya/related").json()["related"]
        assert client.get("/v1/entities/Kenya/related?known=false").status_code == 503


def test_damage_of_the_model_is_found_after_the_start(workspace: Workspace) -> None:
    path = workspace.models / "model-1" / "student" / "calibration.json"
    path.write_bytes(path.read_bytes().replace(b"0.1", b"0.2"))
    with serving(workspace.path) as client:
        until(lambda: client.get("/readyz").json()["detail"] is not None)
        assert "calibration.json" in client.get("/readyz").json()["detail"]
        assert client.get("/v1/entities/Kenya/related").json()["related"]
        assert client.get("/v1/entities/Kenya/related?known=false").status_code == 503


def test_with_nothing_to_serve_the_service_waits_and_says_why(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "WATCH_INTERVAL", 0.02)
    with serving(tmp_path / "ws") as client:
        for url in ("/readyz", "/v1/stats", "/v1/entities/Kenya"):
            answer = client.get(url)
            assert answer.status_code == 503
            assert "no Sightline workspace" in answer.json()["detail"]
            assert str(tmp_path) not in answer.text
            assert answer.headers["retry-after"]
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code == 200
        Workspace.create(tmp_path / "ws")
        until(lambda: "compile" in client.get("/readyz").json()["detail"])
        assert str(tmp_path) not in client.get("/readyz").text
        shutil.rmtree(tmp_path / "ws")
        make_workspace(tmp_path / "ws")
        until(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/v1/entities/Kenya").status_code == 200


def test_a_graph_without_a_model_answers_what_needs_none(tmp_path: Path) -> None:
    make_workspace(tmp_path / "ws", model=None)
    with serving(tmp_path / "ws") as client:
        assert client.get("/readyz").json()["model"] is None
        assert client.get("/v1/entities/Kenya/related").json()["related"]
        assert not client.get("/v1/entities/Kenya").json()["known_to_model"]
        question = {"head": "Kenya", "relation": "borders"}
        for answer in (
            client.post("/v1/predictions", json=question),
            client.get("/v1/entities/Kenya/similar"),
            client.get("/v1/entities/Kenya/related?known=false"),
        ):
            assert answer.status_code == 409
            assert "POST /v1/training" in answer.json()["detail"]
            assert str(tmp_path) not in answer.text


def test_while_an_answer_is_made_others_are_not_held_up(workspace: Workspace, monkeypatch) -> None:
    app = create_app(workspace.path)
    gate = threading.Event()
    with TestClient(app) as client:
        counted = schema._with_untyped
        monkeypatch.setattr(schema, "_with_untyped", lambda s: gate.wait(30) and counted(s))
        slow = threading.Thread(target=client.get, args=["/v1/schema"])
        slow.start()
        assert client.get("/v1/stats").status_code == 200
        assert slow.is_alive()
        gate.set()
        slow.join()


def test_a_service_that_is_ready_has_loaded_nothing_that_it_may_not_need(folder: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from sightline.api.app import create_app\n"
        "app = create_app(Path(sys.argv[1]))\n"
        "async def start():\n"
        "    async with app.router.lifespan_context(app):\n"
        "        assert app.state.service.trouble is None\n"
        "        print(sorted({name.partition('.')[0] for name in sys.modules}))\n"
        "asyncio.run(start())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heavy = {"torch", "pandas", "polars", "networkx", "rdflib", "onnxruntime", "rich", "jinja2"}
    assert set(ast.literal_eval(done.stdout)) & heavy == set()
