"""What an older version wrote stays readable: loads as they are, everything else by making it
again. ``tests/data/workspace-0.1.0`` says what it holds."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from sightline.cli.main import run
from sightline.graph.record.loads import active_loads, retract
from sightline.graph.record.statements import TERMS, scan_statements
from sightline.graph.snapshot import build as building
from sightline.graph.snapshot import compile as compiling
from sightline.graph.snapshot import reader
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.errors import FormatMismatch
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDFS_LABEL, XSD
from sightline.ingest.load import ingest

STORED = Path(__file__).parent.parent / "data" / "workspace-0.1.0"
EX = "https://example.org/"
MAYOR = "urn:sightline:genid:d950cb43dc92aef5:b0"

STATED = {
    ("danube", "flows_through", "Austria", "rivers.csv", 2),
    ("danube", "flows_through", "Hungary", "rivers.csv", 3),
    ("rhine", "flows_through", "Germany", "rivers.csv", 4),
    ("rhine", "flows_through", "Netherlands", "rivers.csv", 5),
    (EX + "vienna", EX + "twinnedWith", EX + "budapest", "towns.ttl", 8),
    (EX + "vienna", EX + "mayor", MAYOR, "towns.ttl", 9),
}
ATTRIBUTES = {
    ("danube", "length_km", "2850", "integer", None, 2),
    ("danube", "source_known", "true", "boolean", None, 2),
    ("rhine", "length_km", "1233", "integer", None, 2),
    ("rhine", "source_known", "true", "boolean", None, 2),
    (EX + "vienna", EX + "population", "2005760", "integer", None, 1),
    (EX + "vienna", EX + "founded", "1137", "gYear", None, 1),
    (EX + "budapest", EX + "area", "525.2", "decimal", None, 1),
}
LABELS = {
    ("danube", "Danube", None),
    ("rhine", "Rhine, the", None),
    (EX + "vienna", "Wien", "de"),
    (EX + "vienna", "Vienna", "en"),
    (EX + "budapest", "Budapest", None),
    (MAYOR, "the mayor", None),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    shutil.copytree(STORED / "workspace", tmp_path / "ws")
    return Workspace.open(tmp_path / "ws")


def short(iri: str) -> str:
    for kind in ("entity", "relation", "property", "class"):
        iri = iri.removeprefix(f"urn:sightline:{kind}:")
    return iri


def stated(s: Snapshot) -> set[tuple[str, str, str, str, int]]:
    return {
        (
            *(short(iri) for iri in (s.entity_iris[h], s.relation_iris[r], s.entity_iris[t])),
            *(Path(origin.source).name, origin.row),
        )
        for edge, (h, r, t) in enumerate(s.triples())
        for origin in s.origins(edge)
        if not s.edge_inferred[edge]
    }


def literals(s: Snapshot) -> list[tuple[str, str, str, str, str | None, int]]:
    return [
        (
            *(short(s.entity_iris[e]), short(s.property_iris[a.property]), a.value),
            *(a.datatype.removeprefix(XSD), a.language, len(a.origins)),
        )
        for e in range(s.num_entities)
        for a in s.attributes(e)
    ]


def test_its_loads_give_exactly_the_facts_that_they_were_made_of(workspace: Workspace) -> None:
    assert verify(workspace) == []
    loads = {Path(load.source).name: load for load in active_loads(workspace)}
    assert sorted(loads) == ["rivers.csv", "towns.ttl", "urn:sightline:inferred"]
    counts = loads["rivers.csv"].counts
    assert (counts.read, counts.loaded, counts.rejected, counts.statements) == (5, 4, 1, 20)

    s = compile_snapshot(workspace, rdf=False)
    assert stated(s) == STATED
    found = literals(s)
    assert {x for x in found if x[1] != RDFS_LABEL} == ATTRIBUTES
    assert {(x[0], x[2], x[4]) for x in found if x[1] == RDFS_LABEL} == LABELS
    types = {short(s.entity_iris[e]): s.class_labels.take(s.types_of(e)) for e in range(9)}
    assert {name: of for name, of in types.items() if of} == {
        "danube": ["River"],
        "rhine": ["River"],
        EX + "vienna": ["Town"],
        EX + "budapest": ["Town"],
    }


def test_a_source_that_it_loaded_is_the_same_load_today(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(STORED / "sources")
    mapping = Path("mapping.yaml")
    before = {load.id for load in active_loads(workspace)}
    names = [Path("rivers.csv"), Path("withdrawn.csv"), Path("towns.ttl")]
    again = ingest(workspace, names, mapping=mapping)
    assert [result.known for result in again] == [True, True, True]
    assert {load.id for load in active_loads(workspace)} == before | {again[1].load.id}
    retract(workspace, again[1].load.id)


def test_an_older_snapshot_says_how_to_make_it_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reader, compiling, building):
        monkeypatch.setattr(module, "SNAPSHOT_FORMAT", 99)
    with pytest.raises(FormatMismatch, match=r"version 1.*99.*`sightline compile` makes"):
        served_snapshot(workspace)
    assert stated(compile_snapshot(workspace, rdf=False)) == STATED
    assert stated(served_snapshot(workspace)) == STATED


def test_compiling_says_that_an_older_snapshot_was_made_again(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for times in (1, 0):
        assert run(["compile", "-w", str(workspace.path)]) == 0
        told = "".join(capsys.readouterr())
        assert told.count("built again: the snapshot was of version 1") == times


def test_a_newer_snapshot_is_never_guessed_at(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SNAPSHOT_FORMAT", 0)
    with pytest.raises(FormatMismatch, match="use the Sightline that wrote it"):
        served_snapshot(workspace)


def test_qualifiers_of_version_2_of_the_record_are_read_as_texts(tmp_path: Path) -> None:
    frame = pl.DataFrame({name: ["x", "y"] for name in TERMS}).with_columns(
        graph=pl.lit(None, pl.String),
        row=pl.Series([1, 2], dtype=pl.UInt32),
        qualifier_keys=pl.Series([["k", "k"], None], dtype=pl.List(pl.String)),
        qualifier_values=pl.Series([["a", "b"], None], dtype=pl.List(pl.String)),
    )
    frame.write_parquet(tmp_path / "s.parquet")
    load: Any = SimpleNamespace(role="facts", statements=[tmp_path / "s.parquet"])
    ((_, found),) = scan_statements([load], "facts", qualifiers=True)
    said = found.collect()
    assert said["row"].to_list() == [1, 2]
    text = {"key": "k", "datatype": XSD + "string", "language": None}
    assert said["qualifiers"].to_list() == [[{**text, "value": "a"}, {**text, "value": "b"}], []]
    ((_, plain),) = scan_statements([load], "facts")
    assert plain.collect_schema().names() == [*TERMS, "graph", "row"]
