"""What a snapshot gives to learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sightline.graph.reasoning.reason import reason
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import OWL, RDF_TYPE
from sightline.models.data.dataset import LearningData, learning_data
from sightline.models.errors import CannotTrain
from tests.graph.conftest import BASE, add_load, build, fact, label


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Snapshot]:
    """Compile facts and held-out parts into a snapshot."""

    def make(facts: list[tuple[str, str, str]], **held: list[tuple[str, str, str]]) -> Snapshot:
        workspace = Workspace.create(tmp_path / "ws")
        add_load(workspace, [fact(t) for t in facts] + [label("alone", "nobody's friend")])
        for role, triples in held.items():
            add_load(workspace, [fact(t) for t in triples], role, name=role)
        return compile_snapshot(workspace, rdf=False)

    return make


def named(data: LearningData, triples: np.ndarray) -> set[tuple[str, str, str]]:
    def short(iri: str) -> str:
        return iri.rpartition(":")[2]

    return {
        (short(data.entity_iris[h]), short(data.relation_iris[r]), short(data.entity_iris[t]))
        for h, r, t in triples.tolist()
    }


def test_a_given_split_is_kept_and_an_entity_seen_only_in_test_gets_a_row(compiled) -> None:
    facts = [("a", "r", "b"), ("b", "r", "c")]
    data = learning_data(compiled(facts, valid=[("a", "r", "c")], test=[("z", "r", "a")]))

    assert data.split == "given"
    assert named(data, data.train) == set(facts)
    assert named(data, data.valid) == {("a", "r", "c")}
    assert named(data, data.test) == {("z", "r", "a")}
    assert "urn:sightline:entity:z" in data.entity_iris
    assert "urn:sightline:entity:alone" not in data.entity_iris


def test_without_a_split_some_facts_are_held_out(compiled) -> None:
    facts = [(f"e{i}", "r", f"e{j}") for i in range(10) for j in range(10) if i < j]
    data = learning_data(compiled(facts))

    assert data.split == "random"
    assert len(data.valid)
    assert len(data.test)
    parts = [named(data, part) for part in (data.train, data.select, data.calibrate, data.test)]
    assert set.union(*parts) == set(facts)
    assert sum(map(len, parts)) == len(facts)


def test_the_halves_of_valid_do_not_share_a_pair(compiled) -> None:
    valid = [(f"e{i}", r, f"e{j}") for i in range(8) for j in range(8) if i != j for r in "rs"]
    data = learning_data(compiled([("e0", "r", "e1"), ("e1", "s", "e0")], valid=valid))

    halves = [
        {frozenset((h, t)) for h, _, t in named(data, part)}
        for part in (data.select, data.calibrate)
    ]
    assert all(halves)
    assert not halves[0] & halves[1]


def test_a_graph_without_an_edge_cannot_be_learnt(tmp_path: Path) -> None:
    snapshot = build(tmp_path / "ws", [label("a", "A")])

    with pytest.raises(CannotTrain, match="no edge between two entities"):
        learning_data(snapshot)


def test_a_graph_with_one_entity_cannot_be_learnt(tmp_path: Path) -> None:
    snapshot = build(tmp_path / "ws", [fact(("a", "r", "a"))])

    with pytest.raises(CannotTrain, match="single entity"):
        learning_data(snapshot)


def test_inferred_facts_are_not_learnt_from(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    rule = fact(("r", "is", "transitive"))
    rule |= {"subject": f"{BASE}relation:r", "predicate": RDF_TYPE}
    rule |= {"object": OWL + "TransitiveProperty"}
    add_load(workspace, [fact(("a", "r", "b")), fact(("b", "r", "c")), rule])
    reason(workspace)
    snapshot = compile_snapshot(workspace, rdf=False)
    data = learning_data(snapshot)

    assert snapshot.edge_inferred.sum() == 1
    assert named(data, np.concatenate([data.train, data.valid, data.test])) == {
        ("a", "r", "b"),
        ("b", "r", "c"),
    }
