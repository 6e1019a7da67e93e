"""Fit the encoder of new entities on entities that are not new, and measure it on some left out.

Each entity is drawn several times with a random part of its training facts, as if no more were
known about it; ridge regression maps what the encoder reads of them to the entity's own vector. A
network trained end to end for the same answers does no better (docs/experiments.md).

Knows the training facts and a student's arrays; knows no workspace. NumPy only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.context import Context, ContextEncoder, features
from sightline.graph.arrays import Flags, Floats, Ids
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import with_reciprocals
from sightline.models.ranking import RankingMetrics, filtered_ranks

#: One entity in so many is left out of the fit, to measure it on.
LEFT_OUT = 10
#: How often each entity is drawn.
DRAWS = 4
#: Facts of a draw: more say nothing new.
MOST = 64
#: Weight of the penalty on the map, but not on its constant part.
PENALTY = 100.0
#: Entities whose features are held at once.
BLOCK = 4096
#: Directed relations that the fit tells apart; rarer ones share what they say. Otherwise the fit
#: would need memory by the square of their number and time by its cube.
COLUMNS = 1024


def fit_context(arrays: StudentArrays, data: LearningData) -> ContextEncoder:
    """Fit the map on all entities with two facts or more that are not left out."""
    rng = np.random.default_rng(0)
    degree = np.bincount(data.train[:, [0, 2]].ravel(), minlength=data.num_entities)
    shown = np.flatnonzero((degree > 1) & ~left_out(data))
    column = _columns(data)
    width, half = arrays.entity.shape[1], arrays.entity.shape[1] + int(column.max()) + 2
    mean = np.asarray(arrays.entity).mean(axis=0, dtype=np.float64)
    square, product = PENALTY * np.eye(2 * half), np.zeros((2 * half, width))
    for _ in range(DRAWS):
        for entities, context in _draw(data, shown, rng):
            read = features(arrays, context, column).astype(np.float64)
            square += read.T @ read
            product += read.T @ (arrays.entity[entities] - mean)
    weight = np.linalg.solve(square, product).reshape(2, half, width)
    # The constant stands at the end of both halves, whose factors sum to 1.
    weight[:, -1] += mean
    of_rel = weight[:, width:-1][:, column]
    weight = np.concatenate([weight[:, :width], of_rel, weight[:, -1:]], axis=1)
    return ContextEncoder(weight.reshape(-1, width).astype(np.float32))


def _columns(data: LearningData) -> Ids:
    """Each directed relation's place among those that the fit tells apart: int32 ``(2 R,)``."""
    rels = 2 * data.num_relations
    facts = np.tile(np.bincount(data.train[:, 1], minlength=data.num_relations), 2)
    column = np.empty(rels, np.int32)
    column[np.argsort(-facts, kind="stable")] = np.arange(rels)
    return np.minimum(column, COLUMNS - 1) if rels > COLUMNS else np.arange(rels, dtype=np.int32)


def left_out(data: LearningData) -> Flags:
    """bool ``(N,)``: the entities that the fit does not see; the same for the same data."""
    order = np.random.default_rng(1).permutation(data.num_entities)
    absent: Flags = order % LEFT_OUT == 0
    return absent


def measure_new_entities(
    arrays: StudentArrays, encoder: ContextEncoder, data: LearningData
) -> dict[str, Any] | None:
    """Held-out facts asked from entities that were left out, each by half of its training facts.

    Returns:
        How many entities and questions, and the ranking of the answers with the vectors made from
        edges, with those that the student learnt from all training facts, and with the mean vector;
        None where no such question is held out.
    """
    rng = np.random.default_rng(2)
    facts = with_reciprocals(data.train, data.num_relations)
    absent = left_out(data)
    absent &= np.bincount(facts[:, 0], minlength=data.num_entities) > 0
    asked = np.concatenate([data.valid, data.test])
    asked = asked[absent[asked[:, [0, 2]]].any(axis=1)]
    if not len(asked):
        return None
    entities = np.flatnonzero(absent)
    half = np.full(len(entities), 0.5)
    made = np.array(arrays.entity)
    made[entities] = encoder.encode(arrays, _part(facts[absent[facts[:, 0]]], entities, half, rng))
    middle = np.broadcast_to(np.asarray(arrays.entity).mean(axis=0), made.shape)
    tables = {"from_edges": made, "learnt": arrays.entity, "mean_vector": middle}
    anchor = with_reciprocals(asked, data.num_relations)[:, 0]
    found: dict[str, Any] = {"entities": len(np.unique(anchor[absent[anchor]]))}
    for name, table in tables.items():

        def scorer(heads: Ids, rels: Ids, table: Floats = table) -> Floats:
            return arrays.scores_of(table[heads], rels)

        ranks = filtered_ranks(scorer, asked, data.known)
        found[name] = asdict(RankingMetrics.of(ranks[absent[anchor]]))
    return found


def _draw(
    data: LearningData, shown: npt.NDArray[np.intp], rng: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.intp], Context]]:
    """Every entity once, block by block, with a part of its facts: few more often than many."""
    facts = with_reciprocals(data.train, data.num_relations)
    facts = facts[np.argsort(facts[:, 0], kind="stable")]
    for start in range(0, len(shown), BLOCK):
        entities = shown[start : start + BLOCK]
        first, last = np.searchsorted(facts[:, 0], entities[[0, -1]] + [0, 1])
        own = facts[first:last][np.isin(facts[first:last, 0], entities)]
        yield entities, _part(own, entities, rng.random(len(entities)) ** 1.5, rng, masked=True)


def _part(
    facts: Ids,
    entities: npt.NDArray[np.intp],
    share: npt.NDArray[np.float64],
    rng: np.random.Generator,
    *,
    masked: bool = False,
) -> Context:
    """A random share of each entity's facts, at least one and never all of several; where
    ``masked``, some neighbours are made unknown. The heads are in ``entities``, which ascend."""
    owner = np.searchsorted(entities, facts[:, 0])
    order = np.lexsort((rng.random(len(facts)), owner))
    owner, facts = owner[order], facts[order]
    count = np.bincount(owner, minlength=len(entities))
    wanted = np.clip(np.ceil(count * share), 1, np.clip(count - 1, 1, MOST))
    kept = np.arange(len(facts)) - (np.cumsum(count) - count)[owner] < wanted[owner]
    owner, facts = owner[kept], facts[kept]
    neighbour = facts[:, 2].copy()
    if masked:
        unknown = np.clip(rng.uniform(-1.0, 1.5, len(entities)), 0.0, 1.0)
        neighbour[rng.random(len(facts)) < unknown[owner]] = -1
    return Context(owner.astype(np.int64), facts[:, 1], neighbour, len(entities))
