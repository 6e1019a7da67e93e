"""Work that is asked for over HTTP: data added, learning, every job listed and tried again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sightline.api import service as serving
from sightline.api.app import create_app
from sightline.api.errors import OverBudget
from sightline.api.jobs import queue, uploads
from sightline.api.jobs import worker as module
from sightline.api.jobs.queue import Jobs
from sightline.api.jobs.worker import Worker
from sightline.cli.jobs import HANDLERS
from sightline.cli.main import run
from sightline.cli.service import read_row
from sightline.graph.errors import Busy
from sightline.graph.progress import silent
from sightline.graph.record.loads import Load, active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import JOBS, Workspace
from sightline.ingest.errors import MappingError, SourcesRefused
from sightline.ingest.load import ingest
from sightline.models.data.dataset import ALIKE, Weighting
from sightline.models.errors import NoModel
from tests.api.test_reports import at_work, ended
from tests.api.test_served import until
from tests.graph.conftest import build, fact

PEOPLE = "id,name,city\n1,Anna,Bern\n2,Ben,Bern\n"
MAPPING = """
mappings:
  people:
    sources: [people.csv~csv]
    s: entity:$(id)
    po:
      - [rdfs:label, $(name)]
      - [relation:lives_in, entity:$(city)~iri]
"""


@pytest.fixture
def folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "INTERVAL", 0.1)
    monkeypatch.setattr(serving, "WATCH_INTERVAL", 0.1)
    return shutil.copytree(folder, tmp_path / "ws", ignore=shutil.ignore_patterns(JOBS))


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder)) as made:
        yield made


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that takes files in and does nothing with them."""
    return Workspace.create(tmp_path_factory.mktemp("takes") / "ws").path


@pytest.fixture(scope="module")
def taking(takes: Path) -> Iterator[TestClient]:
    with TestClient(create_app(takes)) as made:
        yield made


@contextmanager
def working(folder: Path) -> Iterator[None]:
    worker = Worker(folder, [sys.executable, "-P", "-m", "sightline.cli.jobs", str(folder)])
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def sent(client: TestClient, name: str = "people.csv", body: str = PEOPLE, **said: str) -> Any:
    return client.post("/v1/ingest", params={"name": name, **said}, content=body)


def test_files_that_are_sent_become_loads_and_are_served(client, folder: Path) -> None:
    files = [("file", ("../people.csv", PEOPLE)), ("mapping", ("m.yaml", MAPPING))]
    asked = client.post("/v1/ingest", files=files)

    assert asked.status_code == 202, asked.text
    first = asked.json()
    assert (first["kind"], first["state"]) == ("ingest", "queued")
    assert first["asked"]["files"] == [{"name": "people.csv", "stored": "0.csv", "bytes": 36}]
    before = client.get("/readyz").json()["snapshot"]
    with working(folder):
        done = ended(client, asked.headers["location"])
    assert done["state"] == "done", done
    (load,) = done["result"]["loads"]
    assert (load["source"], load["read"], load["known"]) == ("people.csv", 2, False)
    until(lambda: client.get("/readyz").json()["snapshot"] != before)
    assert client.get("/readyz").json()["snapshot"] == done["result"]["snapshot"]
    assert client.get("/v1/entities/Anna").json()["entity"]["id"] == "entity:1"
    # It is the load that the command line makes of the same bytes.
    other = Workspace.create(folder.parent / "other")
    (folder.parent / "people.csv").write_text(PEOPLE)
    (folder.parent / "map.yaml").write_text(MAPPING)
    (same,) = ingest(other, [folder.parent / "people.csv"], mapping=folder.parent / "map.yaml")
    assert same.load.id == load["id"]
    assert verify(Workspace.open(folder)) == []
    # What was sent is read again, wherever the workspace is now.
    record: Any = read_row(folder.rename(folder.with_name("moved")), load["id"], "3")
    assert (record.source, record.raw) == ("people.csv", "2,Ben,Bern")


def test_what_is_sent_again_is_known_and_what_changed_takes_its_place(client, folder) -> None:
    urls = [
        sent(client, body=body, source="people").headers["location"]
        for body in (PEOPLE, PEOPLE, PEOPLE.replace("Ben", "Bea"))
    ]
    with working(folder):
        first, again, changed = (ended(client, url)["result"]["loads"][0] for url in urls)
    assert (again["id"], again["known"]) == (first["id"], True)
    assert changed["replaced"] == [first["id"]]
    ws = Workspace.open(folder)
    assert {load.id for load in active_loads(ws)} & {first["id"], changed["id"]} == {changed["id"]}
    # The files of what was known are kept once.
    assert len(list(ws.uploads.glob("*"))) == 2


def test_a_file_that_cannot_be_read_fails_in_the_words_of_its_sender(client, folder) -> None:
    url = sent(client, "a b.nt", "no triples\n").headers["location"]
    with working(folder):
        failed = ended(client, url)
    assert failed["state"] == "failed"
    assert "a b.nt" in failed["error"]
    assert str(folder) not in failed["error"]
    assert client.get("/readyz").status_code == 200


def test_one_file_of_several_that_cannot_be_read_can_be_skipped(client, folder) -> None:
    files = [("file", ("a.csv", PEOPLE)), ("file", ("b.nt", "no triples\n"))]
    queue = Jobs(folder)
    for said in ({}, {"skip_unreadable": "true"}):
        url = client.post("/v1/ingest", files=files, params=said).headers["location"]
        job = queue.claim()
        assert job is not None
        if said:
            notes = HANDLERS["ingest"](folder, job, silent)["notes"]
            assert any(note.startswith("skipped: source 'b.nt'") for note in notes)
        else:
            with pytest.raises(SourcesRefused) as caught:
                HANDLERS["ingest"](folder, job, silent)
            queue.fail(job, caught.value.public)
            failed = client.get(url).json()["error"]
            assert "none was; `skip_unreadable` loads the others: source 'b.nt'" in failed


def test_a_mapping_that_does_not_fit_is_told_in_the_words_of_its_sender(client, folder) -> None:
    elsewhere = MAPPING.replace("people.csv", "/etc/passwd")
    files = [("file", ("a.csv", PEOPLE)), ("mapping", ("m.yaml", elsewhere))]
    client.post("/v1/ingest", files=files)
    job = Jobs(folder).claim()
    assert job is not None
    with pytest.raises(MappingError) as caught:
        HANDLERS["ingest"](folder, job, silent)
    said = "'mapping.yaml': it is for /etc/passwd, and none of the sources is (a.csv)"
    assert said in caught.value.public
    assert str(folder) not in caught.value.public


@pytest.mark.parametrize(
    "name",
    ["", "..", "a\0b", "x" * 201, "/", "a\nb"],
    ids=["none", "up", "nul", "long", "root", "lf"],
)
def test_names_that_are_none_are_refused(taking: TestClient, takes: Path, name: str) -> None:
    before = uploaded(takes)
    answer = sent(taking, name)
    assert answer.status_code == 422
    assert "name" in answer.json()["detail"]
    assert uploaded(takes) == before


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("/etc/cron.d/x.csv", "0.csv"),
        ("C:\\data\\My Cities.CSV", "0.csv"),
        ("..\\..\\x.nt.gz", "0.nt.gz"),
        ("-rf", "0"),
        ("CON.csv/../../y", "0"),
        (".bashrc", "0.bashrc"),
        ("\u202ecsv.exe", None),
    ],
)
def test_no_name_is_a_path(taking: TestClient, takes: Path, said: str, stored: str) -> None:
    before = uploaded(takes)
    answer = sent(taking, said)
    if stored is None:
        assert answer.status_code == 422
        return
    assert answer.json()["asked"]["files"][0]["stored"] == stored
    assert uploaded(takes) - before == {
        takes / "uploads" / answer.json()["id"] / name for name in (stored, "manifest.json")
    }


@pytest.mark.parametrize(
    ("said", "stored"),
    [("rules.TTL", "mapping.ttl"), ("../x.yaml", "mapping.yaml"), ("m", "mapping")],
)
def test_a_mapping_keeps_the_ending_that_says_its_language(taking, takes, said, stored) -> None:
    before = uploaded(takes)
    files = [("file", ("a.csv", "x")), ("mapping", (said, "y"))]
    assert taking.post("/v1/ingest", files=files).json()["asked"]["mapping"] == stored
    assert {p.name for p in uploaded(takes) - before} == {"0.csv", stored, "manifest.json"}


def uploaded(folder: Path) -> set[Path]:
    return {path for path in (folder / "uploads").rglob("*") if path.is_file()}


BOUNDARY = {"content-type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    ("headers", "body", "says"),
    [
        ({}, "x", "no name"),
        ({"content-type": "multipart/form-data"}, "x", "boundary"),
        (BOUNDARY, "nonsense", "cannot be read"),
        ({"content-type": BOUNDARY["content-type"] + "b" * 300}, "nonsense", "cannot be read"),
        (BOUNDARY, '--b\r\ncontent-disposition: form-data; name="f"; filename="a"\r\n\r\nx', "cut"),
        (
            BOUNDARY,
            '--b\r\ncontent-disposition: form-data; name="strict"\r\n\r\n1\r\n--b--',
            "strict",
        ),
        (
            BOUNDARY,
            '--b\r\ncontent-disposition: form-data; name="mapping"\r\n\r\n1\r\n--b--',
            "no file",
        ),
        (BOUNDARY, "--b\r\n" + "x: y\r\n" * 99 + "\r\n", "cannot be read"),
    ],
    ids=[
        "no name",
        "no boundary",
        "no form",
        "long boundary",
        "cut",
        "field",
        "only a mapping",
        "headers",
    ],
)
def test_bodies_that_hold_no_file_are_refused(taking, takes, headers, body: str, says) -> None:
    before = uploaded(takes), Jobs(takes).count()
    answer = taking.post("/v1/ingest", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["detail"]
    assert (uploaded(takes), Jobs(takes).count()) == before


def test_what_is_too_large_is_refused_and_leaves_nothing(taking, takes, monkeypatch) -> None:
    shutil.rmtree(takes / "uploads", ignore_errors=True)
    client, folder = taking, takes
    monkeypatch.setattr(uploads, "MAX_BYTES", 100)
    monkeypatch.setattr(uploads, "MAX_MAPPING", 10)
    monkeypatch.setattr(uploads, "MAX_FILES", 2)
    monkeypatch.setattr(uploads, "MAX_OTHER", 1000)

    def pieces() -> Iterator[bytes]:
        yield from [b"x" * 60] * 2

    def no_file() -> Iterator[bytes]:
        yield from [b"--b--", b"x" * 1101]

    files = [("file", ("a.csv", "x"))] * 3
    for answer, status, says in (
        (sent(client, body="x" * 111), 413, "100 bytes"),
        (client.post("/v1/ingest", params={"name": "a"}, content=pieces()), 413, "100 bytes"),
        (client.post("/v1/ingest", headers=BOUNDARY, content=no_file()), 413, "100 bytes"),
        (client.post("/v1/ingest", files=[("mapping", ("m", "x" * 11))]), 413, "10 bytes"),
        (client.post("/v1/ingest", files=files), 422, "2 files"),
    ):
        assert (answer.status_code, says in answer.json()["detail"]) == (status, True), answer.text
    assert uploaded(folder) == set()
    assert sent(client, body="x" * 60).status_code == 202
    monkeypatch.setattr(uploads, "MAX_KEPT", 200)
    full = sent(client, body="x" * 60)
    assert full.status_code == 413
    assert "200 bytes" in full.json()["detail"]
    monkeypatch.setattr(uploads, "MAX_KEPT", uploads.MAX_BYTES)
    monkeypatch.setattr(uploads, "HEADROOM", shutil.disk_usage(folder).total)
    assert sent(client, body="x").status_code == 507


def test_a_full_queue_takes_no_files_in(taking, takes: Path, monkeypatch) -> None:
    assert sent(taking).status_code == 202
    monkeypatch.setattr(queue, "QUEUE", 1)
    before = uploaded(takes)
    assert sent(taking).status_code == 503
    assert uploaded(takes) == before


def test_files_that_nobody_waits_for_go(taking, takes: Path, monkeypatch) -> None:
    shutil.rmtree(takes / "uploads", ignore_errors=True)
    waits, cancelled = (sent(taking).json()["id"] for _ in range(2))
    taking.delete(f"/v1/jobs/{cancelled}")
    ws = Workspace.open(takes)
    uploads.sweep(ws)
    assert {path.name for path in ws.uploads.glob("*")} == {waits, cancelled}
    monkeypatch.setattr(uploads, "WAITING", -1.0)
    uploads.sweep(ws)
    assert {path.name for path in ws.uploads.glob("*")} == {waits}


def test_jobs_are_listed_by_kind_and_state_and_page_by_page(client: TestClient) -> None:
    reports = [client.post("/v1/reports", json={}).json()["id"] for _ in range(3)]
    training = client.post("/v1/training", json={"preset": "quick"}).json()["id"]
    client.delete(f"/v1/jobs/{reports[0]}")

    def listed(**query: str) -> list[str]:
        return [job["id"] for job in client.get("/v1/jobs", params=query).json()["jobs"]]

    assert listed() == [training, *reports[::-1]]
    assert listed(kind="report", state="queued") == [reports[2], reports[1]]
    assert listed(state="cancelled") == [reports[0]]
    first = client.get("/v1/jobs", params={"limit": 2}).json()
    assert listed(limit="2", cursor=first["next"]) == [reports[1], reports[0]]
    counted = {**first, "limit": 2, "cursor": first["next"], "kind": "report"}
    counted = {name: counted[name] for name in ("limit", "cursor", "kind")}
    assert (first["total"], client.get("/v1/jobs", params=counted).json()["total"]) == (4, 3)
    assert client.get("/v1/jobs", params={"state": "lost"}).status_code == 422
    # A job that is no report is no report.
    assert client.get(f"/v1/reports/{training}").status_code == 404
    assert client.get("/v1/jobs/x").status_code == 404


def test_what_failed_or_was_cancelled_is_tried_again_and_nothing_else(client, folder) -> None:
    url = sent(client).headers["location"]
    assert client.post(f"{url}:retry").status_code == 409
    client.delete(url)
    again = client.post(f"{url}:retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    job = Jobs(folder).claim()
    assert job is not None
    assert Jobs(folder).finish(job, {}, 0)
    assert "is done" in client.post(f"{url}:retry").json()["detail"]
    assert client.post("/v1/jobs/x:retry").status_code == 404


def test_another_try_is_begun_as_often_as_the_first(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job = jobs.submit("report", {})
    for _ in range(2):
        for state in ("queued", "failed"):
            claimed = jobs.claim()
            assert claimed is not None
            jobs.lost(claimed, "killed")
            assert jobs.get(job.id).state == state
        jobs.retry(job.id)


def test_another_try_waits_in_the_same_queue(tmp_path: Path, monkeypatch) -> None:
    jobs = Jobs(tmp_path)
    failed = jobs.cancel(jobs.submit("report", {}, owner="a").id)
    jobs.submit("report", {}, owner="a")
    for limit, error in (("SHARE", OverBudget), ("QUEUE", Busy)):
        with monkeypatch.context() as patch:
            patch.setattr(queue, limit, 1)
            with pytest.raises(error):
                jobs.retry(failed.id)
    assert jobs.retry(failed.id).state == "queued"


def test_files_that_are_gone_are_asked_for_again(client, folder: Path) -> None:
    url = sent(client).headers["location"]
    client.delete(url)
    shutil.rmtree(folder / "uploads")
    client.post(f"{url}:retry")
    with working(folder):
        assert "send them again" in ended(client, url)["error"]


def test_an_ingest_is_cancelled_while_it_waits_for_another_writer(client, folder) -> None:
    url = sent(client).headers["location"]
    with Workspace.open(folder).lock(), working(folder):
        until(lambda: client.get(url).json()["stage"] == "waiting for another writer")
        client.delete(url)
        until(lambda: not at_work(folder))
    assert client.get(url).json()["state"] == "cancelled"
    assert len(list(Load.all(folder / "loads"))) == 1


def test_a_worker_that_cannot_learn_leaves_that_to_one_that_can(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    training, report = (jobs.submit(kind, {}) for kind in ("training", "report"))
    unable = {"training": "this needs torch"}
    assert [job and job.id for job in (jobs.claim(unable), jobs.claim(unable))] == [report.id, None]
    waits = jobs.get(training.id)
    assert (waits.state, waits.attempts) == ("queued", 0)
    assert waits.stage == "waits for a worker that can: this needs torch"
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.id, claimed.stage) == (training.id, None)


def test_a_worker_is_told_what_is_not_installed(folder: Path, monkeypatch) -> None:
    told: list[dict[str, str]] = []
    monkeypatch.setattr("sightline.api.jobs.worker.work", lambda *given: told.append(given[2]))
    find = importlib.util.find_spec
    for lacking in (None, "torch"):
        hidden = lambda name, of=lacking: None if name == of else find(name)  # noqa: E731
        monkeypatch.setattr("importlib.util.find_spec", hidden)
        assert run(["work", "-w", str(folder)]) == 0
    assert told[0] == {}
    assert "sightline[train]" in told[1]["training"]


def test_a_killed_ingest_is_taken_up_again(client, folder: Path) -> None:
    url = sent(client).headers["location"]
    ws = Workspace.open(folder)
    with working(folder), ws.lock():
        until(lambda: client.get(url).json()["stage"] == "waiting for another writer")
        (process,) = at_work(folder)
        os.kill(process, signal.SIGKILL)
        until(lambda: client.get(url).json()["attempts"] == 2)
        client.delete(url)


def test_a_patch_that_was_accepted_counts_once_the_graph_is_compiled_by_a_job(
    tmp_path: Path,
) -> None:
    capitals = [fact((f"land{i:02}", "capital", f"town{i:02}")) for i in range(20)]
    build(tmp_path / "ws", [*capitals, fact(("land03", "capital", "land03"))])
    with TestClient(create_app(tmp_path / "ws")) as client:
        [finding] = client.get("/v1/doctor").json()["findings"]
        client.post(f"/v1/doctor/{finding['id']}:accept").raise_for_status()
        asked = client.post("/v1/compile")
        assert (asked.status_code, asked.json()["kind"]) == (202, "compile")
        job = Jobs(tmp_path / "ws").claim()
        assert job is not None
        result = HANDLERS["compile"](tmp_path / "ws", job, silent)
        until(lambda: client.get("/v1/stats").json()["snapshot"] == result["snapshot"])
        assert client.get("/v1/stats").json()["edges"] == 20
        assert client.get("/v1/doctor").json()["findings"] == []


def test_how_much_facts_count_is_said_over_http_and_reaches_the_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def stopped(ws: Workspace, **how: Any) -> str:
        asked.append(how["weighting"])
        raise NoModel(ws.path)

    monkeypatch.setattr("sightline.models.train.train", stopped)
    table, ws = tmp_path / "rated.csv", Workspace.create(tmp_path / "ws")
    table.write_text("head,relation,tail,rating\na,likes,b,2\nb,likes,c,1\n")
    ingest(ws, [table])
    compile_snapshot(ws, rdf=False)
    jobs = Jobs(ws.path)
    with TestClient(create_app(ws.path)) as client:
        refused = client.post("/v1/training", json={"weight": "ratings"})
        assert (refused.status_code, "rating" in refused.json()["detail"]) == (422, True)
        said = {"preset": "quick", "weight": "rating", "extracted": True}
        assert client.post("/v1/training", json=said).json()["asked"] == {**said, "seed": 0}
    jobs.submit("training", {"preset": "quick", "seed": 0})  # as a former version asked
    for _ in range(2):
        job = jobs.claim()
        assert job is not None
        with pytest.raises(NoModel):
            HANDLERS["training"](ws.path, job, silent)
    assert asked == [Weighting("rating", extracted=True), ALIKE]


@pytest.mark.slow
def test_learning_is_asked_for_done_and_served(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "ws")
    with TestClient(create_app(folder)) as client:
        asked = client.post("/v1/training", json={"preset": "quick"})
        assert asked.status_code == 202
        assert client.post("/v1/training", json={"preset": "huge"}).status_code == 422
    job = Jobs(folder).claim()
    assert job is not None
    assert job.kind == "training"
    result = HANDLERS["training"](folder, job, silent)
    assert result["model"] == Workspace.open(trained).current.model
    assert result["served"]


def test_a_queue_of_another_version_is_said(folder: Path, client: TestClient) -> None:
    with sqlite3.connect(folder / JOBS) as database:
        database.execute("CREATE TABLE job (id TEXT)")
    for answer in (client.get("/v1/jobs"), client.post("/v1/reports", json={}), sent(client)):
        assert answer.status_code == 503
        assert "delete it" in answer.json()["detail"]
        assert str(folder) not in answer.text


def test_a_queue_of_a_former_version_keeps_its_jobs(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / JOBS)) as database, database:
        database.execute(
            "CREATE TABLE job (id TEXT PRIMARY KEY, kind TEXT NOT NULL, request TEXT NOT NULL, "
            "state TEXT NOT NULL, attempts INTEGER NOT NULL, beats INTEGER NOT NULL, "
            "created REAL NOT NULL, changed REAL NOT NULL, done INTEGER NOT NULL, "
            "total INTEGER NOT NULL, result TEXT, error TEXT)"
        )
        database.execute(
            "INSERT INTO job VALUES ('a', 'report', '{}', 'done', 1, 2, 3, 4, 5, 6, '{}', NULL)"
        )
    jobs = queue.Jobs(tmp_path)
    assert (jobs.get("a").total, jobs.get("a").owner) == (6, None)
    made = jobs.submit("report", {"k": 1}, owner="token")
    assert jobs.get(made.id) == made
    assert (made.request, made.owner, made.total) == ({"k": 1}, "token", 0)
