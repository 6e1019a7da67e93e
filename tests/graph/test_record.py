"""What a load may say besides facts, and that nothing is built of a damaged one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyoxigraph
import pytest

from sightline.graph.exchange.export import export
from sightline.graph.rdf.index import open_store
from sightline.graph.reasoning.reason import reason
from sightline.graph.record.errors import DamagedLoad
from sightline.graph.record.loads import Load, active_loads, retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.errors import FormatMismatch
from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import BASE, RDF, add_load, fact, label, literal, typed

OWL = "http://www.w3.org/2002/07/owl#"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws")


def edges(s: Snapshot) -> set[str]:
    names = s.entity_labels
    return {f"{names[h]} {s.relation_labels[r]} {names[t]}" for h, r, t in s.triples()}


def texts(s: Snapshot, name: str) -> set[tuple[str, str | None]]:
    return {(x.value, x.language) for x in s.attributes(s.resolve_entity(name))}


def test_single_statements_are_taken_back_and_come_back(workspace: Workspace) -> None:
    langstring = {"datatype": RDF + "langString"}
    hello = literal("a", BASE + "property:says", "hello", language="en", **langstring)
    add_load(
        workspace,
        [
            *(fact(("a", "r", "b")), fact(("a", "r", "c")), typed("a", "X"), typed("a", "Y")),
            *(hello, literal("a", BASE + "property:says", "hello", language="de", **langstring)),
            *(label("a", "a"), literal("a", BASE + "property:size", "3")),
        ],
    )
    before = compile_snapshot(workspace)
    wrong = [fact(("a", "r", "c")), typed("a", "Y"), hello, fact(("not", "there", "c"))]
    load = add_load(workspace, wrong, role="retractions", name="wrong")

    s = compile_snapshot(workspace)
    assert edges(s) == {"a r b"}
    assert s.class_labels.take(s.types_of(s.resolve_entity("a"))) == ["X"]
    assert texts(s, "a") == {("hello", "de"), ("a", None), ("3", None)}
    assert len(list(open_store(s.folder))) == 5

    retract(workspace, load.id)
    assert compile_snapshot(workspace).id == before.id


def test_nothing_follows_from_what_was_taken_back(workspace: Workspace) -> None:
    symmetric = {
        "subject": BASE + "relation:r",
        "predicate": RDF + "type",
        "object": OWL + "SymmetricProperty",
        "row": 1,
    }
    add_load(workspace, [fact(("a", "r", "b")), fact(("a", "r", "c")), symmetric])
    reason(workspace)
    assert edges(compile_snapshot(workspace, rdf=False)) == {"a r b", "b r a", "a r c", "c r a"}
    add_load(workspace, [fact(("a", "r", "c"))], role="retractions", name="wrong")
    assert edges(compile_snapshot(workspace, rdf=False)) == {"a r b", "b r a"}


def test_an_export_leaves_out_what_was_taken_back(workspace: Workspace, tmp_path: Path) -> None:
    add_load(workspace, [fact(("a", "r", "b")), fact(("a", "r", "c"))])
    add_load(workspace, [fact(("a", "r", "c"))], role="retractions", name="wrong")
    export(workspace, "nt", tmp_path / "out.nt")
    (triple,) = pyoxigraph.parse(path=tmp_path / "out.nt")
    assert triple.object == pyoxigraph.NamedNode(BASE + "entity:b")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "reason_given"),
    [
        (lambda load: load.statements[0].unlink(), "statements-00000.parquet is missing"),
        (lambda load: flip(load.statements[0]), "statements-00000.parquet has the wrong checksum"),
        (lambda load: (load.folder / "manifest.json").write_text("{}"), "manifest is not one"),
        (lambda load: (load.folder / "manifest.json").unlink(), "manifest cannot be read"),
    ],
)
@pytest.mark.parametrize("build", [compile_snapshot, reason])
def test_nothing_is_built_of_a_damaged_load(
    workspace: Workspace,
    build: Callable[[Workspace], object],
    damage: Callable[[Load], object],
    reason_given: str,
) -> None:
    add_load(workspace, [fact(("a", "r", "b"))])
    load = add_load(workspace, [fact(("a", "r", "c"))], name="b")
    damage(load)
    with pytest.raises(DamagedLoad, match=rf"{load.id}.*{reason_given}.*again"):
        build(workspace)
    assert workspace.current.snapshot is None


def test_a_stray_file_beside_a_load_is_not_read(workspace: Workspace) -> None:
    load = add_load(workspace, [fact(("a", "r", "b"))])
    other = add_load(workspace, [fact(("a", "r", "c"))], name="b")
    (load.folder / "statements-00001.parquet").write_bytes(other.statements[0].read_bytes())
    retract(workspace, other.id)
    assert edges(compile_snapshot(workspace, rdf=False)) == {"a r b"}


def test_a_load_of_a_later_version_is_never_guessed_at(workspace: Workspace) -> None:
    load = add_load(workspace, [fact(("a", "r", "b"))])
    manifest = json.loads((load.folder / "manifest.json").read_text())
    (load.folder / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(FormatMismatch, match=r"version 99.*or a newer one"):
        active_loads(workspace)
