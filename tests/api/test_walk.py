"""From a name with a typo to a report that is read, over HTTP, by what answers say alone.

Whatever is asked for is named by an id, a place or an address of an answer before it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.api.jobs.queue import Jobs
from sightline.cli.jobs import HANDLERS
from sightline.cli.service import read_row
from sightline.graph.progress import silent
from sightline.graph.storage.tokens import create_token

SHORT = [{"entities": {"predicted": 2, "stated": 2, "similar": 0}}]


def test_each_answer_leads_to_the_next(trained: Path, tmp_path: Path) -> None:
    ws = shutil.copytree(trained, tmp_path / "ws")
    headers = {"Authorization": f"Bearer {create_token(ws, 'stranger', ['ask'])[1]}"}
    app = create_app(ws, read_row)
    with TestClient(app, headers=headers) as client:

        def get(path: str, **said: Any) -> Any:
            answer = client.get(path, params=said)
            assert answer.status_code == 200, answer.text
            return answer.json()

        def post(path: str, status: int, **said: Any) -> Any:
            answer = client.post(path, json=said)
            assert answer.status_code == status, answer.text
            return answer.json()

        missing = client.get("/v1/entities/Compnay 3").json()
        assert "Company 3" in missing["nearest"][0]
        first = get("/v1/entities", q="Compnay 3")["entities"][0]
        at = f"/v1/entities/{quote(first['id'], safe='')}"
        assert get(at)["entity"]["label"] == "Company 3"
        around = get(f"{at}/neighborhood", limit=5)["nodes"]
        other = next(node for node in around if node["types"] == ["Person"])

        paths = get("/v1/paths", source=first["id"], target=other["id"])["paths"]
        assert {step["source"]["id"] for step in paths[0]["steps"]} & {first["id"], other["id"]}
        relation = paths[0]["steps"][0]["relation"]["id"]
        gap = {"head": other["id"], "relation": relation, "new_only": True}
        fact = post("/v1/predictions", 200, **gap)["predictions"][0]
        why = {part: fact[part]["id"] for part in ("head", "relation", "tail")}
        explained = post("/v1/explain", 200, **why)
        assert explained["status"] == "predicted"
        assert explained["probability"] == fact["probability"]

        origin = paths[0]["steps"][0]["origins"][0]
        for load in (origin["load"], quote(origin["source"], safe="")):
            record = get(f"/v1/loads/{load}/rows", at=origin["place"])
            assert other["id"].partition(":")[2] in str(record["cells"])

        ordered = client.post("/v1/reports", json={"about": [other["id"]], "sections": SHORT})
        assert ordered.status_code == 202
        job = Jobs(ws).claim()
        assert job is not None
        Jobs(ws).finish(job, HANDLERS["report"](ws, job, silent), 1)
        done = get(ordered.headers["location"])
        assert done["state"] == "done"
        page = next(file["href"] for file in done["files"] if file["name"] == "report.md")
        assert other["label"] in client.get(page).text
        assert [one["id"] for one in get("/v1/reports")["reports"]] == [done["id"]]
