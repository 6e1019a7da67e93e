"""Reports as jobs: asked for, followed, fetched, cancelled, and not lost when a worker dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.api.errors import DamagedQueue, UnknownJob
from sightline.api.jobs import queue
from sightline.api.jobs import worker as module
from sightline.api.jobs.queue import Jobs
from sightline.api.jobs.worker import Worker
from sightline.cli.jobs import write_report
from sightline.graph.storage.errors import DiskFull
from sightline.graph.storage.workspace import JOBS
from sightline.insights.errors import ReportTooLarge
from tests.api.test_serve import get, service
from tests.api.test_served import until
from tests.graph.conftest import build, label, typed

DOING = Path(__file__).with_name("doing.py")
#: Of a report that asks nothing about the whole graph, which takes seconds.
SHORT = {"sections": {"entities": {"predicted": 5, "stated": 5, "similar": 5}}}


@pytest.fixture
def folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "INTERVAL", 0.1)
    return shutil.copytree(folder, tmp_path / "ws", ignore=shutil.ignore_patterns(JOBS))


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder)) as made:
        yield made


@contextmanager
def working(folder: Path, how: str = "well") -> Iterator[Worker]:
    """A worker whose processes do jobs as ``doing`` says."""
    worker = Worker(folder, [sys.executable, str(DOING), str(folder), how])
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()


def ended(client: TestClient, url: str) -> dict[str, Any]:
    """The report when it has ended."""
    until(lambda: client.get(url).json()["state"] not in ("queued", "running"))
    found: dict[str, Any] = client.get(url).json()
    return found


def test_a_report_is_asked_for_made_and_fetched(client: TestClient, folder: Path) -> None:
    asked = client.post(
        "/v1/reports",
        json={"about": ["Kenya", "entity:nepal", "kenya"], "sections": ["insights", "entities"]},
    )

    assert asked.status_code == 202
    assert asked.json()["state"] == "queued"
    assert asked.json()["about"] == ["urn:sightline:entity:kenya", "urn:sightline:entity:nepal"]
    with working(folder):
        done = ended(client, asked.headers["location"])
    assert done["state"] == "done"
    assert (asked.json()["title"], asked.json()["headline"]) == ("Kenya and Nepal", None)
    assert done["headline"].startswith("Kenya and Nepal: ")
    assert done["done"] == done["total"] == 2
    files = {file["name"]: file for file in done["files"]}
    assert {"report.html", "report.json"} <= set(files)
    for name, file in files.items():
        answer = client.get(file["href"])
        assert answer.status_code == 200
        assert len(answer.content) == file["bytes"]
        assert "sandbox" in answer.headers["content-security-policy"], name
    page = client.get(files["report.html"]["href"])
    assert "Kenya" in page.text
    assert "How to read this" not in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert json.loads(client.get(files["report.json"]["href"]).text)


def test_a_report_that_names_nothing_is_about_the_best_connected(client, folder: Path) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    with working(folder):
        assert ended(client, url)["state"] == "done"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"about": ["Kenia"]}, 404, "nearest: Kenya"),
        ({"about": ["Georgia"]}, 409, "entity:georgia1"),
        ({"about": ["Kenya"] * 101}, 422, "100"),
        ({"about": "Kenya"}, 422, "about"),
        ({"name": "../../x"}, 422, "name"),
        ({"sections": ["insight"]}, 422, "did you mean 'insights'?"),
        ({"sections": [{"insights": {"limit": "x"}}]}, 422, "sections"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_at_once(
    client: TestClient, folder: Path, body: object, status: int, says: str
) -> None:
    answer = client.post("/v1/reports", json=body)

    assert answer.status_code == status
    assert says in answer.json()["detail"]
    assert not (folder / JOBS).exists()


@pytest.mark.parametrize("url", ["", "/events", "/files/report.html"])
def test_a_report_that_there_is_not(client: TestClient, folder: Path, url: str) -> None:
    for report in ("0" * 16, "..%2f..", "x"):
        assert client.get(f"/v1/reports/{report}{url}").status_code == 404
    Jobs(folder).submit("report", {"about": [], **SHORT})
    assert client.get(f"/v1/reports/{'0' * 16}{url}").status_code == 404
    assert client.delete("/v1/reports/x").status_code == 404


def test_only_files_of_the_report_are_sent(client: TestClient, folder: Path) -> None:
    url = client.post("/v1/reports", json={"about": ["Kenya"]}).headers["location"]
    assert client.get(f"{url}/files/report.html").status_code == 404
    with working(folder):
        assert ended(client, url)["state"] == "done"
    for name in ("..%2f..%2fcurrent.json", "manifest.json", ".", "%00", "report.html%2f", "x" * 99):
        assert client.get(f"{url}/files/{name}").status_code == 404


def test_the_queue_is_bounded(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "QUEUE", 2)
    first, _ = (client.post("/v1/reports", json={}) for _ in range(2))
    full = client.post("/v1/reports", json={})

    assert full.status_code == 503
    assert full.headers["retry-after"]
    client.delete(first.headers["location"])
    assert client.post("/v1/reports", json={}).status_code == 202


def test_old_jobs_are_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "REMEMBERED", 2)
    jobs = Jobs(folder)
    made = [jobs.cancel(jobs.submit("report", {"about": [], **SHORT}).id) for _ in range(4)]
    jobs.submit("report", {"about": [], **SHORT})

    assert jobs.get(made[-1].id).state == "cancelled"
    with pytest.raises(UnknownJob):
        jobs.get(made[0].id)


def test_a_report_that_waits_is_cancelled(client: TestClient, folder: Path) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]

    assert client.delete(url).json()["state"] == "cancelled"
    assert client.delete(url).json()["state"] == "cancelled"  # and removes it
    assert client.delete(url).status_code == 404
    assert Jobs(folder).claim() is None


def test_a_report_that_is_being_made_is_cancelled(client, folder: Path) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    with working(folder, "endlessly"):
        until(lambda: client.get(url).json()["total"] == 7)
        assert client.get(url).json()["state"] == "running"
        client.delete(url)
        second = client.post("/v1/reports", json={}).headers["location"]
        until(lambda: client.get(second).json()["total"] == 7)
        assert client.get(url).json()["state"] == "cancelled"


def test_a_job_that_hears_nothing_is_ended_all_the_same(client, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.1)
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    with working(folder, "deafly"):
        until(lambda: client.get(url).json()["total"] == 7)
        client.delete(url)
        until(lambda: not at_work(folder))
    assert client.get(url).json()["state"] == "cancelled"


def test_a_worker_that_is_told_to_stop_gives_its_job_back(client, folder: Path) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    for _ in range(queue.ATTEMPTS + 1):
        with working(folder, "endlessly"):
            until(lambda: client.get(url).json()["total"] == 7)
        assert client.get(url).json()["state"] == "queued"


def test_an_error_while_making_a_report_is_said(client, folder: Path, capfd) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    with working(folder, "badly"):
        failed = ended(client, url)
    assert failed["state"] == "failed"
    assert "IndexError" not in failed["error"]
    assert "IndexError" in capfd.readouterr().err


def test_a_report_that_failed_names_a_route_as_the_way_out(client, folder: Path) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    jobs = Jobs(folder)
    job = jobs.claim()
    assert job is not None
    jobs.fail(job, "run `sightline compile`")
    assert client.get(url).json()["error"] == "run `POST /v1/compile`"


def test_a_job_whose_process_is_killed_is_tried_once_more_and_then_failed(client, folder) -> None:
    url = client.post("/v1/reports", json={"sections": ["method"]}).headers["location"]
    with working(folder, "mortally"):
        failed = ended(client, url)
    assert failed["state"] == "failed"
    assert "ended with SIGKILL" in failed["error"]
    assert "2 times" in failed["error"]


def test_a_job_of_a_silent_worker_is_tried_once_more_and_then_failed(folder, monkeypatch) -> None:
    jobs = Jobs(folder)
    job = jobs.submit("report", {"about": ["urn:x"], **SHORT})
    first = jobs.claim()
    assert first is not None
    assert jobs.claim() is None
    monkeypatch.setattr(queue, "SILENCE", -1.0)
    second = jobs.claim()
    assert second is not None
    assert (second.id, second.attempts) == (job.id, 2)
    assert not jobs.alive(first)
    assert not jobs.tell(first, "report", 1, 1, None)
    assert not jobs.finish(first, {}, 1)
    assert jobs.alive(second)
    assert jobs.claim() is None
    failed = jobs.get(job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert "2 times" in failed.error
    assert not jobs.finish(second, {}, 1)


def test_every_job_is_claimed_by_one_worker(folder: Path) -> None:
    jobs = Jobs(folder)
    ids = [jobs.submit("report", {"about": [], **SHORT}).id for _ in range(24)]
    with ThreadPoolExecutor(4) as threads:
        claimed = list(threads.map(lambda _: Jobs(folder).claim(), range(30)))

    assert sorted(job.id for job in claimed if job) == sorted(ids)
    assert claimed.count(None) == 6


def test_the_oldest_job_comes_first(folder: Path) -> None:
    jobs = Jobs(folder)
    ids = [jobs.submit("report", {"about": [], **SHORT}).id for _ in range(3)]

    assert [job.id for _ in ids if (job := jobs.claim())] == ids


def test_a_damaged_queue_is_said_and_ends_its_worker(folder: Path) -> None:
    (folder / JOBS).write_bytes(b"no database at all, but long enough to be looked at" * 20)
    for use in (lambda jobs: jobs.submit("report", {}), lambda jobs: jobs.get("x"), Jobs.claim):
        with pytest.raises(DamagedQueue, match="is not a database"):
            use(Jobs(folder))
    with pytest.raises(DamagedQueue):
        Worker(folder, []).run()


def test_a_report_can_be_followed(client: TestClient, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("sightline.api.jobs.follow.INTERVAL", 0.01)
    url = client.post("/v1/reports", json={"about": ["Kenya"]}).headers["location"]
    with working(folder), client.stream("GET", f"{url}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line[6:]) for line in answer.iter_lines() if line]

    states = [event["state"] for event in events]
    assert states[-1] == "done"
    assert states == sorted(states, key=["queued", "running", "done"].index)


def test_a_killed_worker_leaves_a_job_that_another_finishes(folder: Path, monkeypatch) -> None:
    """kill -9 in the middle of a report: no half report, and the next worker makes it."""
    job = Jobs(folder).submit("report", {"about": ["urn:sightline:entity:kenya"], **SHORT})
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sightline.insights.report import write\n"
        "write.write_files = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from sightline.api.jobs.worker import do\n"
        "from sightline.cli.jobs import HANDLERS\n"
        "do(Path(sys.argv[1]), sys.argv[2], HANDLERS)\n"
    )
    assert Jobs(folder).claim() is not None
    dead = subprocess.run([sys.executable, "-c", code, str(folder), job.id], timeout=60)
    assert dead.returncode == -signal.SIGKILL
    assert Jobs(folder).get(job.id).state == "running"
    monkeypatch.setattr(queue, "SILENCE", -1.0)
    again = Jobs(folder).claim()
    assert again is not None
    monkeypatch.undo()
    made = write_report(folder, again, lambda *_: None)
    assert Jobs(folder).finish(again, made, 1)
    assert (folder / "reports" / made["report"] / "report.html").exists()


def worker_of(folder: Path) -> list[str]:
    code = "from sightline.cli.main import main; main()"
    return [sys.executable, "-c", code, "work", "-w", str(folder)]


def at_work(folder: Path) -> list[int]:
    """Processes of this one that do jobs of a workspace; others are of other tests."""
    found = []
    for child in children_of(os.getpid()):
        with suppress(OSError):  # it has ended meanwhile
            if str(folder).encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


def children_of(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for text in lists for child in text.split()]


def test_the_service_runs_a_worker_and_ends_it(folder: Path) -> None:
    with service(folder, worker=worker_of(folder)) as (process, port):
        job = Jobs(folder).submit("report", {"about": ["urn:sightline:entity:kenya"], **SHORT})
        until(lambda: Jobs(folder).get(job.id).state == "done")
        assert get(port, f"/v1/reports/{job.id}/files/report.json").status == 200
        (worker,) = children_of(process.pid)
        os.kill(worker, signal.SIGKILL)
        until(lambda: children_of(process.pid) not in ([], [worker]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_worker_does_not_outlive_its_service(folder: Path) -> None:
    with service(folder, worker=worker_of(folder)) as (process, _):
        until(lambda: bool(children_of(process.pid)))
        (worker,) = children_of(process.pid)
        process.kill()
        process.wait()
        until(lambda: not Path(f"/proc/{worker}").exists())


def test_a_report_has_a_size_at_most_and_leaves_nothing(client, folder, monkeypatch) -> None:
    monkeypatch.setattr("sightline.cli.jobs.MAX_REPORT", 1000)
    client.post("/v1/reports", json={"about": ["Kenya"]})
    job = Jobs(folder).claim()
    assert job is not None
    with pytest.raises(ReportTooLarge, match=r"may take 0\.001; ask about fewer"):
        write_report(folder, job, lambda *_: None)
    assert not list((folder / "reports").glob("*"))
    assert not list((folder / ".work").glob("report-*"))


def test_reports_are_listed_newest_first(client: TestClient) -> None:
    asked = [client.post("/v1/reports", json={"about": ["Kenya"]}).json()["id"] for _ in range(5)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    for size in (2, 2, 1):
        page = client.get("/v1/reports", params={"limit": "2", **cursor}).json()
        assert len(page["reports"]) == size
        found += [report["id"] for report in page["reports"]]
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert found == asked[::-1]
    assert page["total"] == 5


def test_a_graph_without_edges_says_why_there_is_no_report(tmp_path: Path) -> None:
    build(tmp_path / "ws", [label("kenya", "Kenya"), typed("kenya", "Country")])
    with TestClient(create_app(tmp_path / "ws")) as client:
        answer = client.post("/v1/reports", json={})
        assert answer.status_code == 409
        assert "`POST /v1/ingest`" in answer.json()["detail"]


def test_reading_the_queue_waits_for_no_writer(folder: Path) -> None:
    jobs = Jobs(folder)
    job = jobs.submit("report", {"about": [], **SHORT})
    with jobs._writing():
        assert jobs.get(job.id) == job
        assert jobs.newest(5, kind="report")[0] == jobs.some([job.id]) == [job]


def test_a_crowd_of_followers_is_one_reader(client: TestClient, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("sightline.api.jobs.follow.INTERVAL", 0.05)
    looks: list[int] = []
    some = Jobs.some
    monkeypatch.setattr(Jobs, "some", lambda jobs, ids: looks.append(1) or some(jobs, ids))
    url = client.post("/v1/reports", json={"about": ["Kenya"]}).headers["location"]

    def follow(_: int) -> list[str]:
        with client.stream("GET", f"{url}/events") as answer:
            return [json.loads(line[6:])["state"] for line in answer.iter_lines() if line]

    with ThreadPoolExecutor(100) as threads:
        followers = [threads.submit(follow, i) for i in range(100)]
        until(lambda: bool(looks))
        before, start = len(looks), time.monotonic()
        time.sleep(0.5)
        assert len(looks) - before <= (time.monotonic() - start) / 0.05 + 1
        Jobs(folder).cancel(url.rpartition("/")[2])
        assert {states.result()[-1] for states in followers} == {"cancelled"}


def test_a_clock_that_is_set_back_leaves_no_dead_job_running(folder: Path, monkeypatch) -> None:
    jobs = Jobs(folder)
    jobs.submit("report", {"about": [], **SHORT})
    assert jobs.claim() is not None
    other, now = Jobs(folder), time.monotonic()
    assert other.claim() is None
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + queue.SILENCE + 1)
    again = other.claim()
    assert again is not None
    assert again.attempts == 2


def test_a_worker_outlives_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.02)
    job = Jobs(folder).submit("report", {"about": ["urn:sightline:entity:kenya"], **SHORT})
    claim, full = Jobs.claim, [DiskFull(folder)]

    def claim_later(jobs: Jobs, unable: Any) -> Any:
        if full:
            raise full.pop()
        return claim(jobs, unable)

    monkeypatch.setattr(Jobs, "claim", claim_later)
    with working(folder, "on a full disk"):
        until(lambda: Jobs(folder).get(job.id).ended)
    assert Jobs(folder).get(job.id).error == str(DiskFull(folder).public)
    assert str(folder) not in str(Jobs(folder).get(job.id).error)


def test_the_page_sorts_its_tables_and_unfolds_reasons_on_paper(page, folder: Path) -> None:
    """By numbers the largest first, by texts the first; pressed again the other way round."""
    about = [f"urn:sightline:entity:{name}" for name in ("kenya", "nepal")]
    Jobs(folder).submit("report", {"about": about, **SHORT})
    job = Jobs(folder).claim()
    assert job is not None
    made = write_report(folder, job, lambda *_: None)
    page.open((folder / "reports" / made["report"] / "report.html").as_uri())
    page.until("document.querySelector('table.sorts button')")
    first = "document.querySelector('table.sorts tbody tr td:nth-child({})').innerText"

    def pressed(column: int) -> str:
        page.run(
            f"document.querySelectorAll('table.sorts')[0].querySelectorAll('button')[{column}].click()"
        )
        return str(page.run(first.format(column + 1)))

    assert [pressed(0), pressed(0)] == ["Kenya", "Nepal"]
    most, least = pressed(2), pressed(2)
    assert int(most) >= int(least)

    # On paper what speaks for a fact is unfolded, and afterwards it is as it was.
    folded = "document.querySelectorAll('details.why:not([open])').length"
    before = page.run(folded)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert (page.run(folded), before > 0) == (0, True)
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(folded) == before
    assert not page.wrong
