"""What looks wrong, and how to mend it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.snapshot.statement import Statement
from sightline.graph.vocabulary import OWL
from sightline.insights.kind import Kind, Limit, Sightline, Span
from sightline.insights.records import EntityRef, FindingKind, Ref, Severity, Step

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot
    from sightline.insights.checkup import Suspect

#: Values of one label in a sentence.
MOST_LABEL = 80


@dataclass(frozen=True, slots=True)
class DoctorQuestion:
    """Which findings."""

    kind: Annotated[Literal["all", FindingKind], Doc("Only this kind of finding.")] = "all"
    limit: Limit = 20
    deadline_ms: Annotated[int, Span(1, 600_000), Doc("Answer after this many milliseconds.")] = (
        60_000
    )


@dataclass(frozen=True, slots=True)
class Patch:
    """How to mend a finding.

    Attributes:
        sparql: SPARQL Update text, for where the data comes from.
        retracts: statements that a load of retractions takes back, as ``doctor --apply`` writes it;
            empty where taking back is no cure.
    """

    sparql: str
    retracts: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that looks wrong.

    Attributes:
        id: of what it names; the same in every snapshot.
        certainty: chance that it is wrong, 0 to 1, as far as the graph says.
        facts: the evidence, with its sources.
        patch: null where the graph does not say what is wrong.
    """

    id: str
    kind: FindingKind
    severity: Severity
    certainty: float
    why: str
    entities: tuple[EntityRef, ...]
    relations: tuple[Ref, ...]
    facts: tuple[Step, ...]
    patch: Patch | None


@dataclass(frozen=True, slots=True)
class FindingCount:
    """How many findings of one kind."""

    kind: FindingKind
    findings: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What looks wrong.

    Attributes:
        total: findings of the kind asked for; of each kind at most 1000 are kept.
        reason: what was not looked at, where ``truncated``.
    """

    findings: tuple[Finding, ...]
    total: int
    counts: tuple[FindingCount, ...]
    truncated: bool
    reason: str | None


def doctor(sight: Sightline, asked: DoctorQuestion) -> Diagnosis:
    """What looks wrong: contradictions, doubles, implausible facts, loose ends, each with evidence
    and a patch."""
    checkup = sight.checkup
    found, missed = checkup.suspects(time.perf_counter() + asked.deadline_ms / 1000)
    counts = Counter(suspect.kind for suspect in found)
    wanted = [s for s in found if asked.kind in ("all", s.kind)]
    reason = f"the deadline left no time for {', '.join(missed)}" if missed else None
    return Diagnosis(
        findings=tuple(finding(sight, suspect) for suspect in wanted[: asked.limit]),
        total=len(wanted),
        counts=tuple(FindingCount(kind, number) for kind, number in sorted(counts.items())),
        truncated=bool(missed),
        reason=reason,
    )


def find(sight: Sightline, ref: str) -> Finding:
    """The finding of an id, or of the start of one.

    Raises:
        UnknownFinding
    """
    from sightline.insights.errors import UnknownFinding

    found, _ = sight.checkup.suspects(float("inf"))
    same = [s for s in found if ref and s.id_in(sight.snapshot).startswith(ref)]
    if len(same) != 1:
        raise UnknownFinding(ref)
    return finding(sight, same[0])


def finding(sight: Sightline, suspect: Suspect) -> Finding:
    """A suspect with labels, sources and a patch."""
    s, names = sight.snapshot, sight.names
    labels: dict[str, str] = {}
    for letter, ids, texts in (
        ("e", suspect.entities, s.entity_labels),
        ("r", suspect.relations, s.relation_labels),
        ("c", suspect.classes, s.class_labels),
    ):
        labels |= {f"{letter}{i}": texts[one][:MOST_LABEL] for i, one in enumerate(ids)}
    return Finding(
        id=suspect.id_in(s),
        kind=suspect.kind,
        severity=suspect.severity,
        certainty=suspect.certainty,
        why=suspect.why.format(**labels),
        entities=tuple(map(names.entity, suspect.entities)),
        relations=tuple(map(names.relation, suspect.relations)),
        facts=tuple(names.step(e, int(s.relation[e])) for e in suspect.edges),
        patch=_patch(s, suspect),
    )


def _patch(s: Snapshot, suspect: Suspect) -> Patch | None:
    if suspect.wrong:
        edges = [twin for edge in suspect.wrong for twin in s.twins(edge)]
        statements = tuple(
            Statement(
                s.entity_iris[s.head[e]], s.relation_iris[s.relation[e]], s.entity_iris[s.tail[e]]
            )
            for e in edges
            if not s.edge_inferred[e]
        )
        lines = (f"  <{x.subject}> <{x.predicate}> <{x.object}> ." for x in statements)
        return Patch("DELETE DATA {\n" + "\n".join(lines) + "\n}", statements)
    if suspect.same == "entities":
        one, other = (s.entity_iris[e] for e in suspect.entities)
        text = (
            f"DELETE {{ <{other}> ?p ?o }} INSERT {{ <{one}> ?p ?o }} WHERE {{ <{other}> ?p ?o }}"
        )
        text += f" ;\nDELETE {{ ?s ?p <{other}> }} INSERT {{ ?s ?p <{one}> }} "
        return Patch(text + f"WHERE {{ ?s ?p <{other}> }}", ())
    if suspect.same is not None:
        one, other = (s.relation_iris[r] for r in suspect.relations)
        how = "inverseOf" if suspect.same == "inverse relations" else "equivalentProperty"
        return Patch(f"INSERT DATA {{ <{one}> <{OWL}{how}> <{other}> }}", ())
    return None


KIND = Kind(
    doctor,
    DoctorQuestion,
    Diagnosis,
    route="GET /v1/doctor",
    tag="graph",
    order="Worst first.",
    command="doctor",
    example="sightline doctor -w world",
    dear=True,
    deadline=True,
)
