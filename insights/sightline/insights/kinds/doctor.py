"""What looks wrong, and how to mend it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from annotated_doc import Doc

from sightline.graph.snapshot.statement import Statement
from sightline.graph.vocabulary import EXTRACTED_GRAPH, OWL
from sightline.insights.from_texts import told
from sightline.insights.kind import Kind, Limit, Sightline, Span
from sightline.insights.records import EntityRef, Fact, FindingKind, Ref, Severity, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sightline.graph.record.loads import Load
    from sightline.graph.snapshot.reader import Snapshot
    from sightline.graph.storage.workspace import Workspace
    from sightline.insights.checks.grounds import Suspect

#: Values of one label in a sentence.
MOST_LABEL = 80
#: What lists of loads call the load of an accepted patch, before the finding's id.
ACCEPTED = "doctor finding "

#: What somebody decided about a finding. An accepted one is gone with the next compile.
State = Literal["open", "accepted", "ignored"]


@dataclass(frozen=True, slots=True)
class DoctorQuestion:
    """Which findings."""

    kind: Annotated[Literal["all", FindingKind], Doc("Only this kind of finding.")] = "all"
    limit: Limit = 20
    state: Annotated[
        Literal["all", State], Doc("Only those that nobody decided about, or others.")
    ] = "open"
    deadline_ms: Annotated[int, Span(1, 600_000), Doc("Answer after this many milliseconds.")] = (
        60_000
    )


@dataclass(frozen=True)
class Patch:
    """How to mend a finding.

    Attributes:
        sparql: SPARQL Update text, for where the data comes from.
        retracts: statements that a load of retractions takes back, as ``doctor --apply`` writes it;
            empty where taking back is no cure.
    """

    sparql: str
    retracts: tuple[Statement, ...]


@dataclass(frozen=True)
class Affected:
    """What goes with the facts that a patch takes back.

    Attributes:
        paths: of two steps, one of which is such a fact.
        alone: entities that no other fact is about.
    """

    paths: int
    alone: tuple[EntityRef, ...]


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Attributes:
        id: of what it names; the same in every snapshot.
        certainty: chance that it is wrong, 0 to 1, as far as the graph says.
        facts: the evidence, with its sources.
        extracted: the fact of a text that it is about, with its sentence; null of what the graph
            holds.
        patch: null where the graph does not say what is wrong.
        affected: which answers lose something by it; null where it takes no fact back.
        load: of an accepted patch, which the graph that is served does not know yet.
    """

    id: str
    kind: FindingKind
    severity: Severity
    certainty: float
    why: str
    entities: tuple[EntityRef, ...]
    relations: tuple[Ref, ...]
    facts: tuple[Step, ...]
    extracted: Fact | None
    patch: Patch | None
    affected: Affected | None
    state: State
    load: str | None


@dataclass(frozen=True)
class FindingCount:
    """How many findings of one kind."""

    kind: FindingKind
    findings: int


@dataclass(frozen=True)
class StateCount:
    """How many findings of the kinds asked for are in a state."""

    state: State
    findings: int


@dataclass(frozen=True)
class Diagnosis:
    """What looks wrong.

    Attributes:
        total: findings of the kind and state asked for; of each kind at most 1000 are kept.
        counts: of each kind in that state; ``states``: of each state, of that kind.
        reason: what was not looked at, and why: what was left out where ``truncated``, or too few
            facts.
    """

    findings: tuple[Finding, ...]
    total: int
    counts: tuple[FindingCount, ...]
    states: tuple[StateCount, ...]
    truncated: bool
    reason: str | None


def doctor(sight: Sightline, asked: DoctorQuestion) -> Diagnosis:
    """What looks wrong: contradictions, doubles, implausible facts, facts of texts that may be
    misread, loose ends, each with evidence and a patch."""
    found, missed = sight.checkup.suspects(time.perf_counter() + asked.deadline_ms / 1000)
    decided = _decided(_workspace(sight))
    ids = [suspect.id_in(sight.snapshot) for suspect in found]
    states: list[State] = [decided[i][0] if i in decided else "open" for i in ids]
    there = [(s, state) for s, state in zip(found, states) if asked.state in ("all", state)]
    wanted = [suspect for suspect, _ in there if asked.kind in ("all", suspect.kind)]
    kinds = Counter(suspect.kind for suspect, _ in there)
    each = Counter(st for s, st in zip(found, states) if asked.kind in ("all", s.kind))
    late = f"the deadline left no time for {', '.join(missed)}" if missed else None
    return Diagnosis(
        findings=tuple(finding(sight, suspect, decided) for suspect in wanted[: asked.limit]),
        total=len(wanted),
        counts=tuple(FindingCount(kind, number) for kind, number in sorted(kinds.items())),
        states=tuple(StateCount(state, each[state]) for state in get_args(State)),
        truncated=bool(missed),
        reason=late or sight.checkup.too_few,
    )


def _workspace(sight: Sightline) -> Workspace:
    from sightline.graph.storage.workspace import Workspace

    return Workspace(sight.snapshot.folder.parents[1])


def _decided(ws: Workspace) -> Mapping[str, tuple[State, str | None]]:
    """What was decided about findings, by id: the state, and the load of an accepted patch that
    waits for a compile."""
    from sightline.graph.record.loads import active_loads
    from sightline.graph.storage.ignored import ignored

    states: dict[str, tuple[State, str | None]] = dict.fromkeys(ignored(ws), ("ignored", None))
    compiled = set(ws.current.loads)
    for load in active_loads(ws):
        if load.source.startswith(ACCEPTED) and load.id not in compiled:
            states[load.source.removeprefix(ACCEPTED)] = ("accepted", load.id)
    return states


def accept(sight: Sightline, ref: str) -> tuple[Finding, Load]:
    """Take back the statements that a finding's patch names, by a load that the next compile heeds.

    Raises:
        UnknownFinding, NoCure, WorkspaceLocked, NotWritable, DiskFull
    """
    from sightline.graph.record.retractions import take_back
    from sightline.insights.errors import NoCure

    found = find(sight, ref)
    if found.patch is None or not found.patch.retracts:
        raise NoCure(found.id)
    load = take_back(
        *(_workspace(sight), found.patch.retracts, ACCEPTED + found.id),
        of_texts=found.kind == "misread",
    )
    return find(sight, found.id), load


def ignore(sight: Sightline, ref: str) -> Finding:
    """Let a finding be: it is listed no more unless it is asked for.

    Raises:
        UnknownFinding, WorkspaceLocked, NotWritable, DiskFull
    """
    from sightline.graph.storage.ignored import ignore as keep

    found = find(sight, ref)
    keep(_workspace(sight), found.id)
    return find(sight, found.id)


def reopen(sight: Sightline, ref: str) -> Finding:
    """Take back what was decided about a finding: list it again, without the load of its patch.

    Raises:
        UnknownFinding, WorkspaceLocked, NotWritable, DiskFull
    """
    from sightline.graph.storage.ignored import ignore as keep

    found, ws = find(sight, ref), _workspace(sight)
    keep(ws, found.id, on=False)
    if found.load is not None:
        ws.set_retracted(found.load, True)
    return find(sight, found.id)


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
    return finding(sight, same[0], _decided(_workspace(sight)))


def finding(
    sight: Sightline,
    suspect: Suspect,
    decided: Mapping[str, tuple[State, str | None]] = MappingProxyType({}),
) -> Finding:
    """A suspect with labels, sources, a patch, and what was decided about it."""
    from sightline.graph.snapshot.search import normalise

    s, names = sight.snapshot, sight.names
    labels: dict[str, str] = {}
    for letter, ids, texts in (
        ("e", suspect.entities, s.entity_labels),
        ("r", suspect.relations, s.relation_labels),
        ("c", suspect.classes, s.class_labels),
    ):
        said = [texts[one][:MOST_LABEL] for one in ids]
        if letter == "e":
            # Of several of one name the ids tell which.
            again = Counter(normalise(text) for text in said)
            said = [
                f"{text} ({names.entity(one).id})" if again[normalise(text)] > 1 else text
                for one, text in zip(ids, said)
            ]
        labels |= {f"{letter}{i}": text for i, text in enumerate(said)}
    named = suspect.id_in(s)
    state, load = decided.get(named, ("open", None))
    return Finding(
        id=named,
        kind=suspect.kind,
        severity=suspect.severity,
        certainty=suspect.certainty,
        why=suspect.why.format(**labels),
        entities=tuple(map(names.entity, suspect.entities)),
        relations=tuple(map(names.relation, suspect.relations)),
        facts=tuple(names.step(e, int(s.relation[e])) for e in suspect.edges),
        extracted=None if suspect.read is None else told(sight, s.extraction_at(suspect.read)),
        patch=_patch(s, suspect),
        affected=_affected(sight, suspect),
        state=state,
        load=load,
    )


def _affected(sight: Sightline, suspect: Suspect) -> Affected | None:
    s = sight.snapshot
    facts = {int(s.fact_of[e]) for e in suspect.wrong}
    if not facts:
        return None
    ends = {f: Counter((int(s.head[f]), int(s.tail[f]))) for f in facts}
    paths = sum(int(s.degree[end]) - n for at in ends.values() for end, n in at.items())
    gone = sum(ends.values(), Counter[int]())
    alone = sorted(end for end, number in gone.items() if s.degree[end] <= number)
    return Affected(paths, tuple(map(sight.names.entity, alone)))


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
    if suspect.read is not None:
        ends, (r,) = suspect.entities, suspect.relations
        said = Statement(s.entity_iris[ends[0]], s.relation_iris[r], s.entity_iris[ends[1]])
        line = f"<{said.subject}> <{said.predicate}> <{said.object}> ."
        return Patch(f"DELETE DATA {{ GRAPH <{EXTRACTED_GRAPH}> {{ {line} }} }}", (said,))
    if suspect.same == "entities":
        one, *others = (s.entity_iris[e] for e in suspect.entities)
        return Patch(
            " ;\n".join(
                f"DELETE {{ <{x}> ?p ?o }} INSERT {{ <{one}> ?p ?o }} WHERE {{ <{x}> ?p ?o }} ;\n"
                f"DELETE {{ ?s ?p <{x}> }} INSERT {{ ?s ?p <{one}> }} WHERE {{ ?s ?p <{x}> }}"
                for x in others
            ),
            (),
        )
    if suspect.lacks:
        entity, (kind,) = s.entity_iris[suspect.entities[0]], suspect.classes
        return Patch(f"INSERT DATA {{ <{entity}> a <{s.class_iris[kind]}> }}", ())
    if suspect.same is not None:
        one, other = (s.relation_iris[r] for r in suspect.relations)
        how = "inverseOf" if suspect.same == "inverse relations" else "equivalentProperty"
        return Patch(f"INSERT DATA {{ <{one}> <{OWL}{how}> <{other}> }}", ())
    return None


KIND = Kind(
    doctor,
    route="GET /v1/doctor",
    tag="graph",
    order="Worst first.",
    command="doctor",
    example="sightline doctor -w world",
    dear=True,
    fresh=True,
)
