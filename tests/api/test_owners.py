"""What belongs to one token: seen by it and an admin alone, bounded, removed with its files."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sightline.api import access, reports
from sightline.api.app import create_app
from sightline.api.jobs import follow, queue
from sightline.api.jobs.queue import Job, Jobs
from sightline.api.terms import Terms
from sightline.graph.storage.tokens import create_token, revoke_token, tokens
from sightline.graph.storage.watch import lists, seen, watch, watched
from sightline.graph.storage.workspace import JOBS, WATCH, Workspace
from tests.api.test_served import until

Headers = dict[str, str]


@pytest.fixture
def ws(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "ws", ignore=shutil.ignore_patterns(JOBS))


@pytest.fixture
def who(ws: Path) -> dict[str, Headers]:
    roles = {"ann": ["ask"], "ben": ["ask", "ingest"], "boss": ["admin"]}
    return {
        name: {"Authorization": f"Bearer {create_token(ws, name, role)[1]}"}
        for name, role in roles.items()
    }


@pytest.fixture
def client(ws: Path, who: object) -> Iterator[TestClient]:
    with TestClient(create_app(ws, terms=Terms(report_room=5000))) as made:
        yield made


def asked(client: TestClient, headers: Headers) -> str:
    answer = client.post("/v1/reports", json={"about": ["Kenya"]}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def finished(ws: Path, name: str, size: int = 10) -> Job:
    """Let the oldest job that waits be done: its report is a folder of this name."""
    (ws / "reports" / name).mkdir(parents=True, exist_ok=True)
    (ws / "reports" / name / "report.html").write_bytes(bytes(size))
    jobs = Jobs(ws)
    job = jobs.claim()
    assert job is not None
    assert jobs.finish(job, {"report": name}, 1)
    return job


def test_a_job_is_seen_by_its_owner_and_an_admin_alone(
    client: TestClient, ws: Path, who: dict[str, Headers]
) -> None:
    mine, theirs = asked(client, who["ann"]), asked(client, who["ben"])
    everybodys = Jobs(ws).submit("report", {"about": []}).id

    def listed(name: str, path: str) -> set[str]:
        found = client.get(f"/v1/{path}", headers=who[name]).json()[path]
        return {one["id"] for one in found}

    for path in ("reports", "jobs"):
        assert listed("ann", path) == {mine}
        assert listed("ben", path) == {theirs}
        assert listed("boss", path) == {mine, theirs, everybodys}
    finished(ws, "a")
    for method, url in (
        ("GET", "/v1/reports/{}"),
        ("GET", "/v1/jobs/{}"),
        ("GET", "/v1/reports/{}/events"),
        ("GET", "/v1/jobs/{}/events"),
        ("GET", "/v1/reports/{}/files/report.html"),
        ("DELETE", "/v1/reports/{}"),
        ("DELETE", "/v1/jobs/{}"),
        ("POST", "/v1/jobs/{}:retry"),
    ):
        for other in (mine, everybodys):
            refused = client.request(method, url.format(other), headers=who["ben"])
            missing = client.request(method, url.format("0" * 16), headers=who["ben"])
            assert refused.status_code == missing.status_code == 404
            said = refused.json()["detail"]
            assert said.replace(other, "0" * 16) == missing.json()["detail"]
    assert client.get(f"/v1/reports/{mine}/files/report.html", headers=who["ann"]).content
    assert client.get(f"/v1/reports/{mine}", headers=who["boss"]).json()["state"] == "done"


def test_who_follows_a_job_does_so_no_longer_than_the_token_lasts(
    client: TestClient, ws: Path, who: dict[str, Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "FOLLOW", 0)
    monkeypatch.setattr(follow, "INTERVAL", 0.05)
    url, seen = f"/v1/jobs/{asked(client, who['ann'])}/events", []
    told = threading.Thread(target=lambda: seen.append(client.get(url, headers=who["ann"]).text))
    told.start()
    followers: Any = client.app.state.followed._followers  # type: ignore[attr-defined]
    until(lambda: bool(followers))
    revoke_token(ws, "ann")
    finished(ws, "same")  # of which another would be told, and no longer
    until(lambda: not told.is_alive())
    assert seen[0].count("data: ") == 1
    assert client.get(url, headers=who["ann"]).status_code == 401


def test_a_report_that_has_ended_is_removed_with_its_files(
    client: TestClient, ws: Path, who: dict[str, Headers]
) -> None:
    first, second = asked(client, who["ann"]), asked(client, who["ben"])
    assert client.delete(f"/v1/reports/{second}", headers=who["ben"]).json()["state"] == "cancelled"
    again = asked(client, who["ben"])
    for _ in range(2):
        finished(ws, "same")
    gone = client.delete(f"/v1/reports/{first}", headers=who["ann"])
    assert (gone.status_code, gone.json()["state"]) == (200, "done")
    assert client.get(f"/v1/reports/{first}", headers=who["boss"]).status_code == 404
    assert (ws / "reports" / "same" / "report.html").exists()  # it is the other's, too
    client.delete(f"/v1/reports/{again}", headers=who["ben"])
    client.delete(f"/v1/reports/{second}", headers=who["ben"])
    assert list((ws / "reports").iterdir()) == []
    assert client.get("/v1/jobs", headers=who["boss"]).json()["jobs"] == []


def test_one_token_cannot_fill_the_queue(
    client: TestClient, who: dict[str, Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "SHARE", 2)
    first, _ = (asked(client, who["ann"]) for _ in range(2))
    full = client.post("/v1/reports", json={}, headers=who["ann"])
    assert full.status_code == 429
    assert int(full.headers["retry-after"]) == 60
    asked(client, who["ben"])
    client.delete(f"/v1/reports/{first}", headers=who["ann"])
    asked(client, who["ann"])


def test_reports_take_no_more_of_the_disk_than_they_may(
    client: TestClient, ws: Path, who: dict[str, Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    large = asked(client, who["ann"])
    finished(ws, "large", size=6000)
    full = client.post("/v1/reports", json={}, headers=who["ben"])
    assert full.status_code == 507
    assert "DELETE /v1/reports/{id}" in full.json()["detail"]
    assert "--report-room" in full.json()["detail"]
    client.delete(f"/v1/reports/{large}", headers=who["ann"])
    asked(client, who["ben"])
    monkeypatch.setattr(reports, "HEADROOM", 1 << 62)
    full = client.post("/v1/reports", json={}, headers=who["ben"])
    assert (full.status_code, full.json()["type"]) == (507, "urn:sightline:problem:disk-full")
    assert "MB of the disk that stay free; free some space" in full.json()["detail"]
    assert str(ws) not in full.text


def test_what_came_to_nothing_is_forgotten_first(ws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "REMEMBERED", 2)
    jobs = Jobs(ws)
    kept = jobs.submit("report", {"about": []})
    finished(ws, "kept")
    for _ in range(3):
        jobs.cancel(jobs.submit("report", {"about": []}).id)
    jobs.submit("report", {"about": []})
    assert jobs.get(kept.id).state == "done"
    assert jobs.newest(10)[1] == 3


def test_a_token_has_a_watch_list_of_its_own(
    client: TestClient, ws: Path, who: dict[str, Headers]
) -> None:
    def told(name: str, method: str = "GET", **body: object) -> dict[str, Any]:
        sent = {"json": body} if body else {}
        answer = client.request(method, "/v1/watch", headers=who[name], **sent)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return {**found, "entities": [one["label"] for one in found["entities"]]}

    nothing = {"since": None, "entities": [], "changes": None}
    workspace = Workspace.open(ws)
    current = workspace.current.snapshot
    assert current is not None
    watch(workspace, "0" * 16, ["urn:sightline:entity:uganda"], [])
    assert told("ann") == nothing
    mine = told("ann", "POST", add=["Kenya", "Nepal"], remove=["Nepal"])
    assert (mine["since"], mine["entities"]) == (current, ["Kenya"])
    assert told("ben", "POST", add=["Portugal"])["entities"] == ["Portugal"]
    assert told("boss") == nothing
    assert watched(workspace).entities == ("urn:sightline:entity:uganda",)

    new = client.get(mine["changes"], headers=who["ann"]).json()
    assert (new["old"], new["new"]["snapshot"]) == (new["new"], current)
    full = client.post("/v1/watch", json={"add": ["Kenya"] * 51}, headers=who["ann"])
    assert full.status_code == 422
    watch(workspace, "0" * 16, [f"urn:gone:{i}" for i in range(49)], [], id_of(ws, "ann"))
    full = client.post("/v1/watch", json={"add": ["Portugal"]}, headers=who["ann"])
    assert full.json()["allowed"] == [0, 50]
    assert told("ann", "POST", remove=["urn:gone:0"])["entities"][:2] == ["Kenya", "urn:gone:1"]

    assert told("ann", "DELETE")["entities"][0] == "Kenya"
    assert told("ann") == nothing
    assert told("ben", "POST", seen=True)["entities"] == ["Portugal"]
    revoke_token(ws, "ben")
    assert set(lists(workspace)) == {None}
    seen(workspace, current)
    assert "portugal" not in (ws / WATCH).read_text()


def id_of(ws: Path, name: str) -> str:
    """The id of a token."""
    return next(token.id for token in tokens(ws) if token.name == name)
