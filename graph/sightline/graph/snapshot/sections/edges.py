"""Edges, sorted both ways, and the statements that each rests on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets, expand_csr
from sightline.graph.record.places import table_of
from sightline.graph.snapshot.pairs import (
    changes,
    find_twins,
    found_symmetric,
    one_number,
    path_weights,
)
from sightline.graph.snapshot.sections.section import File, Section, indptr, require_lengths
from sightline.graph.snapshot.statement import Origin

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


class Edges(Section):
    """The graph itself.

    Attributes:
        head, relation, tail: ``(M,)``, unique, sorted by (head, relation, tail); an edge's id is
            its position.
        out_indptr: ``(N + 1,)``: the edges with head ``e`` are
            ``out_indptr[e]:out_indptr[e + 1]``.
        in_head, in_relation, in_edge: ``(M,)`` sorted by (tail, relation, head).
        in_indptr: ``(N + 1,)`` into the three arrays above.
        path_weight: ``(M,)``: (degree of the head x degree of the tail, both under the relation as
            it is walked) ** -0.4, the factor of one edge in a degree-weighted path count
            (Himmelstein and Baranzini 2015, doi:10.1371/journal.pcbi.1004259); twins count once.
        one_rel: ``(2 R,)``: the directed relation that stands for each: ``child`` for ``parent``
            backward, and a symmetric relation forward for itself backward (``snapshot.pairs``).
        twin_edge, twin_of: edges that say what another edge says the other way round, or by
            the inverse relation, ascending; and that other edge, a stated one if there is any.
        origin_indptr: ``(M + 1,)`` into ``origin_load`` (positions in ``loads``) and
            ``origin_row``: the statements that each edge rests on.
    """

    title = "edges"
    share = 3

    head: Ids
    relation: Ids
    tail: Ids
    out_indptr: Offsets
    in_head: Ids
    in_relation: Ids
    in_edge: Ids
    in_indptr: Offsets
    path_weight: Doubles
    one_rel: Ids
    twin_edge: Ids
    twin_of: Ids
    origin_indptr: Ids
    origin_load: Ids
    origin_row: npt.NDArray[np.uint32]

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        head, relation, tail, load, row = distinct_statements(inputs)
        first = np.flatnonzero(changes(head, relation, tail))
        head, relation, tail = head[first], relation[first], tail[first]
        inferred = np.isin(load, inputs.inferred)
        inferred = np.logical_and.reduceat(inferred, first) if len(first) else inferred
        inverse = inputs.inverse_relations()
        twins = find_twins(head, relation, tail, inferred, inverse)
        symmetric = [*inputs.symmetric_relations(), *found_symmetric(head, relation, tail, twins)]
        rels = one_number(len(inputs.tables["relation"]), inverse, symmetric)
        inward = order(tail, relation, head)
        manifest["counts"]["edges"] = len(head)
        num_entities = len(inputs.tables["entity"])
        yield "head", head
        yield "relation", relation
        yield "tail", tail
        yield "out_indptr", indptr(head, num_entities)
        yield "in_head", head[inward]
        yield "in_relation", relation[inward]
        yield "in_edge", inward.astype(np.int32)
        yield "in_indptr", indptr(tail, num_entities)
        yield "path_weight", path_weights(head, relation, tail, inward, twins, rels)
        yield "one_rel", rels
        yield "twin_edge", twins[0]
        yield "twin_of", twins[1]
        yield "origin_indptr", np.append(first, len(load)).astype(np.int32)
        yield "origin_load", load
        yield "origin_row", row

    def check(self) -> None:
        names = ("relation", "tail", "in_head", "in_relation", "in_edge", "path_weight")
        require_lengths(len(self.head), *names, of=self)
        require_lengths(self.num_entities + 1, "out_indptr", "in_indptr", of=self)
        require_lengths(len(self.head) + 1, "origin_indptr", of=self)
        require_lengths(int(self.origin_indptr[-1]), "origin_load", "origin_row", of=self)
        require_lengths(len(self.twin_edge), "twin_of", of=self)

    @property
    def num_edges(self) -> int:
        """M."""
        return len(self.head)

    def triples(self) -> Ids:
        """All edges as int32 ``(M, 3)``: head, relation, tail."""
        return np.stack([self.head, self.relation, self.tail], axis=1)

    def fact_keys(self, head: Ids, relation: npt.NDArray[Any], tail: Ids) -> Offsets:
        """A number for each of some facts, int64 ``(n,)``: those of the edges ascend."""
        key: Offsets = head.astype(np.int64) * (len(self.one_rel) // 2) + relation
        key = key * self.num_entities + tail
        return key

    @cached_property
    def symmetric(self) -> Flags:
        """Which relations are the same in both directions: bool ``(R,)``."""
        one: Flags = np.equal(*np.split(self.one_rel, 2))
        return one

    @cached_property
    def degree(self) -> Ids:
        """Facts at each entity, in and out, twins counted once: int32 ``(N,)``."""
        again = np.concatenate([self.head[self.twin_edge], self.tail[self.twin_edge]])
        edges = np.diff(self.out_indptr) + np.diff(self.in_indptr)
        return (edges - np.bincount(again, minlength=self.num_entities)).astype(np.int32)

    @cached_property
    def fact_of(self) -> Ids:
        """The edge that stands for each edge and its twins, most for themselves: int32 ``(M,)``."""
        out = np.arange(self.num_edges, dtype=np.int32)
        out[self.twin_edge] = self.twin_of
        return out

    def twins(self, edge: int) -> list[int]:
        """The edges that say the same as ``edge``, itself among them, the one that stands for all
        first."""
        # Memoryviews give plain numbers at a tenth of what an array takes: this is asked for every
        # edge of every path that is shown.
        fact = self.fact_of.data[edge]
        facts, edges = (array.data for array in self._twins_by_fact)
        low = bisect_left(facts, fact)
        return [fact, *edges[low : bisect_right(facts, fact, low)]]

    @cached_property
    def _twins_by_fact(self) -> tuple[Ids, Ids]:
        rank = np.argsort(self.twin_of, kind="stable")
        return self.twin_of[rank], self.twin_edge[rank]

    @cached_property
    def edge_inferred(self) -> Flags:
        """Edges that no load states, they were inferred: bool ``(M,)``."""
        inferred = np.array([load["role"] == "inferred" for load in self.loads])
        if not inferred.any():
            return np.zeros(self.num_edges, np.bool_)
        return np.logical_and.reduceat(inferred[self.origin_load], self.origin_indptr[:-1])

    def origins(self, edge: int) -> tuple[Origin, ...]:
        """Every statement that an edge rests on."""
        span = slice(*self.origin_indptr.data[edge : edge + 2])
        found = origins_of(self.loads, self.origin_load.data[span], self.origin_row.data[span])
        return self.before_merges("edge", span.start, found)

    def before_merges(
        self, kind: Literal["edge", "attribute"], at: int, found: tuple[Origin, ...]
    ) -> tuple[Origin, ...]:
        """Origins, the first of them at a position, with the names that their sources have; see the
        section of merges."""
        return found

    def loads_of(self, edges: Ids) -> Ids:
        """Positions in ``loads`` of the loads that some edges rest on, ascending."""
        _, position = expand_csr(self.origin_indptr, edges)
        return np.unique(self.origin_load[position]).astype(np.int32)


def origins_of(
    loads: list[dict[str, Any]], positions: Iterable[int], rows: Iterable[int]
) -> tuple[Origin, ...]:
    """The statements at some rows of loads, which are given by position in ``loads``."""
    found = ((loads[int(load)], int(row)) for load, row in zip(positions, rows))
    return tuple(
        Origin(load["id"], load["source"], row, table_of(load["tables"], row).place(row))
        for load, row in found
    )


def distinct_statements(inputs: Inputs) -> tuple[npt.NDArray[Any], ...]:
    """Head, relation, tail, load and row of the statements of all edges, sorted, each once."""
    frame = inputs.edges
    columns = [frame[name].to_numpy() for name in ("head", "relation", "tail", "load", "row")]
    rank = order(*columns)
    columns = [column[rank] for column in columns]
    # The same record may say the same twice.
    distinct = np.flatnonzero(changes(*columns))
    return tuple(column[distinct] for column in columns)


def order(*columns: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The order by columns of numbers >= 0, the first column first.

    As ``np.lexsort`` backwards, but columns are packed into one number while they fit, so that
    there is less to sort.
    """
    keys: list[npt.NDArray[np.int64]] = []
    span = 1
    for column in reversed(columns):
        size = int(column.max(initial=0)) + 1
        if not keys or span * size > 2**63:
            keys.append(column.astype(np.int64))
            span = size
        else:
            keys[-1] += column.astype(np.int64) * span
            span *= size
    rank = np.argsort(keys[0], kind="stable")
    for key in keys[1:]:
        rank = rank[np.argsort(key[rank], kind="stable")]
    return rank
