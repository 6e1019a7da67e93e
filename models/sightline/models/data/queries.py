"""Triples as questions: (head, directed relation, ?) with all the answers that are known.

A directed relation below R is a relation read from head to tail; directed relation r + R is
relation r read from tail to head, so predicting heads is predicting tails of the reciprocal
directed relation. Knows ids only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Ids, Offsets, expand_csr


def with_reciprocals(triples: Ids, num_relations: int) -> Ids:
    """Append (tail, relation + R, head) of every triple: int32 ``(n, 3)`` to ``(2 n, 3)``."""
    head, relation, tail = triples.T
    turned = np.stack([tail, relation + num_relations, head], axis=1)
    return np.concatenate([triples, turned]).astype(np.int32)


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """The unique questions of some triples, both directions, each with its answers.

    Attributes:
        head, rel: int32 ``(Q,)``, sorted by (head, directed relation).
        indptr: int64 ``(Q + 1,)`` into ``answer``.
        answer: int32 ``(A,)``, ascending inside a question.
        num_entities, num_relations: N and R; directed relations are below 2 R.
    """

    head: Ids
    rel: Ids
    indptr: Offsets
    answer: Ids
    num_entities: int
    num_relations: int

    @classmethod
    def of_triples(cls, triples: Ids, num_entities: int, num_relations: int) -> KnownAnswers:
        """Group int32 ``(n, 3)`` triples; a duplicate counts once. O(n log n)."""
        both = np.unique(with_reciprocals(triples, num_relations), axis=0)
        head, rel, answer = np.ascontiguousarray(both.T)
        new = np.ones(len(both), np.bool_)
        new[1:] = (head[1:] != head[:-1]) | (rel[1:] != rel[:-1])
        starts = np.flatnonzero(new)
        indptr = np.append(starts, len(both)).astype(np.int64)
        return cls(head[starts], rel[starts], indptr, answer, num_entities, num_relations)

    def __len__(self) -> int:
        return len(self.head)

    def find(self, heads: Ids, rels: Ids) -> npt.NDArray[np.int64]:
        """Position of each question, or -1 where none is known: int64 ``(B,)``."""
        keys = self._keys(self.head, self.rel)
        wanted = self._keys(heads, rels)
        if not len(keys):
            return np.full(len(wanted), -1, np.int64)
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[found] == wanted, found, -1)

    def of(self, heads: Ids, rels: Ids) -> tuple[Offsets, Ids]:
        """All known answers of ``(B,)`` questions.

        Returns:
            rows int64 ``(A,)``, the question's place in the request, and answers int32 ``(A,)``.
        """
        found = self.find(heads, rels)
        rows, answers = self.at(np.maximum(found, 0))
        valid = found[rows] >= 0
        return rows[valid], answers[valid]

    def others(self, heads: Ids, rels: Ids, answers: Ids) -> tuple[Offsets, Ids]:
        """Known answers, as ``of``, other than the one int32 ``(B,)`` that each is asked for."""
        rows, columns = self.of(heads, rels)
        others = columns != answers[rows]
        return rows[others], columns[others]

    def at(self, positions: npt.NDArray[np.int64]) -> tuple[Offsets, Ids]:
        """Rows and answers, as ``of``, for questions given by position."""
        if not len(self):
            return np.zeros(0, np.int64), np.zeros(0, np.int32)
        rows, entries = expand_csr(self.indptr, positions)
        return rows, self.answer[entries]

    def entries(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Where in ``answer`` the answers of some questions stand, in the order of ``at``."""
        return expand_csr(self.indptr, positions)[1]

    def _keys(self, head: Ids, rel: Ids) -> npt.NDArray[np.int64]:
        return head.astype(np.int64) * (2 * self.num_relations) + rel
