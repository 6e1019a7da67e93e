"""The foundation member in NumPy and compiled loops, for answers: no torch, no training.

The same numbers as ``network`` up to rounding. A directed relation's weights are computed when it
is first asked for, and kept. Knows arrays; knows no label, no id of a snapshot.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sightline.graph.arrays import Floats, Ids
from sightline.models.data.queries import with_reciprocals
from sightline.models.foundation import kernels
from sightline.models.foundation.file import Weights
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.kernels import grow
from sightline.models.members.path.rows import WIDTH, Edges

#: Rows of a question at most, the nearest, and the edges at them: what a question costs in a graph
#: of millions.
MOST_ROWS, MOST_EDGES = 4_000, 400_000
#: Rows that take a step at once.
BLOCK = 1024
#: Numbers that are kept of the weights of relations asked for: 64 MB.
KEPT = 16_000_000
#: What PyTorch adds to a variance.
EPSILON = 1e-5


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
        limit: rows of a question at most; the nearest count.
    """

    def __init__(self, weights: Weights, graph: RelationGraph, limit: int | None = None) -> None:
        self.graph, self.limit = graph, MOST_ROWS if limit is None else limit
        self.weights = weights
        numbers = 5 * 2 * graph.num_relations * WIDTH + graph.num_entities
        self.asked = lru_cache(max(4, KEPT // numbers))(self._of)
        self.steps = [
            [
                np.ascontiguousarray(weights[f"steps.{i}.{name}"].T)
                for name in ("change.weight", "change.bias", "norm.weight", "norm.bias")
            ]
            for i in range(_count(weights, "steps"))
        ]

    def scores(self, heads: Ids, rels: Ids, threads: int = 1) -> Floats:
        """Scores of all entities for questions ``(B,)``, higher is more plausible: float32
        ``(B, N)``. The same bits whatever is asked beside."""
        found = np.empty((len(heads), self.graph.num_entities), np.float32)

        def answer(head: int) -> None:
            # Questions of one head share what it reaches.
            questions = self.questions(head)
            for place in np.flatnonzero(heads == head):
                found[place] = questions.scores(int(rels[place]))

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(answer, np.unique(heads).tolist()))
        return found

    def questions(self, head: int | tuple[Ids, Ids], without: Ids | None = None) -> Questions:
        """Questions of one head, or of an entity that the graph does not hold: its directed
        relations and neighbours, int32 ``(n,)`` each.

        Args:
            without: facts that are not read, int32 ``(n, 3)``; what the graph as a whole says of
                relations and of answers stays as it is.
        """
        edges, n = self.graph.edges, self.graph.num_entities
        if without is not None:
            edges = without_facts(edges, with_reciprocals(without, self.graph.num_relations))
        if isinstance(head, tuple):
            edges, head = with_entity(edges, *head, self.graph.turned), n
        size = len(edges.indptr) - 1
        place = np.full((1, size), -1, np.int32)
        entity = np.zeros((1, min(self.limit, size)), np.int32)
        count = np.zeros((1, len(self.steps) + 1), np.int64)
        grow(edges, np.array([head]), place, entity, count)
        rows = entity[0, : count[0, -1]]
        degree = edges.indptr[rows + 1] - edges.indptr[rows]
        # A hub's own edges do not count, or it would reach nobody.
        near = 1 + int(np.searchsorted(np.cumsum(degree[1:]), MOST_EDGES, side="right"))
        return Questions(self, edges, place[0], rows, np.minimum(count[0], near))

    def _of(self, rel: int) -> Asked:
        w = self.weights
        vectors = self.vectors(rel)
        own = vectors[rel]
        factors = [
            _linear(w, f"steps.{i}.weight.2", _relu(_linear(w, f"steps.{i}.weight.0", vectors)))
            for i in range(len(self.steps))
        ]
        question = _linear(w, "question", own)
        base = w["read.weight"][:, WIDTH:] @ question + w["read.bias"]
        prior = self.graph.of_answers(rel) @ _linear(w, "prior", own)
        return Asked(np.stack(factors), question, base, prior)

    def vectors(self, rel: int) -> Floats:
        """Every directed relation as the question's one sees it: float32 ``(2R, WIDTH)``."""
        w, graph, name = self.weights, self.graph, "relations"
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
        w, turned = self.weights, self.graph.turned
        heard = self.graph.heard(np.concatenate([h, h[turned]], axis=1)) @ w[f"{name}.met.weight"].T
        change = _linear(w, f"{name}.own", h) + heard[:, :WIDTH] + heard[turned, WIDTH:]
        return h + _relu(_norm(w, f"{name}.norm", change))


class Questions(NamedTuple):
    """What all questions of one head share: the rows that it reaches, the nearest first; see
    ``kernels.hear``.

    Attributes:
        place: int32 ``(N,)``; entity: int32 ``(rows,)``.
        count: int64 ``(steps + 1,)``: how many are within so many steps.
    """

    member: FoundationArrays
    edges: Edges
    place: Ids
    entity: Ids
    count: Any

    def scores(self, rel: int) -> Floats:
        """Scores of all entities under a directed relation, float32 ``(N,)``."""
        asked, w = self.member.asked(rel), self.member.weights
        x = asked.question[None]
        for i in range(len(self.member.steps)):
            x = self._step(i, x, asked)
        to_score, bias = w["score.weight"][0], w["score.bias"][0]
        found: Floats = asked.prior + (_relu(asked.base) @ to_score + bias)
        near = self.entity[: len(x)]
        read = _relu(x @ w["read.weight"][:, :WIDTH].T + asked.base) @ to_score + bias
        # A head that the graph does not hold has no score.
        own = near < len(found)
        found[near[own]] = asked.prior[near[own]] + read[own]
        return found

    def _step(self, i: int, x: Floats, asked: Asked) -> Floats:
        """The rows after one step more."""
        weight, bias, scale, shift = self.member.steps[i]
        out = np.empty((int(self.count[i + 1]), WIDTH), np.float32)
        # A block's numbers stay in the cache from the messages to the change.
        for first in range(0, len(out), BLOCK):
            part = out[first : first + BLOCK]
            told = np.empty((len(part), 4 * WIDTH), np.float32)
            kernels.hear(
                self.edges, self.place, self.entity, first, x,
                asked.factors[i], asked.question, self.member.graph.log_degree, told,
            )  # fmt: skip
            kernels.change(told, told @ weight + bias, scale, shift, part)
        return out


def without_facts(edges: Edges, gone: Ids) -> Edges:
    """Edges less some, int32 ``(n, 3)``: source, directed relation, target. Those that are not
    there are passed over."""
    kept = np.ones(len(edges.source), np.bool_)
    for source, rel, target in gone.tolist():
        span = slice(*edges.indptr[target : target + 2].tolist())
        kept[span] &= (edges.source[span] != source) | (edges.rel[span] != rel)
    return Edges(np.append(0, np.cumsum(kept))[edges.indptr], edges.source[kept], edges.rel[kept])


def with_entity(edges: Edges, rels: Ids, neighbours: Ids, turned: Ids) -> Edges:
    """Edges with one entity more, the last, that has facts under some directed relations with some
    neighbours, int32 ``(n,)`` each."""
    order = np.argsort(neighbours, kind="stable")
    rels, neighbours = rels[order], neighbours[order]
    entity = len(edges.indptr) - 1
    at = edges.indptr[neighbours + 1]
    more = np.append(np.cumsum(np.bincount(neighbours, minlength=entity)), 2 * len(rels))
    return Edges(
        np.append(edges.indptr, edges.indptr[-1]) + np.append(0, more),
        np.append(np.insert(edges.source, at, entity), neighbours).astype(np.int32),
        np.append(np.insert(edges.rel, at, rels), turned[rels]).astype(np.int32),
    )


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
