"""Published data sets, as they are: counts, names and types that a user expects to see."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.needs import data_set


def build(folder: Path, name: str) -> Snapshot:
    workspace = Workspace.create(folder / "ws")
    for result in ingest(workspace, [data_set(name)]):
        counts = result.load.counts
        assert counts.rejected == counts.duplicate == 0, result.load.source
    return compile_snapshot(workspace, rdf=False)


def test_codex_s(tmp_path: Path) -> None:
    s = build(tmp_path, "codex-s")
    assert (s.num_entities, s.num_relations, s.num_edges) == (2034, 42, 32888)
    sizes = {"valid": 1827, "test": 1828, "valid_negatives": 1827, "test_negatives": 1828}
    assert {role: len(s.held_out(role)) for role in sizes} == sizes
    assert len(s.class_iris) == 168
    assert "occupation" in s.relation_labels
    boston = s.resolve_entity("Boston")
    assert s.describe(boston).startswith("Boston (entity:Q100, ")
    quoted = [value for e in range(2034) for value in texts(s, e) if '"' in value]
    assert len(quoted) == 10
    assert not any('""' in value for value in quoted)


def test_umls(tmp_path: Path) -> None:
    s = build(tmp_path, "umls")
    assert (s.num_entities, s.num_relations, s.num_edges) == (135, 46, 5216)
    assert "acquired abnormality" in s.entity_labels


def test_wn18rr(tmp_path: Path) -> None:
    s = build(tmp_path, "wn18rr")
    assert (s.num_entities, s.num_relations, s.num_edges) == (40943, 11, 86835)
    assert len(s.search_index.exact("run")) == 33
    nan = s.resolve_entity("nan")
    assert s.entity_labels[nan] == "nan"
    assert s.resolve_entity("00260881") != nan


def test_fb15k_237(tmp_path: Path) -> None:
    s = build(tmp_path, "fb15k-237")
    assert (s.num_entities, s.num_relations, s.num_edges) == (14951, 237, 272115)
    assert len(s.search_index.exact("Washington County")) == 7


def test_hetionet(tmp_path: Path) -> None:
    s = build(tmp_path, "hetionet-sample")
    assert (s.num_entities, s.num_relations, s.num_edges) == (47031, 24, 99676)
    assert len(s.class_iris) == 11
    disease = s.resolve_entity("Alzheimer's disease")
    assert s.describe(disease).endswith(", Disease)")
    assert s.relation_labels[s.resolve_relation("Gr>G")].startswith("Gene > regulates > Gene")
    assert s.entity_iris[s.resolve_entity("Biological Process::GO:2000696")].isascii()


def texts(s: Snapshot, entity: int) -> list[str]:
    return [attribute.value for attribute in s.attributes(entity)]
