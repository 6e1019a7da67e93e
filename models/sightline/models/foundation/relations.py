"""What a graph says about its relations: all that the foundation member reads of them.

Two directed relations are near where they leave from the same entities. With a relation's two
directions that gives four ways in which relations meet: head to head, head to tail, tail to head,
tail to tail. Everything is a share, so that it means the same in every graph (ULTRA, Galkin et al.
2024, arXiv:2310.04562, has which of them meet, as yes or no).

Knows triples in numbers; knows no name, no network and no torch. Memory follows the facts, not the
square of the relations.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.graph.arrays import Floats, Ids
from sightline.models.data.queries import with_reciprocals
from sightline.models.members.path.rows import Edges

#: Numbers about a directed relation, about a pair of them, and about an entity as an answer.
OF_REL, OF_PAIR, OF_ANSWER = 9, 17, 4
#: Above so many directed relations, and pairs that meet, no table of pairs is kept: what it is
#: multiplied with goes through the entities where they meet.
FEW, MOST_PAIRS = 1000, 1_000_000
#: What a sparse matrix is stored as.
SPARSE = ("indptr", "indices", "data")


@dataclass(frozen=True)
class Meeting:
    """How many of something each two directed relations have in common.

    Attributes:
        matrix: sparse: the counts ``(2R, 2R)`` where ``whole``; else what each has ``(2R, n)``, and
            sums go through that.
    """

    matrix: Any
    whole: bool

    @classmethod
    def of(cls, has: Any) -> Meeting:
        """Count what directed relations ``(2R, n)`` have in common, if that is no large table."""
        owners = np.bincount(has.indices, minlength=has.shape[1]).astype(np.float64)
        if has.shape[0] <= FEW or float((owners * owners).sum()) <= MOST_PAIRS:
            return cls((has @ has.T).tocsr(), True)
        return cls(has, False)

    def counts(self, rels: Any) -> Floats:
        """Those of some directed relations beside every one: float32 ``(Q, 2R)``."""
        own = self.matrix[rels]
        found: Floats = (own if self.whole else own @ self.matrix.T).toarray()
        return found

    def times(self, y: Floats) -> Floats:
        """The counts times ``y``: float32 ``(2R, k)``."""
        found: Floats = self.matrix @ (y if self.whole else self.matrix.T @ y)
        return found


@dataclass(frozen=True)
class RelationGraph:
    """A graph's edges, and how its directed relations meet.

    Attributes:
        num_entities, num_relations: N and R; directed relations are below 2 R.
        edges: NumPy arrays, both directions, grouped by target.
        leaves: float32 ``(2R, N)``, sparse: the facts of each directed relation at each entity
            that it leaves from.
        meets, joins: how many entities two of them leave from, and how many ordered pairs of
            entities they join.
        of_rel: float32 ``(2R, OF_REL)``: how many answers an entity has in both directions, how
            symmetric it is, its share of facts and entities, and how many relations there are.
        inverse: float32 ``(2R,)``: one by how often it meets any.
        log_degree: mean of log(edges + 1) over the entities.
    """

    num_entities: int
    num_relations: int
    edges: Edges
    leaves: Any
    meets: Meeting
    joins: Meeting
    of_rel: Floats
    inverse: Floats
    log_degree: float

    @classmethod
    def of(cls, triples: Ids, num_entities: int, num_relations: int) -> RelationGraph:
        """Read int32 ``(M, 3)`` unique triples, O(M log M)."""
        from scipy.sparse import csr_array

        rels, n = 2 * num_relations, num_entities
        source, rel, target = with_reciprocals(triples, num_relations).T
        order = np.lexsort((rel, source, target))
        degree = np.bincount(target, minlength=n)
        indptr = np.append(0, np.cumsum(degree)).astype(np.int64)
        edges = Edges(indptr, source[order].astype(np.int32), rel[order].astype(np.int32))
        one = np.ones(len(source), np.float32)
        leaves = csr_array((one, (rel, source)), shape=(rels, n))
        leaves.sum_duplicates()
        has = leaves.copy()
        has.data[:] = 1
        pair = np.unique(source.astype(np.int64) * n + target, return_inverse=True)[1]
        joins = csr_array((one, (rel, pair.ravel())), shape=(rels, int(pair.max(initial=-1)) + 1))
        total = has @ np.bincount(has.indices, minlength=n).astype(np.float32)
        size, count = (np.asarray(each.sum(axis=1), np.float32) for each in (has, leaves))
        turned = _turned(rels)
        both = np.asarray((joins * joins[turned]).sum(axis=1), np.float32)
        some, facts = np.maximum(size, 1), np.maximum(count, 1)
        of_rel = np.stack(
            [
                size / facts,
                size[turned] / facts,
                np.log(facts / some),
                np.log(facts / some[turned]),
                both / facts,
                np.sqrt(count / (count.sum() + 1)),
                size / n,
                size[turned] / n,
                np.full(rels, rels**-0.5),
            ],
            axis=1,
        ).astype(np.float32)
        inverse = (1 / np.maximum(total, 1)).astype(np.float32)
        log_degree = max(float(np.log1p(degree).mean()), 1e-6)
        meets, joined = Meeting.of(has), Meeting.of(joins)
        return cls(n, num_relations, edges, leaves, meets, joined, of_rel, inverse, log_degree)

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` file per array, and ``graph.json``."""
        for name, array in self._edges.items():
            np.save(folder / f"{name}.npy", array)
        for name, matrix in self._matrices.items():
            for part in SPARSE:
                np.save(folder / f"{name}_{part}.npy", getattr(matrix, part))
        said = {
            "num_entities": self.num_entities,
            "num_relations": self.num_relations,
            "log_degree": self.log_degree,
            "shapes": {name: matrix.shape for name, matrix in self._matrices.items()},
            "whole": [self.meets.whole, self.joins.whole],
        }
        (folder / "graph.json").write_text(json.dumps(said), encoding="utf-8")

    @property
    def _edges(self) -> dict[str, Any]:
        return {**self.edges._asdict(), "of_rel": self.of_rel, "inverse": self.inverse}

    @property
    def _matrices(self) -> dict[str, Any]:
        return {"leaves": self.leaves, "meets": self.meets.matrix, "joins": self.joins.matrix}

    @classmethod
    def open(cls, folder: Path) -> RelationGraph:
        """Map what ``save`` wrote. Cost does not grow with the graph."""
        from scipy.sparse import csr_array  # half a second of who serves a student

        said = json.loads((folder / "graph.json").read_bytes())

        def array(name: str) -> Any:
            # Writable to the eye of a compiled kernel, which else is compiled once more; a plain
            # array, as every slice of a memmap costs microseconds.
            return np.load(folder / f"{name}.npy", mmap_mode="c").view(np.ndarray)

        def matrix(name: str) -> Any:
            indptr, indices, data = (array(f"{name}_{part}") for part in SPARSE)
            return csr_array((data, indices, indptr), shape=said["shapes"][name])

        meets, joins = (Meeting(matrix(n), w) for n, w in zip(("meets", "joins"), said["whole"]))
        return cls(
            said["num_entities"],
            said["num_relations"],
            Edges(*(array(name) for name in Edges._fields)),
            matrix("leaves"),
            meets,
            joins,
            array("of_rel"),
            array("inverse"),
            said["log_degree"],
        )

    @property
    def turned(self) -> Any:
        """The reciprocal of each directed relation: int64 ``(2R,)``."""
        return _turned(2 * self.num_relations)

    def of_pairs(self, rels: Any) -> Floats:
        """What is said of some directed relations beside every one: float32 ``(Q, 2R, OF_PAIR)``.

        For each of the four ways to meet, and for joining the same pairs: the share of the first
        one's that the second has, the reverse, and whether there is any; then whether both are the
        same, or each other's reciprocal.
        """
        turned, size = self.turned, np.maximum(np.diff(self.leaves.indptr), 1)
        at = np.arange(len(rels))
        found = np.zeros((len(rels), len(turned), OF_PAIR), np.float32)
        for i, own in enumerate((rels, turned[rels])):
            met = self.meets.counts(own)
            for j, (count, of) in enumerate(((met, size), (met[:, turned], size[turned]))):
                _shares(found[:, :, 3 * (2 * i + j) :], count, size[own], of)
        met = self.joins.counts(rels)
        met[at, rels] = 0
        facts = np.maximum(np.asarray(self.leaves.sum(axis=1), np.float32), 1)
        _shares(found[:, :, 12:], met, facts[rels], facts)
        found[at, rels, 15] = 1
        found[at, turned[rels], 16] = 1
        return found

    def heard(self, y: Floats) -> Floats:
        """The mean of ``y`` over the directed relations that each one meets, weighted by how many
        entities both leave from: float32 ``(2R, k)`` to the same."""
        return self.inverse[:, None] * self.meets.times(y)

    def heard_turned(self, y: Floats) -> Floats:
        """``heard`` transposed: what a gradient goes through."""
        return self.meets.times(self.inverse[:, None] * y)

    def of_answers(self, rel: int) -> Floats:
        """What is said of every entity as an answer to a directed relation, whoever asks: how often
        it is one, and its degree: float32 ``(N, OF_ANSWER)``."""
        found = np.zeros((self.num_entities, OF_ANSWER), np.float32)
        back = self.turned[rel]
        start, end = self.leaves.indptr[back : back + 2]
        at, count = self.leaves.indices[start:end], self.leaves.data[start:end]
        found[at, 0] = 1
        found[at, 1] = np.log1p(count) / 3
        found[at, 2] = np.sqrt(count / max(float(count.sum()), 1.0))
        found[:, 3] = np.log1p(np.diff(self.edges.indptr)) / (3 * self.log_degree)
        return found


def _turned(rels: int) -> Any:
    return np.roll(np.arange(rels), rels // 2)


def _shares(out: Floats, count: Floats, of_first: Floats, of_second: Floats) -> None:
    out[:, :, 0] = count / of_first[:, None]
    out[:, :, 1] = count / of_second[None, :]
    out[:, :, 2] = count > 0
