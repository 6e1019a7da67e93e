"""Shuffled copies of the graph, where they are wanted: what chance would connect.

What is computed with them is in ``sightline.graph.paths.chance``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Floats, Ids, Offsets
from sightline.graph.snapshot.pairs import changes, half_edges
from sightline.graph.snapshot.sections.section import Section, indptr, require_lengths

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs

#: Shuffled copies of a graph of up to ``MAX_STORED / COUNT`` edges; larger ones have fewer.
COUNT, FEWEST, MAX_STORED = 16, 4, 1 << 26


class Copies(Section):
    """Copies in which every entity has the degrees that it has in the graph.

    A *run* is an entity and a directed relation under which it has edges; Q are there, by entity
    and relation. Directed relations are numbered as ``one_rel`` does. An edge is in two runs, so
    that H = 2 x (edges without twins).

    Attributes:
        run_indptr: ``(N + 1,)``: the runs of each entity.
        run_rel, run_entity: ``(Q,)``.
        run_start: ``(Q + 1,)``: the edges of each run.
        run_peers: ``(Q,)``: runs with the same number have the same relation and as many edges
            to entities of each class, and their entities have the same class.
        peer_indptr, peer_run: the runs by that number.
        copy_run: ``(K + 1, H)``: for each edge of a run the run at its other end, in the graph and
            in each of K copies.
        rel_freedom: ``(2 R,)``: share of a relation's edges that two copies do not have in common.
        follow_indptr, follow_rel: for each directed relation those that can come after it.
    """

    title = "shuffled copies"
    share = 8
    wanted = "copies"

    run_indptr: Offsets
    run_rel: Ids
    run_entity: Ids
    run_start: Offsets
    run_peers: Ids
    peer_indptr: Offsets
    peer_run: Ids
    copy_run: Ids
    rel_freedom: Floats
    follow_indptr: Offsets
    follow_rel: Ids

    @classmethod
    def write(cls, inputs: Inputs, folder: Path, manifest: dict[str, Any]) -> None:
        relations, num_entities = inputs.tables["relation"], len(inputs.tables["entity"])
        for name, values in _arrays(folder, relations, num_entities):
            np.save(folder / f"{name}.npy", values)

    def check(self) -> None:
        require_lengths(self.num_entities + 1, "run_indptr", of=self)
        require_lengths(int(self.run_indptr[-1]), *("run_rel", "run_entity"), of=self)
        require_lengths(len(self.run_rel) + 1, "run_start", of=self)
        require_lengths(len(self.run_rel), "run_peers", "peer_run", of=self)
        if self.copy_run.shape[1:] != (self.run_start[-1],):
            raise ValueError(f"copy_run is {self.copy_run.shape}, not of {self.run_start[-1]}")


def _arrays(
    folder: Path, relations: list[str], num_entities: int
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The files, from those of other sections."""
    from scipy import sparse

    from sightline.graph.snapshot.shuffle import shuffled_copies

    head, relation, tail, rels, twins = (
        np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("head", "relation", "tail", "one_rel", "twin_edge")
    )
    counted = np.ones(len(head), np.bool_)
    counted[twins] = False
    span = len(rels)
    entity, rel = half_edges(head[counted], relation[counted], tail[counted], rels)
    key, run, size = np.unique(
        entity.astype(np.int64) * span + rel, return_inverse=True, return_counts=True
    )
    run_entity, run_rel = (key // span).astype(np.int32), (key % span).astype(np.int32)
    run_start = np.append(0, np.cumsum(size))
    run_indptr = indptr(run_entity, num_entities)
    yield from (("run_indptr", run_indptr), ("run_start", run_start))
    yield from (("run_rel", run_rel), ("run_entity", run_entity))

    class_of = _one_class(folder, num_entities)
    ends, groups, kinds, group_rel, group_class = _groups(
        run.reshape(2, -1).astype(np.int32), run_rel, class_of[run_entity]
    )
    peers = _peers(run_rel, class_of[run_entity], size, ends)
    order = np.argsort(peers, kind="stable").astype(np.int32)
    yield from (("run_peers", peers), ("peer_run", order))
    yield "peer_indptr", indptr(peers[order], int(peers.max(initial=-1)) + 1)

    count = min(COUNT, max(FEWEST, MAX_STORED // max(1, len(entity))))
    seeds = np.array([_seed(relations[r % len(relations)]) for r in range(span)], np.int64)
    seeds = seeds[group_rel] ^ (group_class[0] * 1_000_003 + group_class[1] + 1)
    copies = shuffled_copies(ends, groups, kinds, seeds, (run_start, run_entity), count)
    yield "copy_run", copies
    yield "rel_freedom", _freedom(copies, run_rel, size, span)

    at = sparse.csr_array(
        (np.ones(len(run_rel), np.int32), run_rel, run_indptr), (num_entities, span)
    )
    back = rels[(np.arange(span) + span // 2) % span]
    follow = (at.T @ at).tocsr()[back]
    follow.sort_indices()
    yield "follow_indptr", follow.indptr.astype(np.int64)
    yield "follow_rel", follow.indices.astype(np.int32)


def _one_class(folder: Path, num_entities: int) -> Ids:
    """The class of each entity that most entities have, -1 for none: int32 ``(N,)``."""
    begin, classes = (np.load(folder / f"{name}.npy") for name in ("type_indptr", "type_class"))
    owner = np.repeat(np.arange(num_entities), np.diff(begin))
    rank = np.lexsort((classes, -np.bincount(classes)[classes], owner))
    first = rank[changes(owner[rank])] if len(rank) else rank
    out = np.full(num_entities, -1, np.int32)
    out[owner[first]] = classes[first]
    return out


def _groups(
    ends: npt.NDArray[np.int32], run_rel: Ids, class_of: Ids
) -> tuple[tuple[Ids, Ids], Offsets, tuple[Flags, Flags], Ids, tuple[Ids, Ids]]:
    """Edges by what they may be switched with; see ``shuffled_copies``.

    Returns:
        ends, groups and kinds for it; the directed relation and both classes of each group.
    """
    rels = run_rel[ends]
    symmetric = rels[0] == rels[1]
    turned = (rels[1] < rels[0]) | (symmetric & (class_of[ends[1]] < class_of[ends[0]]))
    left, right = np.where(turned, ends[::-1], ends)
    rel, classes = np.minimum(*rels), (class_of[left], class_of[right])
    rank = np.lexsort((right, left, classes[1], classes[0], rel))
    left, right, rel, symmetric = left[rank], right[rank], rel[rank], symmetric[rank]
    one, other = classes[0][rank], classes[1][rank]
    first = np.flatnonzero(changes(rel, one, other))
    kinds = symmetric[first], symmetric[first] & (one == other)[first]
    return (
        (left, right),
        np.append(first, len(rel)),
        kinds,
        rel[first],
        (one[first], other[first]),
    )


def _peers(run_rel: Ids, class_of: Ids, size: Offsets, ends: tuple[Ids, Ids]) -> Ids:
    """A number per run, equal where relation, class and edges to each class are: int32 ``(Q,)``."""
    run, other = np.concatenate(ends), class_of[np.concatenate(ends[::-1])]
    rank = np.lexsort((other, run))
    run, other = run[rank], other[rank]
    first = np.flatnonzero(changes(run, other))
    parts = np.diff(np.append(first, len(run)))
    code = _mixed(other[first].astype(np.uint64) * np.uint64(1 << 32) + parts.astype(np.uint64))
    begin = np.flatnonzero(changes(run[first]))
    signs = np.add.reduceat(code, begin) if len(begin) else code
    rank = np.lexsort((signs, size, class_of, run_rel))
    new = changes(run_rel[rank], class_of[rank], size[rank], signs[rank])
    out = np.empty(len(rank), np.int32)
    out[rank] = np.cumsum(new) - 1
    return out


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Numbers whose sums tell sets of ``x`` apart (the last steps of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _seed(iri: str) -> int:
    """A number of a relation that stays when other relations come or go."""
    return int.from_bytes(hashlib.sha256(iri.encode()).digest()[:7], "big")


def _freedom(copies: npt.NDArray[np.int32], run_rel: Ids, size: Offsets, span: int) -> Floats:
    run = np.repeat(np.arange(len(size)), size)
    one, other = run * len(size) + copies[1], run * len(size) + copies[2]
    kept = np.isin(one, other)
    rel = run_rel[run]
    edges = np.bincount(rel, minlength=span)
    free = np.bincount(rel, weights=~kept, minlength=span) / np.maximum(edges, 1)
    return free.astype(np.float32)
