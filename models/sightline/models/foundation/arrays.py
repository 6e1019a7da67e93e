"""The foundation member in NumPy and compiled loops, for answers: no torch, no training.

The same numbers as ``network`` up to rounding. A directed relation's weights are computed when it
is first asked for, and kept. Knows arrays; knows no label, no id of a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sightline.graph.arrays import Floats, Ids
from sightline.models.foundation import kernels
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.kernels import grow
from sightline.models.members.path.rows import WIDTH, MaskedQuery

#: Rows of a question at most, the nearest: what a question costs in a graph of millions.
MOST_ROWS = 50_000
#: Numbers that are kept of the weights of relations asked for: 64 MB.
KEPT = 16_000_000
#: What PyTorch adds to a variance.
EPSILON = 1e-5

Weights = Mapping[str, Floats]


class Asked(NamedTuple):
    """What a question's directed relation decides.

    Attributes:
        factors: float32 ``(steps, 2R, WIDTH)``: what messages are multiplied with.
        question: float32 ``(WIDTH,)``: what starts at the head.
        base: float32 ``(2 WIDTH,)``: its part of what is read.
        prior: float32 ``(N,)``: what is added to an entity's score whoever asks.
    """

    factors: Floats
    question: Floats
    base: Floats
    prior: Floats


class FoundationArrays:
    """Pre-trained weights beside one graph.

    Args:
        weights: by the names of ``Foundation.state_dict``.
    """

    def __init__(self, weights: Weights, graph: RelationGraph) -> None:
        self.graph = graph
        self._weights = weights
        numbers = 5 * 2 * graph.num_relations * WIDTH + graph.num_entities
        self._asked = lru_cache(max(4, KEPT // numbers))(self._of)
        self._steps = [
            kernels.StepWeights(
                *(
                    np.ascontiguousarray(weights[f"steps.{i}.{name}"].T)
                    for name in ("change.weight", "change.bias", "norm.weight", "norm.bias")
                )
            )
            for i in range(_count(weights, "steps"))
        ]

    def scores(self, head: int, rels: Ids) -> Floats:
        """Scores of all entities for questions of one head, higher is more plausible: float32
        ``(len(rels), N)``. The same bits whatever is asked beside."""
        n, graph = self.graph.num_entities, self.graph
        place = np.full((1, n), -1, np.int32)
        entity = np.zeros((1, min(MOST_ROWS, n)), np.int32)
        count = np.zeros((1, len(self._steps) + 1), np.int64)
        grow(graph.edges, MaskedQuery.of(np.array([head], np.int32)), place, entity, count)
        found = np.empty((len(rels), n), np.float32)
        w = self._weights
        of_row = np.ascontiguousarray(w["read.weight"][:, :WIDTH].T)
        to_score = w["score.weight"][0], w["score.bias"][0]
        for rel, scores in zip(rels.tolist(), found):
            asked = self._asked(rel)
            x = asked.question[None]
            for i, step in enumerate(self._steps):
                x = kernels.take_step(
                    graph.edges, place[0], entity[0], count[0, i + 1], x,
                    asked.factors[i], asked.question, step, graph.log_degree,
                )  # fmt: skip
            scores[:] = np.maximum(asked.base, 0) @ to_score[0] + to_score[1]
            kernels.read(x, entity[0], of_row, asked.base, *to_score, scores)
            scores += asked.prior
        return found

    def _of(self, rel: int) -> Asked:
        w = self._weights
        vectors = self.vectors(rel)
        own = vectors[rel]
        factors = [
            _linear(w, f"steps.{i}.weight.2", _relu(_linear(w, f"steps.{i}.weight.0", vectors)))
            for i in range(len(self._steps))
        ]
        question = _linear(w, "question", own)
        base = w["read.weight"][:, WIDTH:] @ question + w["read.bias"]
        prior = self.graph.of_answers(rel) @ _linear(w, "prior", own)
        return Asked(np.stack(factors), question, base, prior)

    def vectors(self, rel: int) -> Floats:
        """Every directed relation as the question's one sees it: float32 ``(2R, WIDTH)``."""
        w, graph, name = self._weights, self.graph, "relations"
        z = _relu(_linear(w, f"{name}.first.0", graph.of_rel))
        z = _linear(w, f"{name}.first.2", z)
        for i in range(_count(w, f"{name}.plain")):
            z = self._round(f"{name}.plain.{i}", z)
        pairs = graph.of_pairs(np.array([rel]))[0]
        h = _linear(w, f"{name}.of_pair", pairs) + z @ w[f"{name}.of_rel.weight"].T
        h = _linear(w, f"{name}.join", _relu(h + w[f"{name}.of_asked.weight"] @ z[rel]))
        for i in range(_count(w, f"{name}.told")):
            h = self._round(f"{name}.told.{i}", h)
        return _norm(w, f"{name}.out", h)

    def _round(self, name: str, h: Floats) -> Floats:
        w, turned = self._weights, self.graph.turned
        heard = self.graph.heard(np.concatenate([h, h[turned]], axis=1)) @ w[f"{name}.met.weight"].T
        change = _linear(w, f"{name}.own", h) + heard[:, :WIDTH] + heard[turned, WIDTH:]
        return h + _relu(_norm(w, f"{name}.norm", change))


def _count(weights: Weights, name: str) -> int:
    """How many modules a list holds."""
    return len({key.split(".")[name.count(".") + 1] for key in weights if key.startswith(name)})


def _linear(w: Weights, name: str, x: Any) -> Floats:
    found: Floats = x @ w[f"{name}.weight"].T + w[f"{name}.bias"]
    return found


def _relu(x: Floats) -> Floats:
    return np.maximum(x, np.float32(0))


def _norm(w: Weights, name: str, x: Floats) -> Floats:
    x = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    found: Floats = x / spread * w[f"{name}.weight"] + w[f"{name}.bias"]
    return found
