"""What entities of a list have in common more than a random choice of entities would.

Each type, relation, neighbour, property, value and neighbour of a neighbour is a *feature*. Of the
N entities of a background, K have it, and k of the n listed ones: the p-value is the chance that k
or more of n entities chosen at random have it (hypergeometric, one-sided; discrete, so that
P(p <= a) <= a). Features that two or more of the background have are the tests; those that fewer
than two of the list have count among them with p = 1.

Knows ids; knows no label and no model.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets
from sightline.graph.paths.chance import q_values
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.sets import features as index
from sightline.graph.sets.features import Features, features_of
from sightline.graph.sets.hypergeometric import most_marked, tails
from sightline.graph.sets.two_step import Scratch, holders, possible, scratch_of, shared
from sightline.graph.snapshot.reader import Snapshot

FeatureKind = Literal[index.Kind, "two steps"]
#: A p-value above which a feature is not worth a place in the answer.
LEVEL = 0.05
#: A q-value up to which a feature stands out.
SIGNIFICANT = 0.05
#: Features of one step and of two, best first, that are looked through for those that say the same.
CONSIDERED = 1000
#: Of long lists fewer: memory for who has what of them.
MAX_CELLS = 1 << 25
#: Two features say the same where this share of those who have one have the other.
ALIKE = 0.8
#: What is less particular says more where it is so unlikely among those who have the other.
WITHIN = 0.01
#: A class is a background where it has so many times more members than the list.
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Feature:
    """What some listed entities have in common.

    Attributes:
        kind: which of the fields say what it is.
        rels: the directed relations that lead to ``entity``, as ``Snapshot.one_rel`` numbers them;
            for ``relation`` the one, to any entity.
        entity: at the end of them, or -1.
        id: the class of a ``type``; the property of a ``property`` or a ``value``.
        row: an attribute with the value, or -1.
        members: int32: who of the list has it, ascending.
        background: how many of the background do, those among them.
        p_value, q_value: of Benjamini and Hochberg 1995, over all tests.
        alike: features that say the same of the same entities; they have none themselves.
    """

    kind: FeatureKind
    rels: tuple[int, ...]
    entity: int
    id: int
    row: int
    members: Ids
    background: int
    p_value: float
    q_value: float
    alike: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What a list has in common, the least likely by chance first.

    Attributes:
        features: with p of at most ``LEVEL``.
        significant: how many features have a q-value of at most ``SIGNIFICANT``, shown or not,
            those that say the same counted each.
        tests: how many features could have stood out.
        missed, relations: of so many relations that begin two steps, so many were not followed: the
            time was over. What they lead to is not among the tests.
    """

    features: tuple[Feature, ...]
    significant: int
    tests: int
    missed: int
    relations: int


def background_of(snapshot: Snapshot, listed: Ids) -> int | None:
    """The class to compare a list with: the smallest of those that most of it has, among classes
    with enough members; None, which is all entities, where no class has half of it."""
    owned = [snapshot.types_of(int(entity)) for entity in listed]
    classes, count = np.unique(np.concatenate([*owned, np.zeros(0, np.int32)]), return_counts=True)
    if not len(classes) or 2 * count.max() < len(listed):
        return None
    classes = classes[count == count.max()]
    size = features_of(snapshot).counts(None)["type"][classes]
    enough = size >= ENOUGH * count.max()
    best = np.lexsort((classes, np.where(enough, size, -size), ~enough))[0]
    return int(classes[best])


def enrich(
    snapshot: Snapshot,
    listed: Ids,
    class_id: int | None,
    *,
    k: int = 10,
    two_steps: bool = True,
    deadline_ms: float = 1000,
) -> Enrichment:
    """What entities have in common, compared with all entities of a class, or with all.

    Args:
        listed: distinct entities of the class.
        k: how many features.
        two_steps: look at neighbours of neighbours, too.
        deadline_ms: they are followed as far as the time reaches; those over one relation, and
            all other features, always are.

    Raises:
        Cancelled: nobody waits for the answer any more.
    """
    start, budget = time.perf_counter(), deadline_ms / 1000
    end = math.inf
    features = features_of(snapshot)
    listed = np.unique(listed).astype(np.int32)
    among = features.among(class_id)
    n, things = len(listed), int(among.sum())
    found = [_Found(*np.zeros((5, 0), np.int64))]
    tests, missed, relations = 0, 0, 0
    for kind, counts in features.counts(class_id).items():
        tests += int((counts >= 2).sum())
        found.append(_one_step(features, kind, listed, counts))
    if two_steps:
        # Those that the fewest have come first, so that the time is enough for many.
        counts = features.counts(class_id)["relation"]
        rels = [int(rel) for rel in np.argsort(counts, kind="stable") if counts[rel] >= 2]
        relations = len(rels)
        scratch = scratch_of(features)
        most = most_marked(n, things, LEVEL)
        for done, rel in enumerate(rels):
            part = _two_steps(features, scratch, class_id, rel, listed, among, most, end)
            if part is None:
                missed = relations - done
                break
            tests += part[1]
            found.append(part[0])
            if not done:
                # The first question of a process loads the kernels, which may take all its time.
                end = max(start + budget, time.perf_counter() + budget / 2)
    all_ = _Found(*map(np.concatenate, zip(*found)))
    p = tails(all_.listed, all_.background, n, things)
    unlikely = p <= LEVEL
    all_, p = all_.take(unlikely), p[unlikely]
    order = np.lexsort((all_.rel, all_.feature, all_.kind, -all_.listed, p))
    all_, p = all_.take(order), p[order]
    q: Doubles = np.array(q_values(p.tolist(), tests))
    two = all_.kind == _TWO
    first = max(k, min(CONSIDERED, MAX_CELLS // max(1, n)))
    few = np.sort(np.concatenate([np.flatnonzero(which)[:first] for which in (~two, two)]))
    best = _distinct(snapshot, all_.take(few), p[few], q[few], listed, among, k)
    return Enrichment(best, int((q <= SIGNIFICANT).sum()), tests, missed, relations)


class _Found(NamedTuple):
    """Features, arrays of one length.

    Attributes:
        kind: position in ``_KINDS``.
        rel: the first step of two, else -1.
        feature: its number among those of its kind; of two steps the run that they end at.
        listed, background: how many of each have it.
    """

    kind: Offsets
    rel: Offsets
    feature: Offsets
    listed: Offsets
    background: Offsets

    def take(self, order: Flags | Offsets) -> _Found:
        return _Found(*(column[order] for column in self))


_KINDS: tuple[FeatureKind, ...] = (*get_args(index.Kind), "two steps")
_TWO = len(_KINDS) - 1


def _one_step(features: Features, kind: index.Kind, listed: Ids, counts: Offsets) -> _Found:
    _, own = features.kinds[kind].of(listed)
    feature, number = np.unique(own.astype(np.int64), return_counts=True)
    feature, number = feature[number >= 2], number[number >= 2]
    same, first = np.full(len(feature), _KINDS.index(kind)), np.full(len(feature), -1)
    return _Found(same, first, feature, number.astype(np.int64), counts[feature])


def _two_steps(
    features: Features,
    scratch: Scratch,
    class_id: int | None,
    rel: int,
    listed: Ids,
    among: Flags,
    most: Offsets,
    end: float,
) -> tuple[_Found, int] | None:
    """What two steps lead to, and the number of tests; None where the time is over."""

    def go_on() -> bool:
        stop_if_cancelled()
        return time.perf_counter() < end

    if not go_on():
        return None
    tests = features.two_step_tests(class_id)
    if rel not in tests:
        tests[rel] = possible(features, scratch, rel, among)
    got = shared(features, scratch, rel, listed, among, most, go_on)
    if got is None:
        return None
    size = len(got.run)
    kind, first = np.full(size, _TWO), np.full(size, rel)
    return _Found(kind, first, got.run.astype(np.int64), got.listed, got.background), tests[rel]


def _distinct(
    snapshot: Snapshot,
    found: _Found,
    p: Doubles,
    q: Doubles,
    listed: Ids,
    among: Flags,
    k: int,
) -> tuple[Feature, ...]:
    """The best ``k`` features, each with those that say the same, which take no place.

    One says the same as a better one that begins with the same relation (or is of the same
    property) where no further listed entity has it, and where nearly all who have either have both.
    One that is less particular (a relation to anything, two steps) does, too, where among those who
    have the other it is not unlikely to be shared; two steps also as a single one that is less
    unlikely, since that is told more easily.
    """
    features = features_of(snapshot)
    first, group = _first_step(features, snapshot, found)
    start, holder = _holders(features, found, first, among)
    size = np.diff(start)
    have = np.zeros((len(size), len(listed)), np.bool_)
    at = np.minimum(np.searchsorted(listed, holder), len(listed) - 1)
    own = np.flatnonzero(listed[at] == holder)
    have[np.searchsorted(start, own, side="right") - 1, at[own]] = True
    vague = np.isin(found.kind, [_KINDS.index("relation"), _KINDS.index("property"), _TWO])
    left, mark = np.ones(len(size), np.bool_), np.zeros(len(among), np.bool_)
    out: list[Feature] = []

    def feature(i: int, alike: tuple[Feature, ...] = ()) -> Feature:
        kind, number, end = _KINDS[found.kind[i]], int(found.feature[i]), -1
        rels: tuple[int, ...] = ()
        row, id_ = -1, -1
        if kind in ("neighbour", "two steps"):
            last = int(features.back[features.runs.rel[number]])
            rels = (last,) if kind == "neighbour" else (int(found.rel[i]), last)
            end = int(features.runs.entity[number])
        elif kind == "relation":
            rels = (number,)
        elif kind == "value":
            row = int(features.value_row[number])
            id_ = int(snapshot.attribute_property[row])
        else:
            id_ = number
        members, many = listed[have[i]], int(found.background[i])
        chances = (float(p[i]), float(q[i]))
        return Feature(kind, rels, end, id_, row, members, many, *chances, alike)

    for pool in (found.kind != _TWO, found.kind == _TWO):
        for _ in range(k):
            if not (left & pool).any():
                break
            best = int((left & pool).argmax())
            left[best] = False
            mark[holder[start[best] : start[best + 1]]] = True
            both = np.add.reduceat(mark[holder], start[:-1], dtype=np.int64)
            mark[holder[start[best] : start[best + 1]]] = False
            same = left & (group == group[best])
            same[same] = ~(have[same] & ~have[best]).any(axis=1)
            within = tails(have[same].sum(axis=1), both[same], have[best].sum(), size[best])
            equal = both[same] >= ALIKE * (size[best] + size[same] - both[same])
            same[same] = equal | (vague[same] & (within > WITHIN))
            left &= ~same
            alike = [feature(int(i)) for i in np.flatnonzero(same)]
            # What comes back by the relation that it came by names others like them, and is last.
            alike.sort(
                key=lambda one: len(one.rels) > 1 and features.back[one.rels[0]] == one.rels[1]
            )
            out.append(feature(best, tuple(alike)))
    out.sort(key=lambda one: one.p_value)
    return tuple(out[:k])


def _first_step(features: Features, snapshot: Snapshot, found: _Found) -> tuple[Offsets, Offsets]:
    """The directed relation that each feature begins with, -1 for none; and a number that those of
    one relation or property have in common."""
    kind, number, span = found.kind, found.feature, len(features.back)
    is_a = {name: kind == i for i, name in enumerate(_KINDS)}
    first = np.where(is_a["relation"], number, found.rel)
    run = number[is_a["neighbour"]]
    first[is_a["neighbour"]] = features.back[features.runs.rel[run]]
    group = np.where(is_a["property"], span + 1 + number, np.where(is_a["type"], span, first))
    row = features.value_row[number[is_a["value"]]]
    group[is_a["value"]] = span + 1 + snapshot.attribute_property[row]
    return first, group


def _holders(
    features: Features, found: _Found, first: Offsets, among: Flags
) -> tuple[Offsets, Ids]:
    """Who of the background has each feature, as a CSR: indptr and entities."""
    sets: list[Ids] = [np.zeros(0, np.int32)] * len(first)
    for code, incidence in enumerate(features.kinds.values()):
        own = np.flatnonzero(found.kind == code)
        indptr, entity = incidence.holders(found.feature[own], among)
        for i, low, high in zip(own, indptr, indptr[1:]):
            sets[i] = entity[low:high]
    two = np.flatnonzero(found.kind == _TWO)
    for rel in np.unique(first[two]):
        back = features.runs_under(int(features.back[rel]))
        for i in two[first[two] == rel]:
            sets[i] = holders(features, back, int(found.feature[i]), among)
    start = np.append(0, np.cumsum([len(entities) for entities in sets])).astype(np.int64)
    return start, np.concatenate([*sets, np.zeros(0, np.int32)])
