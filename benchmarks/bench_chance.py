"""P-values of metapaths: what they cost, whether they are what they say, what they find.

*Validity*: one of the shuffled copies of a graph is a graph in which the null hypothesis is true.
Metapaths of two steps and ends are drawn by degrees alone, and p <= a should hold for a share a of
them. Beside it a gamma-hurdle null in the manner of Hetionet (Himmelstein et al. 2023,
doi:10.1093/gigascience/giad047): for every pair of degrees the share of shuffled scores that are
zero, and a gamma distribution of the others, fitted by its moments.

*Power*: k paths are planted between pairs where less than one is expected.

*Treatments*: of the Hetionet sample a fifth of those between a compound and a disease that it
treats are hidden (seed 0); how many of them have a metapath with q <= 0.05 among the ten best up to
three edges, beside the same compounds and diseases in other pairs, which hubs join as well. Needs
SIGHTLINE_DATA.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from bench_surprising import SEED, hide
from measure import Result, cpu_milliseconds, cpu_seconds
from scipy.stats import gamma
from synthetic import scale_free, workspace_of

from sightline.graph.paths.chance import chance
from sightline.graph.paths.find import find_paths, warm
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.pairs import DAMPING
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.copies import Copies
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from sightline.insights.ask import Sightline
from sightline.insights.kinds.paths import KIND, PathsQuestion

LEVELS = (0.001, 0.01, 0.05, 0.1)
#: Entities, relations and edges of the graph for validity and power.
SMALL = (600, 4, 9_000)
TREATS = "CtD"
#: Pairs of relations, and questions of each.
SHAPES, EACH = 16, 750
PLANTED, PAIRS = (1, 2, 3, 5), 60


class Shape(NamedTuple):
    """A metapath of two steps and the ends asked about, as ids."""

    rels: tuple[int, int]
    source: np.ndarray
    target: np.ndarray


def run(folder: Path, scale: float) -> list[Result]:
    """Preparation, time, validity beside a gamma hurdle, power."""
    entities, relations, edges = (int(SMALL[0] * scale), SMALL[1], int(SMALL[2] * scale))
    first = workspace_of(folder / "one", scale_free(entities, relations, edges), copies=True)
    null = workspace_of(folder / "null", _copy_of(first, 3), copies=True)
    return [
        *_cost(folder / "cost", int(1_000_000 * scale)),
        *_validity(null),
        *_power(folder / "planted", null),
        *_treatments(folder / "hetionet-sample", scale),
    ]


def _cost(folder: Path, edges: int) -> list[Result]:
    """Of the preparation, and of the ten best metapaths between the ends of random edges."""
    triples = scale_free(edges // 6, 40, edges)
    without = cpu_seconds(lambda: workspace_of(folder / "without", triples))
    made = []
    whole = cpu_seconds(lambda: made.append(workspace_of(folder / "with", triples, copies=True)))
    s = made[0]
    named = Copies.__annotations__
    size = sum(np.asarray(getattr(s, name)).nbytes for name in named) / 2**20
    warm(s)
    edge = np.random.default_rng(0).choice(s.num_edges, 500, replace=False)
    found = [
        (pair, find_paths(s, *pair, max_hops=3, k=10).metapaths)
        for pair in zip(s.head[edge].tolist(), s.tail[edge].tolist())
        if pair[0] != pair[1]
    ]
    times = cpu_milliseconds(lambda q: [chance(s, *q[0], m.rels) for m in q[1]], found)
    about = {"edges": s.num_edges, "entities": s.num_entities, "copies": len(s.copy_run) - 1}
    return [
        Result("shuffled copies", whole - without, "s", "<= 30", None, None, about),
        Result("what they take", size, "MB", "<= 130", None, None, about),
        *(
            Result(f"p of the ten best, {name}", value, "ms", wanted, None, None, about)
            for name, q, wanted in (("median", 0.5, "<= 2 ms"), ("p99", 0.99, "<= 20 ms"))
            for value in (float(np.quantile(times, q)),)
        ),
    ]


def _validity(null: Snapshot) -> list[Result]:
    hurdle = _Hurdle(null)
    own, peer = [], []
    for shape in _shapes(null):
        theirs = hurdle.p_values(shape)
        for source, target, p in zip(shape.source.tolist(), shape.target.tolist(), theirs):
            if source == target:
                continue
            said = chance(null, source, target, shape.rels)
            own.append(said.p_value if said.score > 0 else 1.0)
            peer.append(p)
    about = {"questions": len(own), "edges": null.num_edges}
    return [
        Result(
            f"share of p <= {a} where chance made the graph",
            float(np.mean(np.array(own) <= a)),
            "",
            f"<= {a}",
            "gamma hurdle on the same copies",
            float(np.mean(np.array(peer) <= a)),
            about,
        )
        for a in LEVELS
    ]


def _power(folder: Path, null: Snapshot) -> list[Result]:
    rng = np.random.default_rng(7)
    span = len(null.one_rel)
    back = null.one_rel[(np.arange(span) + span // 2) % span]
    edges, planted = [], []
    for shape, count in itertools.product(_shapes(null), PLANTED):
        a, b = shape.rels
        has = [null.run_entity[null.run_rel == rel] for rel in (back[a], b)]
        middle = np.intersect1d(*has)
        pairs = list(dict.fromkeys(zip(shape.source.tolist(), shape.target.tolist())))
        taken = 0
        for source, target in pairs[count :: len(PLANTED)]:
            between = np.setdiff1d(middle, [source, target])
            if source == target or len(between) < 5 * count or taken == PAIRS // SHAPES:
                continue
            if not 0.02 <= _expected(null, shape.rels, source, target) <= 1:
                continue
            taken += 1
            for x in rng.choice(between, count, replace=False).tolist():
                edges += [_edge(source, a, x, span // 2), _edge(x, b, target, span // 2)]
            planted.append((count, shape.rels, source, target))
    kept = np.stack([null.head, null.relation, null.tail], axis=1)
    graph = workspace_of(folder, np.unique(np.concatenate([kept, edges]), axis=0), copies=True)
    found: dict[int, list[float]] = {count: [] for count in PLANTED}
    for count, rels, source, target in planted:
        found[count].append(chance(graph, source, target, rels).p_value)
    return [
        Result(
            f"planted paths, {count}: share of p <= 0.05",
            float(np.mean(np.array(p) <= 0.05)),
            "",
            "",
            None,
            None,
            {"pairs": len(p), "p <= 0.01": float(np.mean(np.array(p) <= 0.01))},
        )
        for count, p in found.items()
    ]


def _edge(source: int, rel: int, target: int, relations: int) -> tuple[int, int, int]:
    return (source, rel, target) if rel < relations else (target, rel - relations, source)


def _expected(s: Snapshot, rels: tuple[int, int], source: int, target: int) -> float:
    """Paths between two entities if every relation chose its ends by their degrees."""
    span = len(s.one_rel)
    back = int(s.one_rel[(rels[0] + span // 2) % span])
    ends = (rels[0], source), (int(s.one_rel[(rels[1] + span // 2) % span]), target)
    sizes = [_degrees(s, rel)[entity] for rel, entity in ends]
    into, onward = _degrees(s, back), _degrees(s, rels[1])
    both = float((into * onward).sum())
    return sizes[0] * sizes[1] * both / max(1, into.sum()) / max(1, onward.sum())


def _copy_of(s: Snapshot, copy: int) -> np.ndarray:
    """A shuffled copy as triples."""
    size = np.diff(s.run_start)
    head, rel = np.repeat(s.run_entity, size), np.repeat(s.run_rel, size)
    triples = np.stack([head, rel, s.run_entity[s.copy_run[copy]]], axis=1)
    return np.unique(triples[rel < len(s.one_rel) // 2], axis=0)


def _shapes(s: Snapshot) -> Iterator[Shape]:
    """Metapaths of two steps, with ends drawn in proportion to nothing but having the relation."""
    rng, span = np.random.default_rng(1), len(s.one_rel)
    for rels in rng.integers(span, size=(SHAPES, 2)).tolist():
        last = int(s.one_rel[(rels[1] + span // 2) % span])
        ends = (rng.choice(s.run_entity[s.run_rel == rel], EACH) for rel in (rels[0], last))
        yield Shape((rels[0], rels[1]), *ends)


def _degrees(s: Snapshot, rel: int) -> np.ndarray:
    runs = np.flatnonzero(s.run_rel == rel)
    out = np.zeros(s.num_entities, np.int64)
    out[s.run_entity[runs]] = np.diff(s.run_start)[runs]
    return out


class _Hurdle:
    """P-values from scores of all pairs in all copies, by the degrees of both ends."""

    def __init__(self, s: Snapshot) -> None:
        self._s = s
        size = np.diff(s.run_start)
        self._entity, self._rel = np.repeat(s.run_entity, size), np.repeat(s.run_rel, size)

    def _matrix(self, copy: int, rel: int) -> sp.csr_array:
        s = self._s
        here = self._rel == rel
        ends = self._entity[here], s.run_entity[s.copy_run[copy][here]]
        span = len(s.one_rel)
        back = int(s.one_rel[(rel + span // 2) % span])
        weight = (_degrees(s, rel)[ends[0]] * _degrees(s, back)[ends[1]]) ** -DAMPING
        weight[ends[0] == ends[1]] = 0
        return sp.csr_array((weight, ends), (s.num_entities, s.num_entities))

    def p_values(self, shape: Shape) -> list[float]:
        """Of the questions of a shape."""
        s, (a, b) = self._s, shape.rels
        last = int(s.one_rel[(b + len(s.one_rel) // 2) % len(s.one_rel)])
        codes = _degrees(s, a)[:, None] * np.int64(1 << 32), _degrees(s, last)
        cells = [codes[0][shape.source, 0] + codes[1][shape.target]]
        count: dict[int, np.ndarray] = {}
        for copy in range(1, len(s.copy_run)):
            scores = (self._matrix(copy, a) @ self._matrix(copy, b)).tocoo()
            apart = (scores.row != scores.col) & (scores.data > 0)
            cell = codes[0][scores.row[apart], 0] + codes[1][scores.col[apart]]
            key, where = np.unique(cell, return_inverse=True)
            value = scores.data[apart]
            sums = [np.bincount(where, w) for w in (None, value, value**2)]
            for k, *row in zip(key.tolist(), *sums):
                count[k] = count.get(k, np.zeros(3)) + row
        have = [np.unique(d[d > 0], return_counts=True) for d in (codes[0][:, 0], codes[1])]
        many = [dict(zip(*(x.tolist() for x in pair))) for pair in have]
        observed = self._matrix(0, a) @ self._matrix(0, b)
        out = []
        for source, target, cell in zip(shape.source, shape.target, cells[0].tolist()):
            score = float(observed[int(source), int(target)])
            n, total, squares = count.get(cell, np.zeros(3))
            pairs = many[0][cell >> 32 << 32] * many[1][cell & (1 << 32) - 1]
            if score <= 0 or n == 0:
                out.append(1.0 if score <= 0 else 0.0)
                continue
            mean, spread = total / n, squares / n - (total / n) ** 2
            share = n / (pairs * (len(s.copy_run) - 1))
            if spread <= 1e-12 * mean**2:
                tail = float(score <= mean * (1 + 1e-9))
            else:
                tail = float(gamma.sf(score * (1 - 1e-9), mean**2 / spread, scale=spread / mean))
            out.append(share * tail)
        return out


def _treatments(folder: Path, scale: float) -> list[Result]:
    data = os.environ.get("SIGHTLINE_DATA")
    if not data or scale < 1:
        print("chance: without treatments; SIGHTLINE_DATA names data sets, and scale is 1")
        return []
    ws = Workspace.create(folder)
    ingest(ws, [Path(data) / folder.name])
    hidden = sorted((head, tail) for head, _, tail in hide(ws, TREATS, 0.2))
    sight = Sightline(compile_snapshot(ws, rdf=False, copies=True), None)
    s = sight.snapshot
    stated = s.triples()[s.relation == s.resolve_relation(TREATS)]
    known = {(s.entity_iris[h], s.entity_iris[t]) for h, _, t in stated.tolist()} | {*hidden}
    tails = np.random.default_rng(SEED).permutation([tail for _, tail in hidden]).tolist()
    others = sorted({(head, tail) for (head, _), tail in zip(hidden, tails)} - known)

    def significant(pairs: list[tuple[str, str]]) -> float:
        asked = [PathsQuestion((h,), (t,), max_hops=3, deadline_ms=60_000) for h, t in pairs]
        found = [KIND.answer(sight, one).metapaths for one in asked]
        return float(np.mean([any((m.q_value or 1) <= 0.05 for m in some) for some in found]))

    about = {"seed": SEED, "hidden": len(hidden), "others": len(others)}
    what = "hidden treatments with a metapath of q <= 0.05"
    peer = "the same ends in other pairs"
    own, beside = significant(hidden), significant(others)
    return [Result(what, own, "", "more than the peer", peer, beside, about)]
