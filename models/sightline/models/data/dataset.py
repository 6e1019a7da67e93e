"""What a snapshot gives to learn from: numbered entities and relations, a split, what is known.

A model numbers the entities and relations that occur in an edge or in a held-out triple, in the
order of their IRIs; an entity without any edge gets no number. Everything is computed from the
snapshot alone, so training, distillation and evaluation see the same split whenever they run.

Knows the snapshot's arrays; knows no device and no model. NumPy and SciPy only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Floats, Ids
from sightline.graph.errors import UsageError
from sightline.models.data.queries import KnownAnswers
from sightline.models.data.split import random_split
from sightline.models.errors import CannotTrain

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot


ROLES = ("valid", "test", "valid_negatives", "test_negatives")
#: The split is part of the data, not of a run: runs with several seeds must be comparable.
SPLIT_SEED = 0
#: Triples that are ranked for a choice; more cost time and change little.
SELECT_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Weighting:
    """How much training facts count, beside being there.

    Attributes:
        qualifier: IRI of what statements say of themselves in numbers; a fact counts by its share
            of the largest, one that says nothing counts whole. None: all alike.
        extracted: whether facts of texts are learnt from, too; each counts by its confidence.
    """

    qualifier: str | None = None
    extracted: bool = False


#: As if nothing was said of any fact, and no text was read.
ALIKE = Weighting()


@dataclass(frozen=True)
class LearningData:
    """Triples in the model's numbers, int32 ``(n, 3)`` each.

    Attributes:
        entity_iris, relation_iris: the IRI of each entity and relation.
        train: what the model learns from.
        select, calibrate: the two halves of valid: for stopping and choices; for calibration only.
        test: read once, by the evaluation.
        valid_negatives, test_negatives: triples stated to be false, where the sources hold some.
        split: "given" or "random", where valid came from.
        weight: float32, how much each fact of ``train`` counts, 0 to 1; None where all count alike.
    """

    entity_iris: list[str]
    relation_iris: list[str]
    train: Ids
    select: Ids
    calibrate: Ids
    test: Ids
    valid_negatives: Ids
    test_negatives: Ids
    split: str
    weight: Floats | None = None

    @property
    def num_entities(self) -> int:
        return len(self.entity_iris)

    @property
    def num_relations(self) -> int:
        return len(self.relation_iris)

    @property
    def select_sample(self) -> Ids:
        """At most ``SELECT_LIMIT`` triples of ``select``, to be ranked again and again."""
        return spread(self.select, SELECT_LIMIT)

    @property
    def valid(self) -> Ids:
        """Both halves of the validation triples."""
        return np.concatenate([self.select, self.calibrate])

    @cached_property
    def questions(self) -> KnownAnswers:
        """The training questions with their answers."""
        return self.answers(self.train)

    @cached_property
    def known(self) -> KnownAnswers:
        """Every true answer that is known, of train, valid and test: the ranking filter. So a test
        fact is neither right nor wrong in a ranking of ``select``, as everywhere in the field."""
        return self.answers(self.train, self.valid, self.test)

    def answers(self, *triples: Ids) -> KnownAnswers:
        """The questions of some triples with their answers."""
        facts = np.concatenate(triples)
        return KnownAnswers.of_triples(facts, self.num_entities, self.num_relations)


def spread(facts: Ids, most: int | None) -> Ids:
    """At most so many facts, evenly from first to last and the same each time; None: all."""
    return facts if most is None else facts[:: max(1, -(-len(facts) // most))]


def learning_data(snapshot: Snapshot, weighting: Weighting = ALIKE) -> LearningData:
    """Number and split what a snapshot states.

    Raises:
        CannotTrain: the graph has no edge, or no two entities to tell apart.
        UsageError: no fact says what it should be weighed by, or none a number that can weigh; or
            there are no facts of texts.
    """
    # What was inferred follows from other facts: held out it would be trivial, and in training it
    # would give away facts that are held out.
    stated = ~np.asarray(snapshot.edge_inferred)
    edges = np.asarray(snapshot.triples(), np.int32)[stated]
    if not len(edges):
        raise CannotTrain(
            "it has no edge between two entities; ingest a source with links, "
            "or map a column to links"
        )
    held = {role: np.unique(np.asarray(snapshot.held_out(role)), axis=0) for role in ROLES}
    read, confidence = _extracted(snapshot, weighting, held)
    used = np.concatenate([edges, read, *held.values()])
    entities, relations = np.unique(used[:, [0, 2]]), np.unique(used[:, 1])
    if len(entities) < 2:
        raise CannotTrain("it has a single entity; at least two must be linked")
    edges, read, *given = (
        _renumbered(t, entities, relations) for t in (edges, read, *held.values())
    )
    valid, test, valid_negatives, test_negatives = given
    split = "given" if len(valid) else "random"
    # Facts of texts are never held out: what is measured is what the sources state.
    kept = np.arange(len(edges))
    if not len(valid):
        parts = random_split(
            edges, len(entities), len(relations), seed=SPLIT_SEED, with_test=not len(test)
        )
        kept, valid = parts.kept, parts.valid
        test = test if len(test) else parts.test
    weight = None
    if weighting != ALIKE:
        said = _weights(snapshot, weighting.qualifier)[stated][kept]
        weight = np.concatenate([said, confidence]).astype(np.float32)
    entity_iris = snapshot.entity_iris.take(entities)
    chosen = in_select(valid, entity_iris)
    return LearningData(
        entity_iris=entity_iris,
        relation_iris=snapshot.relation_iris.take(relations),
        train=np.concatenate([edges[kept], read]),
        select=valid[chosen],
        calibrate=valid[~chosen],
        test=test,
        valid_negatives=valid_negatives,
        test_negatives=test_negatives,
        split=split,
        weight=weight,
    )


def _extracted(
    snapshot: Snapshot, weighting: Weighting, held: Mapping[str, Ids]
) -> tuple[Ids, Doubles]:
    """The facts of texts that are learnt from, int32 ``(X, 3)``, and their confidences: none of
    those that are held out."""
    if not weighting.extracted:
        return np.zeros((0, 3), np.int32), np.zeros(0)
    if not snapshot.num_extracted:
        raise UsageError(
            "no fact of texts is there to learn from; load texts, then `sightline extract` and "
            "`sightline compile`"
        )
    names = "head", "relation", "tail"
    facts = np.stack([getattr(snapshot, f"extracted_{name}") for name in names], axis=1)
    every = np.concatenate([facts, *held.values()])
    which = np.unique(every, axis=0, return_inverse=True)[1].reshape(-1)
    kept = ~np.isin(which[: len(facts)], which[len(facts) :])
    return facts[kept].astype(np.int32), snapshot.extracted_confidence[kept]


def _weights(snapshot: Snapshot, qualifier: str | None) -> Doubles:
    """How much each edge counts, ``(M,)``."""
    if qualifier is None:
        return np.ones(snapshot.num_edges)
    prop = snapshot.resolve_qualifier(qualifier)
    said = snapshot.numbers_of(prop)
    name = snapshot.property_labels[prop]
    if np.isnan(said).all():
        raise UsageError(f"no fact says {name!r} as a number, so it cannot weigh any")
    low, high = float(np.nanmin(said)), float(np.nanmax(said))
    if low < 0 or high == 0:
        raise UsageError(
            f"{name!r} goes from {low:g} to {high:g}; what weighs facts is 0 or more, and not 0 "
            "for all"
        )
    # A fact that says nothing of itself is no doubtful one.
    return np.where(np.isnan(said), 1.0, said / high)


def _renumbered(triples: Ids, entities: Ids, relations: Ids) -> Ids:
    names = entities, relations, entities
    columns = [np.searchsorted(*each) for each in zip(names, triples.T)]
    return np.stack(columns, axis=1).astype(np.int32)


def in_select(valid: Ids, entity_iris: list[str]) -> npt.NDArray[np.bool_]:
    """Which validation triples choose; the others calibrate: bool ``(n,)``, about half.

    By a hash of the unordered pair, so that a triple and its inverse are in the same half.
    """

    def bit(head: int, tail: int) -> bool:
        pair = "\n".join(sorted((entity_iris[head], entity_iris[tail])))
        return hashlib.blake2b(pair.encode(), digest_size=1).digest()[0] % 2 == 0

    return np.array([bit(int(h), int(t)) for h, _, t in valid], dtype=np.bool_)
