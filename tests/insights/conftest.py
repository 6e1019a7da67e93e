"""A small graph with a student whose every score is chosen by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.serving import publish
from sightline.distill.student.arrays import NORM_EPSILON, READ, WIDTH, StudentArrays
from sightline.distill.student.context import ContextEncoder
from sightline.distill.student.student import TEXTS, Student
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.artifact import new_artifact
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds import (
    entity,
    neighborhood,
    paths,
    predictions,
    related,
    relations,
    search,
    similar,
)
from sightline.insights.records import EntityRef, Fact
from sightline.models.format import MODEL_FORMAT
from tests.graph.conftest import BASE, Triple, build, fact, label, typed

MODEL = "model-1"
TYPES = {
    "Person": ("ann", "bob", "cid", "dot"),
    "Company": ("acme", "bolt"),
    "City": ("york", "bern"),
}
#: Who works where, and lives where their company is; only where bob and dot live is not stated.
FACTS: tuple[Triple, ...] = (
    ("ann", "works_at", "acme"),
    ("bob", "works_at", "acme"),
    ("cid", "works_at", "bolt"),
    ("dot", "works_at", "bolt"),
    ("acme", "located_in", "york"),
    ("bolt", "located_in", "bern"),
    ("ann", "lives_in", "york"),
    ("cid", "lives_in", "bern"),
)
ROWS = [
    *(fact(triple, row) for row, triple in enumerate(FACTS, 2)),
    *(typed(name, kind) for kind, names in TYPES.items() for name in names),
    *(label(name, name.title()) for names in TYPES.values() for name in names),
]


@dataclass(frozen=True, slots=True)
class Model:
    """A student in raw names.

    Attributes:
        scores: of facts, the same from both ends; everything else scores ``rest``.
        vectors: per entity, for similarity; else each entity has a direction of its own.
        without: entities and relations that it does not know.
        texts: of the curve for entities of which texts alone are known; None: no such curve.
        like: whose vector an entity gets that it does not know, by any edge; None: no encoder.
    """

    scores: Mapping[Triple, float] = field(default_factory=dict)
    rest: float = 0.0
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    without: Sequence[str] = ()
    like: str | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, Any] | None = None


def student_arrays(scores: np.ndarray, vectors: np.ndarray) -> StudentArrays:
    """Arrays that score exactly as a table says.

    Every hidden unit is on for one (head, directed relation) and off for all others, and writes
    that row: its value is 1 where both fit and else 0, which the layer normalisation, being told
    what it makes of such a vector, maps to ``on`` and to so little that nothing passes.

    Args:
        scores: ``(N, 2R, N)``.
        vectors: ``(N, WIDTH)`` of full row rank.
    """
    entities, rels, _ = scores.shape
    units = entities * rels
    unit_head, unit_rel = np.divmod(np.arange(units), rels)
    inverse = np.linalg.pinv(vectors)
    on, off = 50.0, -100.0
    one, zero = (np.eye(units)[0, :2] - 1 / units) / np.sqrt(1 / units - units**-2 + NORM_EPSILON)
    scale = (on - off) / (one - zero)
    fits_rel = np.arange(rels)[:, None] == unit_rel
    written = scores.reshape(-1, entities) @ inverse.T / on
    gate = np.concatenate([np.zeros((WIDTH, units)), fits_rel])
    parts = {
        "entity": vectors,
        "rel": np.concatenate([np.zeros((rels, WIDTH)), np.eye(rels)], axis=1),
        "hidden_weight": inverse[:, unit_head],
        "hidden_bias": np.zeros(units),
        "gate_weight": gate,
        "gate_bias": np.full(units, -1.0),
        "shift_weight": np.zeros_like(gate),
        "norm_weight": np.full(units, scale),
        "norm_bias": np.full(units, on - scale * one),
        "out_weight": np.pad(written, ((0, 0), (0, READ - WIDTH))),
        "out_bias": np.zeros(READ),
    }
    return StudentArrays(**{name: part.astype(np.float32) for name, part in parts.items()})


def encoder_of(vector: np.ndarray, rels: int) -> ContextEncoder:
    """Makes one vector of any edges."""
    weight = np.zeros((2 * (WIDTH + rels + 1), WIDTH), np.float32)
    weight[[WIDTH + rels, -1]] = vector
    return ContextEncoder(weight)


def write_model(ws: Workspace, snapshot: Snapshot, model: Model) -> None:
    """Store a model as training and distillation do, and publish it."""
    unknown = {f"{BASE}{kind}:{name}" for kind in ("entity", "relation") for name in model.without}
    entities = [iri for iri in snapshot.entity_iris if iri not in unknown]
    relations = [iri for iri in snapshot.relation_iris if iri not in unknown]
    row = {iri.rpartition(":")[2]: i for i, iri in enumerate(entities)}
    rel = {iri.rpartition(":")[2]: i for i, iri in enumerate(relations)}
    table = np.full((len(row), 2 * len(rel), len(row)), model.rest)
    for (head, relation, tail), score in model.scores.items():
        table[row[head], rel[relation], row[tail]] = score
        table[row[tail], rel[relation] + len(rel), row[head]] = score
    vectors = np.eye(len(row), WIDTH, k=WIDTH - len(row))
    for name, vector in model.vectors.items():
        vectors[row[name]] = np.pad(vector, (0, WIDTH - len(vector)))
    fitted = {"slope": 1.0, "rank_slope": 0.0, "intercept": 0.0, "abstain_below": 0.5}
    fitted |= {"rel_offset": (0.0,) * 2 * len(rel), "base_rate": 0.1, "answers": 100}
    with new_artifact(ws.models, MODEL, format=MODEL_FORMAT) as folder:
        (folder / "vocabulary").mkdir()
        StringTable.write(folder / "vocabulary", "entity_iris", entities)
        StringTable.write(folder / "vocabulary", "relation_iris", relations)
    with new_artifact(ws.models / MODEL, "student", format=MODEL_FORMAT) as folder:
        student_arrays(table, vectors).save(folder)
        if model.like is not None:
            encoder_of(vectors[row[model.like]], 2 * len(rel)).save(folder)
        Calibration(**{**fitted, **model.calibration}).write(folder)
        if model.texts is not None:
            (folder / TEXTS).mkdir()
            Calibration(**{**fitted, **model.texts}).write(folder / TEXTS)
    publish(ws, MODEL)


class World:
    """An opened workspace, asked by raw name."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.sight = Sightline.open(ws)
        self.graph = self.sight.snapshot

    def ask(self, kind: ModuleType, *given: Any, **asked: Any) -> Any:
        """The answer of the kind that a module declares."""
        return kind.KIND.answer(self.sight, kind.KIND.question(*given, **asked))

    def related(self, *given: Any, **asked: Any) -> tuple[Fact, ...]:
        return self.ask(related, *given, **asked).related

    def predict(self, *given: Any, **asked: Any) -> tuple[Fact, ...]:
        return self.ask(predictions, *given, **asked).predictions

    def similar(self, *given: Any, **asked: Any) -> tuple[similar.Neighbour, ...]:
        return self.ask(similar, *given, **asked).similar

    def paths(self, source: Any, target: Any, **asked: Any) -> paths.Paths:
        ends = ((end,) if isinstance(end, str) else tuple(end) for end in (source, target))
        return self.ask(paths, *ends, **asked)

    def entity(self, name: str) -> entity.Entity:
        return self.ask(entity, name)

    def neighborhood(self, *given: Any, **asked: Any) -> neighborhood.Neighborhood:
        return self.ask(neighborhood, *given, **asked)

    def search(self, *given: Any, **asked: Any) -> tuple[search.Found, ...]:
        return self.ask(search, *given, **asked).entities

    def relations(self, **asked: Any) -> tuple[relations.Relation, ...]:
        return self.ask(relations, **asked).relations

    def id(self, name: str) -> int:
        found = self.graph.entity_iris.find(f"{BASE}entity:{name}")
        assert found is not None, name
        return found

    def relation(self, name: str) -> int:
        found = self.graph.relation_iris.find(f"{BASE}relation:{name}")
        assert found is not None, name
        return found

    @property
    def student(self) -> Student:
        assert self.sight.model is not None
        scorer = self.sight.model.scorer
        assert isinstance(scorer, Student)
        return scorer


def other(fact: Fact) -> EntityRef:
    """What a fact links the entity asked about with."""
    return fact.tail if fact.direction == "out" else fact.head


def name_of(ref: Any) -> str:
    """The raw name behind an entity or relation."""
    return ref.iri.rpartition(":")[2]


def one_more(everyone: tuple[int, int], of_its_type: tuple[int, int]) -> float:
    """The chance of one more answer, from (those that have more, those that have as many)."""
    prior = (everyone[0] + 0.5) / (everyone[1] + 1)
    return (of_its_type[0] + 5 * prior) / (of_its_type[1] + 5)


def calibrated(share: float) -> float:
    """The curve of the test's model: sigmoid(log p)."""
    return share / (1 + share)


@pytest.fixture
def world_of(tmp_path: Path) -> Callable[..., World]:
    """Compile facts or rows, and serve a model beside them unless it is None."""

    def make(rows: Sequence[Any] = ROWS, model: Model | None = Model()) -> World:
        made = [fact(row, i + 1) if isinstance(row, tuple) else row for i, row in enumerate(rows)]
        snapshot = build(tmp_path / "ws", made)
        ws = Workspace.open(tmp_path / "ws")
        if model is not None:
            write_model(ws, snapshot, model)
        return World(ws)

    return make
