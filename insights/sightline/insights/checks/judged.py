"""Facts that little speaks for, and facts of texts that were likely misread."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.graph.mining.constraints import Constraint
from sightline.insights.checks.grounds import (
    LEAST_CERTAINTY,
    MOST,
    NOT_SMALL,
    SHOWN,
    Grounds,
    Suspect,
    plain,
)
from sightline.insights.records import Severity

#: Facts of texts are named from this chance to be misread, by their confidence and what the graph
#: says of them.
MISREAD = 0.5


def implausible(g: Grounds, end: float) -> Iterator[Suspect]:
    judged = g.judge(end)
    wrong = judged.wrong
    for i in np.argsort(-wrong, kind="stable")[:MOST].tolist():
        if wrong[i] < LEAST_CERTAINTY:
            return
        edge = int(judged.edge[i])
        between, alike = int(judged.between[i]), judged.alike[i]
        why = "{e0} —{r0}→ {e1} has little to speak for it: "
        why += f"{between or 'no'} {'entity lies' if between == 1 else 'entities lie'} between "
        why += f"the two, and others share {alike[0]:.0%} of what {{e0}} is linked with "
        why += f"and {alike[1]:.0%} of what {{e1}} is"
        s = g.snapshot
        ends = int(s.head[edge]), int(s.tail[edge])
        relation = (int(s.relation[edge]),)
        certainty = float(wrong[i])
        severity: Severity = "medium" if certainty >= NOT_SMALL else "low"
        yield Suspect("implausible", severity, certainty, why, ends, relation, (), (edge,), (edge,))


def misread(g: Grounds, end: float) -> Iterator[Suspect]:
    """Facts of texts that break what others keep, or that the graph says too much against."""
    s, read = g.snapshot, g.read
    seen: set[int] = set()
    for c in g.constraints.found if s.num_extracted else ():
        for i in g.constraints.broken_by(c, *read).tolist():
            # It is right if it is an exception and was read right.
            certainty = 1 - (1 - c.confidence) * float(s.extracted_confidence[i])
            if i not in seen and certainty >= MISREAD:
                seen.add(i)
                why, edges = against(g, c, *read[:, i].tolist())
                yield _misreading(g, i, certainty, why, c.classes, edges)
    judged = g.judged
    if judged is None or not len(judged.asked):
        return
    sure = np.clip(s.extracted_confidence, 1e-4, 1 - 1e-4)
    wrong = 1 / (1 + sure / (1 - sure) * np.exp(judged.asked))  # NaN where nothing was learnt
    for i in np.flatnonzero(wrong >= MISREAD).tolist():
        if i not in seen:
            why = f"it was read with {sure[i]:.0%} confidence, and what else is linked so is not "
            why += "linked as these are"
            yield _misreading(g, i, float(wrong[i]), why)


def against(
    g: Grounds, c: Constraint, head: int, relation: int, tail: int
) -> tuple[str, tuple[int, ...]]:
    """Why a new fact breaks a constraint, and the edges that it stands against."""
    s = g.snapshot
    kept = f"{c.support - c.exceptions:,} of {c.support:,}"
    said = "an ontology declares it" if c.declared else f"{kept} keep to that"
    own, back = (np.arange(*s.out_indptr[[end, end + 1]]) for end in (head, tail))
    into = s.in_edge[slice(*s.in_indptr[[tail, tail + 1]])]
    edges = own[:0]
    match c.kind:
        case "functional":
            edges = own[s.relation[own] == relation]
            why = f"{{e0}} has another {{r0}}, and things have one: {said}"
        case "inverse functional":
            edges = into[s.relation[into] == relation]
            why = f"{{e1}} is the {{r0}} of another, and things are it of one: {said}"
        case "irreflexive":
            why = f"nothing is its own {{r0}}: {said}"
        case "asymmetric":
            edges = back[(s.relation[back] == relation) & (s.tail[back] == head)]
            why = f"the reverse is stated, and {{r0}} leads one way: {said}"
        case _:
            end, place = ("head", 0) if c.kind == "domain" else ("tail", 1)
            types = " or ".join(f"{{c{i}}}" for i in range(len(c.classes)))
            why = f"its {end} {{e{place}}} is not stated to be of the type {types}: {said}"
    return why, tuple(edges[:SHOWN].tolist())


def _misreading(
    g: Grounds,
    i: int,
    certainty: float,
    why: str,
    classes: tuple[int, ...] = (),
    edges: tuple[int, ...] = (),
) -> Suspect:
    head, relation, tail = g.read[:, i].tolist()
    sentence = plain(g.snapshot.extracted_text[i])
    why = f"{{e0}} —{{r0}}→ {{e1}} may be misread: {why} (“{sentence}”)"
    ends, of = (head, tail), (relation,)
    return Suspect("misread", "medium", certainty, why, ends, of, classes, edges, read=i)
