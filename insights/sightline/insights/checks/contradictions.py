"""Facts, and entities, that break what all others keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sightline.graph.arrays import Ids
from sightline.graph.mining.constraints import MOST_EXCEPTIONS, Constraint
from sightline.graph.snapshot.pairs import changes
from sightline.insights.checks.grounds import MOST, SHOWN, SURE, Grounds, Suspect


@dataclass(frozen=True, slots=True)
class Foreign:
    """An edge an end of which lacks the types that a constraint asks for, and how sure that is."""

    edge: int
    constraint: Constraint
    sure: float


def contradictions(g: Grounds, end: float) -> Iterator[Suspect]:
    """Facts, and entities, that break what all others keep."""
    blamed: set[int] = set()
    untyped: dict[tuple[int, tuple[int, ...]], list[Foreign]] = {}
    # Those that one fact breaks alone come first: they tell which of several is wrong.
    several = ("functional", "inverse functional", "asymmetric")
    for constraint in sorted(g.constraints.found, key=lambda c: c.kind in several):
        if not constraint.exceptions or constraint.kind == "symmetric":
            continue
        broken = g.constraints.breaking(constraint)
        # The more exceptions there are, the less each is one.
        more = (constraint.exceptions - 1) / (MOST_EXCEPTIONS * constraint.support)
        sure = constraint.confidence * (1.0 if constraint.declared else 1 - more / 2)
        if constraint.relation is None:
            for entity in islice(broken.tolist(), MOST):
                why = "{e0} is both {c0} and {c1}, which "
                why += (
                    "an ontology declares to be disjoint"
                    if constraint.declared
                    else f"share {constraint.exceptions} of {constraint.support} entities"
                )
                why += "; it may be two things in one"
                yield Suspect("merged", "high", sure, why, (entity,), (), constraint.classes)
            continue
        if constraint.kind in ("domain", "range"):
            ends = g.snapshot.head if constraint.kind == "domain" else g.snapshot.tail
            for edge in broken.tolist():
                one = Foreign(edge, constraint, sure)
                untyped.setdefault((int(ends[edge]), constraint.classes), []).append(one)
                blamed.add(edge)
            continue
        yield from _broken(g, constraint, broken, sure, blamed)
    for (entity, classes), facts in untyped.items():
        yield _untyped(g, entity, classes, facts)


def _untyped(
    g: Grounds, entity: int, classes: tuple[int, ...], facts: Sequence[Foreign]
) -> Suspect:
    """What lacks the type that others at the same end of its relations have.

    One fact may be wrong as well as its type may be missing; of several it is the type.
    """
    s = g.snapshot
    types = " or ".join(f"{{c{i}}}" for i in range(len(classes)))
    best = max(facts, key=lambda one: one.sure)
    c = best.constraint
    edges = tuple(dict.fromkeys(one.edge for one in facts))
    relations = tuple(dict.fromkeys(int(s.relation[edge]) for edge in edges))
    end, place = ("head", 0) if c.kind == "domain" else ("tail", 1)
    kept = f"{c.support - c.exceptions:,} of {c.support:,}"
    alone = len(edges) == 1
    if alone:
        why = f"{{e0}} —{{r0}}→ {{e1}}: its {end} {{e{place}}} is not stated to be of the type "
        why += types
        ends: tuple[int, ...] = (int(s.head[edges[0]]), int(s.tail[edges[0]]))
        usual = f", as that of {kept} facts is"
    else:
        ends = (entity,)
        why = f"{{e0}} is not stated to be of the type {types}; {len(edges):,} facts say that "
        why += "it is"
        best_at = relations.index(int(s.relation[best.edge]))
        usual = f": so is the {end} of {kept} facts of {{r{best_at}}}"
    if c.declared:
        usual = f", against what an ontology declares ({c.kind})"
    certainty = best.sure
    if alone and not c.declared:
        wrong = float(g.wrongness(np.array(edges, np.int32)).max())
        certainty *= 1.0 if np.isnan(wrong) else (3 + wrong) / 4
    return Suspect(
        "contradiction",
        "high" if alone and certainty >= SURE else "medium",
        certainty,
        why + usual,
        ends,
        relations,
        classes,
        edges[:SHOWN],
        edges if alone else (),
        lacks=not alone and len(classes) == 1,
        detail=c.kind if alone else "type",
    )


def _broken(
    g: Grounds, c: Constraint, broken: Ids, sure: float, blamed: set[int]
) -> Iterator[Suspect]:
    s = g.snapshot
    assert c.relation is not None
    kept = f"{c.support - c.exceptions:,} of {c.support:,}"
    groups: Sequence[Ids]
    if c.kind in ("functional", "inverse functional"):
        anchor = (s.head if c.kind == "functional" else s.tail)[broken]
        groups = np.split(broken, np.flatnonzero(changes(anchor))[1:])
    elif c.kind == "asymmetric":
        low, high = (np.minimum, np.maximum)
        pair = np.lexsort((high(s.head, s.tail)[broken], low(s.head, s.tail)[broken]))
        groups = np.split(broken[pair], range(2, len(broken), 2))
    else:
        groups = np.split(broken, range(1, len(broken)))
    for group in groups[:MOST]:
        if not len(group):
            continue
        edges = group.tolist()
        head, tail = int(s.head[edges[0]]), int(s.tail[edges[0]])
        ends: tuple[int, ...] = (head, tail)
        match c.kind:
            case "functional":
                why = f"{{e0}} has {len(edges)} values of {{r0}}, where {kept} have one"
                ends = (head, *s.tail[group].tolist())
            case "inverse functional":
                why = f"{{e0}} is the {{r0}} of {len(edges)}, where {kept} are it of one"
                ends = (tail, *s.head[group].tolist())
            case "irreflexive":
                why = f"{{e0}} —{{r0}}→ {{e0}} leads to itself, which {kept} facts do not"
                ends = (head,)
            case _:
                why = f"{{e0}} —{{r0}}→ {{e1}} is stated both ways, where {kept} are not"
        if c.declared:
            why = why.partition(", where")[0].partition(", which")[0]
            why += f", against what an ontology declares ({c.kind})"
        which = _which(g, group, blamed)
        blamed.update(which)
        # What else is known of the facts counts as much as how rare the exception is.
        wrong = float(g.wrongness(group).max())
        certainty = sure
        if not np.isnan(wrong) and not c.declared and c.kind != "irreflexive":
            certainty *= (1 + wrong) / 2 if len(group) > 1 else (3 + wrong) / 4
        yield Suspect(
            "contradiction",
            "high" if certainty >= SURE else "medium",
            certainty,
            why,
            ends,
            (c.relation,),
            c.classes,
            tuple(edges),
            which,
            detail=c.kind,
        )


def _which(g: Grounds, edges: Ids, blamed: set[int]) -> tuple[int, ...]:
    """Of facts that cannot all hold the one that is likeliest wrong, where any is."""
    known = blamed.intersection(edges.tolist())
    if len(edges) == 1 or len(known) == 1:
        return tuple(known or edges.tolist())
    wrong = g.wrongness(edges)
    if np.isnan(wrong).any() or wrong.max() == np.sort(wrong)[-2]:
        return ()
    return (int(edges[np.argmax(wrong)]),)
