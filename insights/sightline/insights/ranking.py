"""Facts with one gap, completed and ranked: what speaks for each, and how sure the model is.

Knows how answers are ordered, which are stated and which make sense; scores come from
``model_view``, labels from ``names``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Flags
from sightline.graph.errors import SightlineError
from sightline.graph.snapshot.pairs import changes
from sightline.insights.errors import DoesNotApply
from sightline.insights.facts import fair_order
from sightline.insights.model_view import Answers
from sightline.insights.names import NOBODY
from sightline.insights.records import Direction, Fact, Path, Reason, Reliability
from sightline.insights.support import SUPPORT_BUDGET_MS, support_of
from sightline.models.errors import UnknownToModel

if TYPE_CHECKING:
    from sightline.graph.arrays import Floats, Ids, Offsets
    from sightline.graph.paths.find import Path as FoundPath
    from sightline.insights.ask import Sightline
    from sightline.insights.deadline import Deadline
    from sightline.insights.facts import Facts
    from sightline.insights.model_view import ModelView

#: Answers of a set that are shown.
MOST = 1000
#: What speaks for a fact about an entity that the graph does not hold.
FROM_EDGES = "predicted from the edges given"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact in ids, with its place in the ranking.

    Attributes:
        direction: as in ``Fact``.
        key: ranks, higher first.
        if_any, chance: probability given one more answer, and of the fact itself; never shown of a
            fact with an ``edge``.
        edge: id of a stated fact.
    """

    head: int
    relation: int
    tail: int
    direction: Direction | None
    key: float = -np.inf
    score: float | None = None
    if_any: float | None = None
    chance: float | None = None
    surprising: float | None = None
    edge: int | None = None

    @property
    def end(self) -> int:
        """The entity that was asked about."""
        return self.tail if self.direction == "in" else self.head

    @property
    def other(self) -> int:
        """The entity at the other end."""
        return self.head if self.direction == "in" else self.tail


@dataclass(frozen=True, slots=True)
class Room:
    """Among how many answers to one question some were chosen.

    Attributes:
        known: answers that the graph states.
        possible: entities that may be a further one, by their types.
        set_size: answers of the set of the coverage asked for.
    """

    known: int
    possible: int
    set_size: int | None = None


def stated(
    facts: Facts, entity: int, wanted: Flags, k: int, met: Sequence[Flags] = ()
) -> list[Candidate]:
    """At most ``k`` stated facts at an entity, ordered by ``facts.fair_order``: relations take
    turns, so that one with many answers does not hide the others, and in a relation the rarer
    neighbours come first. ``met``: conditions on what they say of themselves."""
    rel, answer, edge = facts.at(entity)
    keep = np.flatnonzero(wanted[rel])
    if met:
        keep = keep[facts.snapshot.saying(edge[keep], met)]
    keep = keep[facts.listed(edge[keep])]
    rel, answer, edge = rel[keep], answer[keep], edge[keep]
    order = fair_order(rel, facts.snapshot.degree[answer], answer)[:k]
    shown = (rel[order].tolist(), answer[order].tolist(), edge[order].tolist())
    return [_fact(facts, entity, r, a, edge=e) for r, a, e in zip(*shown)]


def new_neighbours(
    view: ModelView,
    entities: Sequence[int],
    wanted: Flags,
    k: int,
    deadline: Deadline,
    least: float = 0.0,
) -> list[list[Candidate]]:
    """For each of some entities the ``k`` likeliest answers to all its plausible directed relations
    that the graph lacks, by chance, then directed relation, score and id.

    Nobody asked whether a directed relation has one more answer, so its chance of that counts
    (``chance_of_another``). Not proposed: another answer to a directed relation that has one and
    takes only one, and the reverse of a stated fact. Where both readings of a relation propose the
    same entity the likelier one stays. Where time is short it is so for the last entities, and for
    the directed relations that hardly have one more answer.

    Args:
        least: chance under which answers may be left out: no answer is likelier than that there is
            one more, so that not all directed relations are asked.

    Raises:
        UnknownToModel
    """
    facts = view.facts
    plausible = [view.plausible_rels(entity) for entity in entities]
    owner = np.repeat(np.arange(len(entities)), [len(rels) for rels in plausible])
    rels = np.concatenate([*plausible, np.zeros(0, np.int64)])
    keep = wanted[rels] & (view.model_rels(rels) >= 0)
    asked, ids = rels[keep].astype(np.int32), np.array(entities, np.int32)
    another = view.another(ids[owner[keep]], asked)
    order = np.lexsort((-another, owner[keep]))
    order = order[another[order].astype(np.float32) >= np.float32(least)]
    owner, asked, another = owner[keep][order], asked[order], another[order]
    questions = view.asked(ids, owner, asked, another, both_ways=False)
    answers = view.new_answers(questions, k, deadline).answers
    answers = likeliest(facts, answers, owner[answers.question], k)
    of = owner[answers.question]
    found: list[list[Candidate]] = [[] for _ in entities]
    for number, one in zip(of.tolist(), candidates(view, ids[of], answers)):
        found[number].append(one)
    return found


def likeliest(facts: Facts, answers: Answers, owner: Offsets, k: int) -> Answers:
    """The best ``k`` answers of each owner, int64 ``(n,)``, to several directed relations, each
    other entity under a relation in one direction only: by owner, chance, then directed relation,
    score and id."""
    order = np.lexsort((answers.entity, -answers.score, answers.rel, -answers.chance, owner))
    relations, entities = facts.snapshot.num_relations, facts.snapshot.num_entities
    relation = (answers.rel % relations).astype(np.int64)
    other = (owner * relations + relation) * entities + answers.entity
    _, first = np.unique(other[order], return_index=True)
    order = order[np.sort(first)]
    begins = np.flatnonzero(changes(owner[order]))
    turn = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return answers.take(order[turn < k])


@dataclass(frozen=True, slots=True)
class Gap:
    """One directed relation of an entity, whose answers are wanted.

    Attributes:
        k: how many, where ``coverage`` is None.
        new_only: none that are stated.
        coverage: the new answers of a set of that coverage are wanted, at most ``MOST``.
    """

    anchor: int
    rel: int
    k: int
    new_only: bool
    coverage: float | None

    def check(self, view: ModelView) -> None:
        """Refuse what cannot be answered.

        Raises:
            UnknownToModel
            DoesNotApply: no entity of its types has such a fact.
        """
        view.require_rel(self.rel)
        require_applies(view.facts, self.anchor, [self.rel])
        view.start(self.anchor)


def complete(view: ModelView, gaps: Sequence[Gap]) -> list[tuple[list[Candidate], Room]]:
    """The best answers to each of some gaps that were checked, by score, ties by id, and among how
    many.

    Stated answers stand where the model ranks them; those it does not know stand last.
    """
    if not gaps:
        return []
    anchors = np.array([gap.anchor for gap in gaps], np.int32)
    rels = np.array([gap.rel for gap in gaps], np.int32)
    bound = np.array(
        [
            0.0 if g.coverage is None else view.calibration_of(g.anchor).bound(g.coverage)
            for g in gaps
        ]
    )
    most = max(gap.k if gap.coverage is None else MOST for gap in gaps)
    asked = view.asked(anchors, np.arange(len(gaps)), rels)
    found = view.new_answers(asked, most, bound=bound)
    begins = np.searchsorted(found.answers.question, np.arange(len(gaps) + 1))
    completed = []
    for i, gap in enumerate(gaps):
        size = None if gap.coverage is None else int(found.within[i])
        k = gap.k if size is None else min(size, MOST)
        new = np.arange(begins[i], min(begins[i + 1], begins[i] + k))
        answers = candidates(view, anchors[i : i + 1].repeat(len(new)), found.answers.take(new))
        stated = slice(*asked.stated[1][i : i + 2].tolist())
        if not gap.new_only and size is None:
            scores = found.stated_scores[stated]
            answers += _stated_answers(view, gap, asked.stated[0][stated], scores, k)
        room = Room(stated.stop - stated.start, int(found.possible[i]), size)
        completed.append((_best(answers, k), room))
    return completed


def require_applies(facts: Facts, anchor: int, rels: Sequence[int]) -> None:
    """Check that types allow an entity a fact under one of some directed relations of a relation.

    Raises:
        DoesNotApply: no entity of its types has such a fact.
    """
    s, answerable = facts.snapshot, facts.answerable(anchor)
    if not any(answerable[facts.inverse(rel)] for rel in rels):
        types = " or ".join(s.class_labels.take(s.types_of(anchor)))
        label = s.relation_labels[rels[0] % s.num_relations]
        raise DoesNotApply(types, label, rels[0] < s.num_relations)


def _stated_answers(
    view: ModelView, gap: Gap, stated: Ids, scores: Floats, k: int
) -> Iterator[Candidate]:
    """The best ``k`` stated answers; a hub may have very many. Scores of those that the model does
    not know are NaN."""
    _, edges = view.facts.answers(gap.anchor, gap.rel)
    known = ~np.isnan(scores)
    key = np.where(known, scores, -np.inf)
    for i in np.argsort(-key, kind="stable")[:k]:
        ids = gap.anchor, gap.rel, int(stated[i])
        score = float(key[i]) if known[i] else None
        yield _fact(view.facts, *ids, key=float(key[i]), score=score, edge=int(edges[i]))


def candidates(view: ModelView, anchors: Ids, answers: Answers) -> list[Candidate]:
    """Answers to some directed relations of entities, those of each answer, as candidates."""
    a = answers
    columns = (a.rel, a.entity, a.score, a.probability, a.chance, view.surprise(answers))
    return [
        _fact(
            view.facts,
            anchor,
            rel,
            answer,
            key=score,
            score=score,
            if_any=probability,
            chance=chance,
            surprising=bits,
        )
        for anchor, rel, answer, score, probability, chance, bits in zip(
            anchors.tolist(), *(c.tolist() for c in columns)
        )
    ]


def _fact(facts: Facts, anchor: int, rel: int, answer: int, **said: Any) -> Candidate:
    """An answer as a candidate: which of the two is the head depends on the reading direction."""
    relation = rel % facts.snapshot.num_relations
    if rel == relation:
        return Candidate(anchor, relation, answer, "out", **said)
    return Candidate(answer, relation, anchor, "in", **said)


def connect(
    view: ModelView, head: int, tail: int, k: int, new_only: bool, deadline: Deadline
) -> list[Candidate]:
    """The best ``k`` relations from ``head`` to ``tail``, by chance, ties by id.

    Each is asked of the head, as is a missing tail, and of no tail: one fact has one chance for one
    question, never a mean of two. A stated fact is judged as if it were not stated. Relations
    foreign to the types of either end are left out; where time is short, those that hardly have
    one more answer are not asked.

    Raises:
        UnknownToModel
    """
    facts = view.facts
    num_relations = facts.snapshot.num_relations
    edge_of = {int(facts.snapshot.relation[e]): int(e) for e in facts.between(head, tail)}
    fits = facts.answerable(tail)[:num_relations] & facts.answerable(head)[num_relations:]
    fits &= head != tail
    fits[list(edge_of)] = True
    rels = view.known_rels(np.flatnonzero(fits))
    view.row(tail)
    answers = _asked_of(view, head, rels, tail, deadline)
    found = [
        replace(c, key=float(p), edge=edge_of.get(c.relation), direction=None)
        for c, p in zip(candidates(view, np.full(len(answers.rel), head), answers), answers.chance)
    ]
    found += [
        Candidate(head, relation, tail, None, edge=edge_of[relation])
        for relation in set(edge_of) - set(answers.rel.tolist())
    ]
    return _best([c for c in found if c.edge is None or not new_only], k)


def _asked_of(
    view: ModelView, anchor: int, rels: Ids, answer: int, deadline: Deadline | None = None
) -> Answers:
    """What the model says of one answer to some directed relations of an anchor, those that likely
    have one more first."""
    another = view.another(np.full(len(rels), anchor, np.int32), rels)
    order = np.argsort(-another, kind="stable")
    rels, another = rels[order], another[order]
    asked = view.questions(anchor, rels)
    each = asked if deadline is None else deadline.each(asked, len(rels))
    said = np.reshape([view.judge(question, answer) for question in each], (-1, 2))
    score, probability = said.astype(np.float32).T
    chance: Floats = another[: len(said)].astype(np.float32)
    entity = np.full(len(said), answer, np.int32)
    return Answers(np.arange(len(said)), rels[: len(said)], entity, score, probability, chance)


def judged(
    sight: Sightline, head: int, relation: int, tail: int
) -> tuple[Candidate | None, Candidate | None, str | None]:
    """What the model says of one fact, as an answer to ``(head, relation, ?)`` and as one to
    ``(?, relation, tail)``, and a warning; or why it says nothing.

    An entity without a row is no answer, but can be asked about.
    """
    if head == tail:
        return None, None, "the model is not asked whether something is linked with itself"
    asked = (head, relation, tail), (tail, sight.facts.inverse(relation), head)
    said: list[Candidate | None] = []
    note = None
    try:
        view = sight.model_view
        view.require_rel(relation)
        for anchor, rel, _ in asked:
            require_applies(view.facts, anchor, [rel])
    except SightlineError as error:
        return None, None, error.public
    for anchor, rel, answer in asked:
        try:
            found = _asked_of(view, anchor, np.array([rel], np.int32), answer)
            said += candidates(view, np.array([anchor]), found)
        except UnknownToModel as error:
            said.append(None)
            note = error.public
    ahead, back = said
    return ahead, back, view.note(None, head, tail) if ahead or back else note


def candidate_of(sight: Sightline, fact: Fact) -> Candidate:
    """A predicted fact about entities of the graph in ids again."""
    relation = sight.snapshot.resolve_relation(fact.relation.iri)
    head, tail = sight.entity(fact.head.iri), sight.entity(fact.tail.iri)
    return Candidate(
        head,
        relation,
        tail,
        fact.direction,
        score=fact.score,
        if_any=fact.probability_if_any,
        chance=fact.probability,
        surprising=fact.surprising,
    )


def _best(found: Iterable[Candidate], k: int) -> list[Candidate]:
    return sorted(found, key=lambda c: (-c.key, c.head, c.relation, c.tail))[:k]


def told(
    sight: Sightline,
    found: Sequence[Candidate],
    ranked: bool = True,
    budget_ms: float = SUPPORT_BUDGET_MS,
) -> tuple[Fact, ...]:
    """Candidates as records, with the origins of what is stated and support for what is not, which
    is looked for in ``budget_ms`` milliseconds.

    Those that are not stated have an end in common.
    """
    names = sight.names
    because = names.because(c.edge for c in found if c.edge is not None)
    new = [c for c in found if c.edge is None and NOBODY not in (c.head, c.tail)]
    others = [c.other for c in new]
    supported = support_of(sight.snapshot, new[0].end, others, budget_ms) if new else {}
    facts = []
    for rank, c in enumerate(found, 1):
        paths: tuple[Path, ...] = ()
        note = FROM_EDGES if c.edge is None else because.get(c.edge)
        rule, by_rules = None, None
        if c.edge is None and c.other in supported:
            paths, note = _speaks_for(sight, c, *supported[c.other])
            rule, by_rules = _ruled(sight, c)
        facts.append(
            Fact(
                head=names.entity(c.head),
                relation=names.relation(c.relation),
                tail=names.entity(c.tail),
                direction=c.direction,
                status=names.status(c.edge),
                probability=c.chance if c.edge is None else None,
                probability_if_any=c.if_any if c.edge is None else None,
                abstain=c.edge is None and is_guess(sight, c),
                rank=rank if ranked else None,
                score=c.score,
                surprising=c.surprising if c.edge is None else None,
                support=paths,
                support_note=note,
                rule=rule,
                graph_chance=by_rules,
                origins=() if c.edge is None else names.origins(c.edge),
                qualifiers=() if c.edge is None else names.qualifiers(c.edge),
            )
        )
    return tuple(facts)


def _speaks_for(
    sight: Sightline, c: Candidate, found: Iterable[FoundPath], note: str | None
) -> tuple[tuple[Path, ...], str | None]:
    """The support of a new fact, read from head to tail, and what to know about it."""
    if c.end == c.tail:
        found = [path.turned(sight.snapshot.num_relations) for path in found]
    if sight.facts.states(c.tail, c.relation, c.head):
        note = "the reverse is stated"
    return tuple(map(sight.names.path, found)), sight.model_view.note(note, c.head, c.tail)


def _ruled(sight: Sightline, c: Candidate) -> tuple[Reason | None, float | None]:
    """The surest rule that gives a new fact, and what the rules say of it together."""
    from sightline.graph.mining.reasons import chance_of, reasons
    from sightline.insights.reasons import told as told_reasons

    found = reasons(sight.snapshot, c.head, c.relation, c.tail)
    if not found:
        return None, None
    ((_, surest),) = told_reasons(sight, found[:1], c.head, c.tail, 1)
    return surest, chance_of(sight.snapshot, found)


def is_guess(sight: Sightline, c: Candidate) -> bool:
    """Whether a new fact is below the threshold, which was fitted given that there is an answer."""
    calibration = sight.model_view.calibration_of(c.end)
    return c.if_any is not None and c.if_any < calibration.abstain_below


def reliability(
    sight: Sightline,
    facts: Sequence[Fact],
    reason: str | None,
    nothing: str | None = None,
    about: int = NOBODY,
) -> dict[str, Any]:
    """The fields of ``Reliability`` of an answer with some facts, and what was cut of it.

    Args:
        nothing: why there is none, where there is none.
        about: the entity that was asked about, where it is one.
    """
    why = nothing if reason is None and not facts else reason
    cut = {"truncated": reason is not None, "reason": why}
    if sight.model is None:
        return dict.fromkeys(field.name for field in fields(Reliability)) | cut
    calibration = sight.model_view.calibration_of(about)
    measured = sight.metrics.get("calibration", {}).get("test", {})
    if calibration is sight.model.scorer.texts:
        measured = (sight.metrics.get("texts") or {}).get("calibration", {})
    return cut | {
        "model": sight.model.scorer.name,
        "abstain_below": calibration.abstain_below,
        "base_rate": calibration.base_rate,
        "calibration_error": measured.get("ece"),
        "guesses": sum(fact.abstain for fact in facts),
    }
