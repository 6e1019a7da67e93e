"""What a snapshot gives to learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sightline.graph.errors import UsageError
from sightline.graph.extraction.extract import extract
from sightline.graph.reasoning.reason import reason
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.errors import UnknownQualifier
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import OWL, RDF_TYPE
from sightline.ingest.load import ingest
from sightline.models.data.dataset import LearningData, Weighting, learning_data
from sightline.models.data.questions import Questions
from sightline.models.errors import CannotTrain
from tests.graph.conftest import BASE, add_load, build, fact, label
from tests.graph.test_extract import add_text, sentences_of_towns, world


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


def rated(path: Path, *rows: tuple[str, str, str, str]) -> Snapshot:
    """Facts with a rating, from a table."""
    table = path / "rated.csv"
    table.write_text("\n".join(map(",".join, [("head", "relation", "tail", "rating"), *rows])))
    workspace = Workspace.create(path / "ws")
    ingest(workspace, [table])
    return compile_snapshot(workspace, rdf=False)


def test_a_fact_counts_by_what_it_says_of_itself(tmp_path: Path) -> None:
    people = [f"p{i:02}" for i in range(12)]
    pairs = [(a, b) for a in people for b in people if a < b]
    rows = [(a, "likes", b, str(1 + i % 4)) for i, (a, b) in enumerate(pairs)]
    twice = ("p00", "likes", "p01", "4"), ("p00", "knows", "p01", "")
    snapshot = rated(tmp_path, *rows, *twice)
    plain, data = (learning_data(snapshot, Weighting(name)) for name in (None, "rating"))
    wanted = {(a, "likes", b): int(rating) / 4 for a, _, b, rating in rows}
    wanted |= {("p00", "likes", "p01"): (1 + 4) / 2 / 4, ("p00", "knows", "p01"): 1.0}

    assert plain.weight is None
    np.testing.assert_array_equal(plain.train, data.train)
    assert len(data.valid)  # so that places in training and in the graph differ
    for triple, weight in zip(data.train, data.weight):
        assert weight == wanted[named(data, triple[None]).pop()]


def test_questions_know_how_much_each_answer_counts(tmp_path: Path) -> None:
    facts = [("a", "r", "b", "1"), ("a", "r", "c", "3"), ("d", "r", "b", "2"), ("b", "r", "a", "4")]
    data = learning_data(rated(tmp_path, *facts), Weighting("rating"))
    questions = Questions(data, torch.device("cpu"))
    batch = questions.batch(torch.arange(len(questions)))
    counts = {tuple(fact): weight for fact, weight in zip(data.train.tolist(), data.weight)}

    for row, answer, weight in zip(batch.row, batch.answer, batch.weight):
        head, rel = int(batch.head[row]), int(batch.rel[row])
        forward = (head, rel, int(answer)) if rel == 0 else (int(answer), 0, head)
        assert weight == counts[forward]
    asked, answers, weight = questions.asked_of(torch.tensor([2, 0]))
    for position, answer, one in zip(asked, answers, weight):
        some = questions.batch(position[None])
        assert one == some.weight[some.answer == answer]


@pytest.mark.parametrize(
    ("ratings", "name", "error", "words"),
    [
        (("1", "2"), "ratings", UnknownQualifier, "rating"),
        (("good", "bad"), "rating", UsageError, "no fact says 'rating' as a number"),
        (("-1", "2"), "rating", UsageError, "from -1 to 2"),
        (("0", "0"), "rating", UsageError, "not 0 for all"),
        (("1e999", "1e999"), "rating", UsageError, "no fact says 'rating' as a number"),
    ],
)
def test_what_cannot_weigh_is_refused(
    ratings: tuple[str, str], name: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    first, second = ratings
    snapshot = rated(tmp_path, ("a", "r", "b", first), ("b", "r", "c", second))

    with pytest.raises(error, match=words):
        learning_data(snapshot, Weighting(name))
    with pytest.raises(UsageError, match="no fact of texts"):
        learning_data(snapshot, Weighting(extracted=True))


def test_facts_of_texts_are_learnt_from_where_asked_and_never_held_out(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    world(workspace)
    add_text(workspace, sentences_of_towns())
    extract(workspace)
    add_load(workspace, [fact(("t11", "lies_on", "r3"))], "test", name="test")
    snapshot = compile_snapshot(workspace, rdf=False)
    plain, data = (learning_data(snapshot, Weighting(extracted=e)) for e in (False, True))
    (read,) = named(data, data.train) - named(plain, plain.train)

    assert plain.weight is None
    assert snapshot.num_extracted == 2  # and one of them is asked in the test
    assert read == ("t10", "lies_on", "r2")
    town = snapshot.resolve_entity("Townkia")
    (confidence,) = [one.confidence for one in snapshot.extractions(town)]
    assert named(data, data.valid) == named(plain, plain.valid)
    assert data.weight.tolist() == [1.0] * len(plain.train) + [np.float32(confidence)]
