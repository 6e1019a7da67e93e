"""Why a fact holds, or may hold: what the graph says of it, and beside that what the model says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.snapshot.statement import Origin
from sightline.insights.kind import EntityName, K, Kind, Names, Sightline, Span
from sightline.insights.records import EntityRef, Faithfulness, Path, Qualifier, Reason, Ref, Status

if TYPE_CHECKING:
    from sightline.graph.snapshot.sections.extracted import Extraction
    from sightline.insights.ranking import Candidate

#: Walks shown for each rule.
WALKS = 3
NOT_ASKED = "not measured: it was not asked for"


@dataclass(frozen=True, slots=True)
class ExplainQuestion:
    """A fact."""

    head: EntityName
    relation: Annotated[str, Names("relation"), Doc("An IRI, a CURIE, or a label.")]
    tail: EntityName
    k: K = 5
    faithfulness: Annotated[
        bool, Doc("Measure how far the model's score rests on the support, within the deadline.")
    ] = False
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 1000


@dataclass(frozen=True)
class Chances:
    """What the model says of a fact that is not stated, as the answer to one question.

    Attributes:
        probability, probability_if_any, abstain: as in ``records.Fact``.
    """

    probability: float
    probability_if_any: float
    abstain: bool


@dataclass(frozen=True)
class Explanation:
    """Why a fact.

    Attributes:
        status: ``unknown`` where neither the graph nor the model says anything of it; ``note`` says
            why.
        origins: where it is stated, or read.
        qualifiers: of a fact extracted from a text its sentence, confidence and method.
        premises: of an inferred fact the rule and the facts it follows from.
        probability, probability_if_any, abstain: what the model says of a fact that is not stated,
            as in ``records.Fact``: of the tail as an answer to ``(head, relation, ?)``, the numbers
            of every list that was asked of the head. Null where the model does not know the tail.
        from_tail: the same of the head as an answer to ``(?, relation, tail)``, the numbers of
            lists that were asked of the tail; null where the model does not know the head, and of
            what is not predicted.
        graph_chance: what the rules say of it, the noisy-or of the lower ends of the intervals of
            the surest five: the model has no part in it. Null where no rule gives it.
        reasons: those rules, the surest first, with the facts in which they give it.
        support: the best paths between its ends besides itself, whether by a rule or not.
        support_note: such as "no support found".
        faithfulness: how far the model's score rests on the facts of the reasons and the support;
            null where that was not measured. The note says it in words, or why not.
        reason: what was cut when ``truncated``.
    """

    head: EntityRef
    relation: Ref
    tail: EntityRef
    status: Status | Literal["unknown"]
    note: str | None
    origins: tuple[Origin, ...]
    qualifiers: tuple[Qualifier, ...]
    premises: str | None
    probability: float | None
    probability_if_any: float | None
    abstain: bool
    from_tail: Chances | None
    graph_chance: float | None
    reasons: tuple[Reason, ...]
    support: tuple[Path, ...]
    support_note: str | None
    faithfulness: Faithfulness | None
    faithfulness_note: str
    truncated: bool
    reason: str | None


def explain(sight: Sightline, asked: ExplainQuestion) -> Explanation:
    """Why a fact holds, or may hold: where it is stated, what it follows from, which mined rules
    give it, each with the facts that fit it, and what the model says.

    What the graph says and what the model says stand beside each other and are never mixed. A fact
    is no reason for itself, nor is its statement the other way round.

    Raises:
        UnknownRelation
    """
    return explained(sight, asked, time.perf_counter() + asked.deadline_ms / 1000)


def explained(sight: Sightline, asked: ExplainQuestion, end: float) -> Explanation:
    """``explain``, until a time on the clock ``time.perf_counter``: infinite where no clock shall
    decide what is measured."""
    from sightline.graph.mining.reasons import chance_of, evidence, reasons
    from sightline.graph.paths.find import find_paths
    from sightline.insights.faithfulness import STATED, faithfulness
    from sightline.insights.from_texts import qualifiers
    from sightline.insights.ranking import judged
    from sightline.insights.reasons import NO_RULES, told
    from sightline.insights.support import HOPS, NO_SUPPORT

    s, names = sight.snapshot, sight.names
    head, tail = sight.entity(asked.head), sight.entity(asked.tail)
    relation = s.resolve_relation(asked.relation)
    stated = [e for e in sight.facts.between(head, tail).tolist() if s.relation[e] == relation]
    edge = stated[0] if stated else None
    own = s.twins(edge) if edge is not None else []
    ahead, back, note = None, None, None
    if edge is None:
        ahead, back, note = judged(sight, head, relation, tail)
    found = told(sight, reasons(s, head, relation, tail)[: asked.k], head, tail, WALKS, own)
    left = 1000 * (end - time.perf_counter())
    paths = find_paths(
        s, head, tail, max_hops=HOPS, k=WALKS + len(own), deadline_ms=max(1, min(left, 60_000))
    )
    support = [p for p in paths.paths if len(p.edges) > 1 or p.edges[0] not in own][:WALKS]
    support_note = None if support or found else NO_SUPPORT
    if edge is None and sight.facts.states(tail, relation, head):
        support_note = "the reverse is stated"
    if s.rules is None:
        support_note = "; ".join(filter(None, (support_note, NO_RULES)))
    chances, from_tail = _chances(sight, ahead), _chances(sight, back)
    status: Status | Literal["unknown"] = "predicted" if ahead or back else "unknown"
    read = s.extraction(head, relation, tail) if edge is None else None
    if read is not None:
        status, note = "extracted", None
    faithful: Faithfulness | None = None
    if not asked.faithfulness:
        faithful_note = NOT_ASKED
    elif edge is not None:
        faithful_note = STATED
    elif not (ahead or back):
        faithful_note = f"not measured: the model says nothing of it{f' ({note})' if note else ''}"
    else:
        walks = [path for one, _ in found for path in evidence(s, one, head, tail, WALKS)[0]]
        edges = [step for path in (*walks, *support) for step in path.edges]
        faithful, faithful_note = faithfulness(sight, head, relation, tail, edges, end)
    return Explanation(
        head=names.entity(head),
        relation=names.relation(relation),
        tail=names.entity(tail),
        status=names.status(edge) if edge is not None else status,
        note=note,
        origins=_origins(sight, edge, read),
        qualifiers=() if read is None else qualifiers(sight, read),
        premises=None if edge is None else names.because([edge]).get(edge),
        probability=None if chances is None else chances.probability,
        probability_if_any=None if chances is None else chances.probability_if_any,
        abstain=chances is not None and chances.abstain,
        from_tail=from_tail,
        graph_chance=chance_of(s, [one for one, _ in found]) if found else None,
        reasons=tuple(record for _, record in found),
        support=tuple(map(names.path, support)),
        support_note=support_note,
        faithfulness=faithful,
        faithfulness_note=faithful_note,
        truncated=paths.truncated,
        reason=paths.reason,
    )


def _chances(sight: Sightline, said: Candidate | None) -> Chances | None:
    from sightline.insights.ranking import is_guess

    if said is None:
        return None
    assert said.chance is not None
    assert said.if_any is not None
    return Chances(said.chance, said.if_any, is_guess(sight, said))


def _origins(sight: Sightline, edge: int | None, read: Extraction | None) -> tuple[Origin, ...]:
    if edge is not None:
        return sight.names.origins(edge)
    return () if read is None else (read.origin,)


KIND = Kind(
    explain,
    route="POST /v1/explain",
    tag="predictions",
    order="The surest rule first.",
    command="explain",
    example="sightline explain Kenya borders Uganda -w world",
    examples={"a stated fact": {"head": "Kenya", "relation": "borders", "tail": "Uganda"}},
    dear=True,
)
