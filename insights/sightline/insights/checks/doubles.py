"""What is said twice: relations of one meaning, held-out facts that they give away, and entities
that may be one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from sightline.graph.arrays import Doubles
from sightline.graph.mining.plausibility import OutOfTime
from sightline.graph.snapshot.search import normalise
from sightline.insights.checks.grounds import (
    LEAST_CERTAINTY,
    NOT_SMALL,
    SHOWN,
    SURE,
    Grounds,
    Suspect,
)

#: Relations are one where they share this part of their pairs, of at least so many.
SAME_PAIRS, LEAST_PAIRS = 0.8, 10
#: Entities of one name are compared with each other up to so many.
MOST_NAMESAKES = 20


def duplicates(g: Grounds, end: float) -> Iterator[Suspect]:
    s = g.snapshot
    count = np.bincount(s.relation, minlength=s.num_relations)
    for one, other, inverse, both, _ in g.same_relations:
        most = int(max(count[one], count[other]))
        if both < LEAST_PAIRS or both < SAME_PAIRS * most:
            continue
        how = "read the other way" if inverse else "too"
        why = f"{{r0}} and {{r1}} say the same: {both:,} of {most:,} facts are stated by the "
        why += f"other {how}"
        examples = np.flatnonzero(s.relation == one)[:SHOWN].tolist()
        yield Suspect(
            "duplicate relation",
            "medium",
            (both + 1) / (most + 2),
            why,
            relations=(one, other),
            edges=tuple(examples),
            same="inverse relations" if inverse else "relations",
        )


def leakage(g: Grounds, end: float) -> Iterator[Suspect]:
    """Held-out facts that a relation of the same meaning gives away."""
    s = g.snapshot
    alike = {(r, r, True) for r in np.flatnonzero(s.symmetric).tolist()}
    alike |= {(r, r, False) for r in range(s.num_relations)}
    for one, other, inverse, both, least in g.same_relations:
        if both >= LEAST_PAIRS and both >= SAME_PAIRS * least:
            alike |= {(one, other, inverse), (other, one, inverse)}
    n, r_all = np.int64(s.num_entities), np.int64(max(1, s.num_relations))
    stated = (s.head * n + s.tail) * r_all + s.relation
    rank = np.argsort(stated)
    stated = np.append(stated[rank], -1)
    triples = {role: s.held_out(role).T for role in ("valid", "test")}
    for one, other, inverse in sorted(alike):
        given: dict[str, int] = {}
        asked: dict[str, int] = {}
        shown: list[int] = []
        for role, (head, relation, tail) in triples.items():
            of_it = np.flatnonzero(relation == one)
            ends = (tail, head) if inverse else (head, tail)
            key = (ends[0][of_it] * n + ends[1][of_it]) * r_all + other
            at = np.searchsorted(stated[:-1], key)
            edges = rank[at[stated[at] == key]]
            shown += edges[:SHOWN].tolist()
            if len(of_it):
                given[role], asked[role] = len(edges), len(of_it)
        number, of = sum(given.values()), sum(asked.values())
        certainty = (number + 1) / (of + 2)
        if not number or certainty < LEAST_CERTAINTY:
            continue
        names = {"valid": "validation", "test": "test"}
        counted = (f"{given[x]:,} of {asked[x]:,} {names[x]} facts" for x in given)
        how = ", read the other way," if inverse else ""
        why = " and ".join(counted)
        why += f" of {{r0}} can be read off the graph: {{r1}}{how} states the same pair"
        yield Suspect(
            "leakage",
            "medium" if number >= LEAST_PAIRS and certainty >= SURE / 2 else "low",
            certainty,
            why,
            relations=(one, other),
            edges=tuple(shown[:SHOWN]),
            detail=how,
        )


def split(g: Grounds, end: float) -> Iterator[Suspect]:
    """Entities of one name and type that have neighbours in common, those of a name together.

    A neighbour counts by how few others have it. What has one value of a relation, as nearly
    all have, and another one than its namesake, is another thing.
    """
    s = g.snapshot
    namesakes: dict[str, list[int]] = {}
    for entity, text in enumerate(s.entity_labels):
        namesakes.setdefault(normalise(text), []).append(entity)
    weight = 1 - np.log(np.maximum(s.degree, 1)) / np.log(max(2, s.num_entities))
    functional = {
        int(c.relation)
        for c in g.constraints.found
        if c.kind == "functional" and c.relation is not None
    }
    for name, group in namesakes.items():
        if not name or not 1 < len(group) <= MOST_NAMESAKES:
            continue
        if time.perf_counter() > end:
            raise OutOfTime
        yield from _same_things(g, group, weight, functional)


def _same_things(
    g: Grounds, group: Sequence[int], weight: Doubles, functional: set[int]
) -> Iterator[Suspect]:
    """Those of some namesakes that may be one thing.

    Args:
        weight: how much it says to have each entity for a neighbour.
        functional: relations of which nearly all have one value.
    """
    around = [_around(g, e) for e in group]
    types = [set(g.snapshot.types_of(e).tolist()) for e in group]
    values = [_values(g, e, functional) for e in group]
    part = list(range(len(group)))
    pairs = []
    for i, j in combinations(range(len(group)), 2):
        alike = types[i] & types[j] or not (types[i] or types[j])
        differ = any(values[j].get(r, v) != v for r, v in values[i].items())
        both = sorted(around[i] & around[j])
        if not both or not alike or differ:
            continue
        few = min(weight[list(around[i])].sum(), weight[list(around[j])].sum())
        certainty = float(weight[both].sum() / (few + 1))
        if certainty >= LEAST_CERTAINTY:
            pairs.append((certainty, i, j, both))
            one, other = sorted((part[i], part[j]))
            part = [one if p == other else p for p in part]
    for root in sorted({part[i] for _, i, _, _ in pairs}):
        own = [pair for pair in pairs if part[pair[1]] == root]
        certainty = min(pair[0] for pair in own)
        _, i, j, both = max(own)
        # Those shown first are the likest.
        members = (group[i], group[j], *(e for e, p in zip(group, part) if p == root))
        members = tuple(dict.fromkeys(members))
        few = min(len(around[i]), len(around[j]))
        who, end = "{e0} and {e1}", "; they may be one thing"
        if len(members) > 2:
            who = f"{{e0}} and {len(members) - 1} others"
            end = " or fewer; some may be one thing"
        type_too = ", one type" if types[i] & types[j] else ""
        yield Suspect(
            "split",
            "medium" if certainty >= NOT_SMALL else "low",
            certainty,
            f"{who} have one name{type_too} and share {len(both)} of {few} neighbours{end}",
            members,
            edges=_to(g, members[:2], max(both, key=lambda x: weight[x])),
            same="entities",
        )


def _values(g: Grounds, entity: int, relations: set[int]) -> dict[int, int]:
    """The value of each of some relations that an entity has one of."""
    s = g.snapshot
    span = slice(s.out_indptr[entity], s.out_indptr[entity + 1])
    found: dict[int, list[int]] = {}
    for relation, tail in zip(s.relation[span].tolist(), s.tail[span].tolist()):
        if relation in relations:
            found.setdefault(relation, []).append(tail)
    return {relation: tails[0] for relation, tails in found.items() if len(tails) == 1}


def _around(g: Grounds, entity: int) -> set[int]:
    s = g.snapshot
    out = s.tail[s.out_indptr[entity] : s.out_indptr[entity + 1]]
    into = s.in_head[s.in_indptr[entity] : s.in_indptr[entity + 1]]
    return {*out.tolist(), *into.tolist()} - {entity}


def _to(g: Grounds, entities: Sequence[int], other: int) -> tuple[int, ...]:
    """An edge between each of some entities and another one."""
    s = g.snapshot
    found = []
    for entity in entities:
        for one, two in ((entity, other), (other, entity)):
            span = slice(s.out_indptr[one], s.out_indptr[one + 1])
            found += (s.out_indptr[one] + np.flatnonzero(s.tail[span] == two))[:1].tolist()
    return tuple(found)
