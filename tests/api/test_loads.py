"""The raw record behind a fact, over HTTP."""

from __future__ import annotations

from pathlib import Path

from sightline.api.app import create_app
from sightline.cli.service import read_row
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.api.conftest import TestClient


def test_a_row_is_read_from_its_file_and_its_path_is_never_said(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    file = tmp_path / "people.csv"
    file.write_text("id,name,river\na,Ada,Rhine\nb,Bo,Rhine\n")
    (result,) = ingest(ws, [file])
    compile_snapshot(ws, rdf=False)
    url = f"/v1/loads/{result.load.id}/rows"
    with TestClient(create_app(ws.path, read_row=read_row)) as client:
        found = client.get(url, params={"at": "line 3"})
        assert found.json()["cells"][1] == {"column": "name", "values": ["Bo"]}
        missing = client.get(url, params={"at": "77"})
        file.write_text("id\n")
        changed = client.get(url, params={"at": "3"})
        file.unlink()
        gone = client.get(url, params={"at": "3"})
    answers = [found, missing, changed, gone]
    assert [answer.status_code for answer in answers] == [200, 404, 409, 410]
    assert not any(str(tmp_path) in answer.text for answer in answers)
    with TestClient(create_app(ws.path)) as client:
        assert client.get(url, params={"at": "3"}).status_code == 503


def test_a_source_in_a_folder_is_named_as_answers_write_it(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    (tmp_path / "data" / "100% b").mkdir(parents=True)
    (tmp_path / "data" / "100% b" / "people.csv").write_text("id,name\na,Ada\nb,Bo\n")
    (tmp_path / "data" / "rivers.csv").write_text("id,name\nr,Rhine\ns,Aare\n")
    ingest(ws, [tmp_path / "data"])
    compile_snapshot(ws, rdf=False)
    with TestClient(create_app(ws.path, read_row=read_row)) as client:
        found = client.get("/v1/loads/100%25%20b%2Fpeople.csv/rows", params={"at": "line 3"})
        assert (found.status_code, found.json()["source"]) == (200, "100% b/people.csv")
