"""A section is a class and its entry in the tuple: compile writes it, a snapshot maps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sightline.graph.arrays import Ids
from sightline.graph.record.loads import Counts, LoadWriter, now
from sightline.graph.record.statements import QUALIFIER, QUALIFIERS, statement_schema
from sightline.graph.snapshot import sections
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.section import File, Section
from sightline.graph.storage.artifact import write_manifest
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import XSD
from tests.graph.conftest import BASE, add_load, build, fact


class Toy(Section):
    """The relations that every statement names, and a word for each edge."""

    title = "toy"

    toy_relation: Ids
    toy_words: StringTable

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        manifest["toys"] = inputs.edges.height
        yield "toy_relation", inputs.edges["relation"].to_numpy()
        yield "toy_words", ["word"] * inputs.edges.height

    def check(self) -> None:
        if len(self.toy_words) != self.manifest["toys"]:
            raise ValueError("a toy is lost")


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTIONS", (*sections.SECTIONS, Toy))


@pytest.mark.usefixtures("with_toy")
def test_a_section_is_written_mapped_and_checked_by_its_entry_alone(tmp_path: Path) -> None:
    s: Any = build(tmp_path, [fact(("a", "r", "b")), fact(("a", "s", "b"))])
    assert s.manifest["toys"] == 2
    assert s.toy_relation.tolist() == [0, 1]
    assert isinstance(s.toy_relation.base, np.memmap)
    assert list(s.toy_words) == ["word", "word"]
    StringTable.write(s.folder, "toy_words", ["word"])
    write_manifest(s.folder, {k: v for k, v in s.manifest.items() if k != "files"})
    with pytest.raises(DamagedArtifact, match="a toy is lost"):
        Snapshot.open(s.folder)


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("tail", np.zeros(1, np.int32), "tail has 1 entries, not 2"),
        ("tail", np.zeros(2, np.int64), "tail.npy holds int64 where int32 is expected"),
        ("type_indptr", np.zeros(2, np.int64), "type_indptr has 2 entries, not 4"),
        ("origin_row", np.zeros(1, np.uint32), "origin_row has 1 entries, not 2"),
        ("attribute_row", np.zeros(1, np.uint32), "attribute_row has 1 entries, not 0"),
    ],
)
def test_files_that_do_not_fit_each_other_are_named(
    tmp_path: Path, name: str, array: np.ndarray, reason: str
) -> None:
    s = build(tmp_path, [fact(("a", "r", "b")), fact(("a", "r", "c"))])
    np.save(s.folder / f"{name}.npy", array)
    write_manifest(s.folder, {k: v for k, v in s.manifest.items() if k != "files"})
    with pytest.raises(DamagedArtifact, match=reason):
        Snapshot.open(s.folder)


def test_a_statement_may_carry_qualifiers_and_a_graph_without_any_has_no_files_of_them(
    tmp_path: Path,
) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    add_load(workspace, [fact(("a", "r", "b"), 9), fact(("a", "r", "c"))])
    plain = compile_snapshot(workspace, rdf=False)
    assert plain.qualifiers(0) == []
    assert list(plain.folder.glob("qualifier*")) == []

    rows = [fact(("a", "r", "b"), 1), fact(("a", "r", "b"), 2), fact(("b", "r", "a"), 3)]
    said = [
        [("x:year", "1999", XSD + "gYear", None), ("x:rating", "4.50", XSD + "decimal", None)],
        [("x:year", "2001", XSD + "gYear", None), ("x:by", "x:imdb", None, None)],
        None,
    ]
    frame = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in statement_schema()}, statement_schema()
    ).with_columns(
        pl.Series(QUALIFIERS, said, pl.List(pl.Struct(dict.fromkeys(QUALIFIER, pl.String))))
    )
    with workspace.lock(), LoadWriter(workspace, "ffff", "films.csv") as writer:
        writer.write(frame)
        writer.write(frame.head(0).drop(QUALIFIERS))
        writer.commit(
            sha256="00",
            role="facts",
            counts=Counts(3, 3, 0, 0, 3),
            media_type="text/csv",
            started=now(),
        )
    s = compile_snapshot(workspace, rdf=False)
    edge = {
        (s.entity_iris[h][-1], s.entity_iris[t][-1]): i for i, (h, _, t) in enumerate(s.triples())
    }
    found = s.qualifiers(edge["a", "b"])
    assert [(s.property_iris[q.property], q.value, q.datatype, q.origin.row) for q in found] == [
        ("x:rating", 4.5, XSD + "decimal", 1),
        ("x:year", 1999, XSD + "gYear", 1),
        ("x:by", "x:imdb", None, 2),
        ("x:year", 2001, XSD + "gYear", 2),
    ]
    assert {q.origin.source for q in found} == {"films.csv"}
    assert s.qualifiers(edge["a", "c"]) == s.qualifiers(edge["b", "a"]) == []
    assert s.relation_iris[0] == BASE + "relation:r"
