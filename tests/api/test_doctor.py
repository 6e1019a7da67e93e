"""What is decided about findings, over HTTP and by commands: accepted, ignored, opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sightline.api.app import create_app
from sightline.cli.main import run
from sightline.graph.record.loads import active_loads
from sightline.graph.storage.ignored import ignored
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import Workspace
from tests.api.conftest import TestClient
from tests.graph.conftest import build, fact

#: Twenty capitals, and a land that is its own.
LOOP = [
    *(fact((f"land{i:02}", "capital", f"town{i:02}")) for i in range(20)),
    fact(("land03", "capital", "land03")),
]


def test_a_finding_is_accepted_ignored_and_opened_again(tmp_path: Path, capsys: Any) -> None:
    build(tmp_path / "ws", LOOP)
    ws = Workspace.open(tmp_path / "ws")

    def listed(state: str | None = None) -> list[tuple[str, str]]:
        asked = {} if state is None else {"state": state}
        found = client.get("/v1/doctor", params=asked).raise_for_status().json()
        assert found["total"] == len(found["findings"])
        assert sum(s["findings"] for s in found["states"]) == 1
        return [(f["id"], f["state"]) for f in found["findings"]]

    with TestClient(create_app(ws.path)) as client:
        [(one, _)] = listed()
        [finding] = client.get("/v1/doctor").json()["findings"]
        # land03 has its capital besides: one walk of two steps goes over the loop.
        assert finding["affected"] == {"paths": 1, "alone": []}

        assert client.post(f"/v1/doctor/{one[:6]}:ignore").json()["finding"]["state"] == "ignored"
        assert (listed(), listed("ignored")) == ([], [(one, "ignored")])
        assert ignored(ws) == {one}
        assert verify(ws) == []
        assert client.post(f"/v1/doctor/{one}:reopen").json()["next"] is None
        assert listed() == [(one, "open")]

        said = client.post(f"/v1/doctor/{one}:accept").json()
        [load] = [x for x in active_loads(ws) if x.role == "retractions"]
        assert (said["next"], said["finding"]["load"]) == ("sightline compile", load.id)
        assert (listed(), listed("all")) == ([], [(one, "accepted")])
        assert client.post(f"/v1/doctor/{one}:reopen").json()["finding"]["state"] == "open"
        assert [x for x in active_loads(ws) if x.role == "retractions"] == []

        refused = client.post("/v1/doctor/nothing:accept")
        assert (refused.status_code, refused.json()["type"][-15:]) == (404, "unknown-finding")

    folder = str(ws.path)
    assert run(["doctor", "--ignore", one[:8], "-w", folder]) == 0
    assert run(["doctor", "-w", folder]) == 0
    assert "decided about: 1 ignored; --state all lists them" in capsys.readouterr().out
    assert run(["doctor", "--reopen", one, "-w", folder]) == 0
    assert ignored(ws) == set()
