"""What is new and worth a line: likely, spoken for, and not just popular."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.insights.kind import (
    Argument,
    DeadlineMs,
    K,
    Kind,
    Names,
    RelationName,
    Sightline,
)
from sightline.insights.kinds.paths import SIGNIFICANT, Metapath, PathsQuestion, paths
from sightline.insights.records import EntityRef, Fact, Ref, Reliability

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags
    from sightline.graph.mining.constraints import Constraint
    from sightline.insights.ranking import Candidate

#: Predictions about an entity that are looked at.
EACH = 10
#: What is asked where nobody names an entity: relations and directions of one, where the model
#: reads the graph for each question, and the least chance that there is one more answer.
RELS, LEAST_ANOTHER = 8, 0.2
#: What is less likely is not worth a line.
LEAST_CHANCE = 0.1
#: Predictions for which reasons are looked for, and so many for each that is wanted.
LOOKED_AT, FOR_EACH = 50, 5
#: What each fact of a relation between two types takes off the next one's worth.
AGAIN = 0.98
#: What the graph says of what no rule gives, but paths that chance does not explain.
BY_PATHS = 0.05
#: Shapes of paths between the ends of a fact that are tested.
SHAPES = 3
#: Why predictions are left out.
GUESS = "guesses"
UNKNOWN = "guesses, as there were too few held-out facts to say how sure the model is"
UNLIKELY = "there hardly is one more such fact"
POPULAR = "popularity explains them"
BROKEN = "all stated facts keep a constraint that they break"
UNSPOKEN = "no rule gives them, and chance explains the paths between their ends"
SAME_TWO = "another fact about the same two is listed"
LESS = "less surprising than those that are listed"
#: Forbidden predictions that are named.
NAMED = 5
#: Share of the time in which the model is asked; milliseconds for the paths of one fact, also where
#: nobody waits.
ASKING, CONNECTING_MS, PATIENCE_MS = 0.6, 200, 60_000


@dataclass(frozen=True, slots=True)
class SurprisingQuestion:
    """About what."""

    about: Annotated[
        tuple[str, ...],
        Names("entity"),
        Argument(required=False),
        Doc("Only facts about these; else the best connected of each type in turn are asked."),
    ] = ()
    relation: RelationName = None
    k: K = 10
    deadline_ms: DeadlineMs = 10_000


@dataclass(frozen=True)
class Surprise:
    """A new fact.

    Attributes:
        connection: of the shapes of paths between its ends the one that chance explains least;
            null where there is none.
    """

    fact: Fact
    connection: Metapath | None


@dataclass(frozen=True)
class Forbidden:
    """A prediction that cannot hold, and the constraint that says so, which all facts keep."""

    head: EntityRef
    relation: Ref
    tail: EntityRef
    constraint: str


@dataclass(frozen=True)
class LeftOut:
    """How many predictions are not listed for one reason."""

    why: str
    facts: int


@dataclass(frozen=True)
class Surprising(Reliability):
    """What is new and worth a line.

    Attributes:
        asked: about how many entities the model was asked, of ``entities``.
        left_out: what was predicted and is not listed, by reason; the first that holds counts.
        forbidden: some of what a constraint takes away.
    """

    asked: int
    entities: int
    surprising: tuple[Surprise, ...]
    left_out: tuple[LeftOut, ...]
    forbidden: tuple[Forbidden, ...]


def surprising(sight: Sightline, asked: SurprisingQuestion) -> Surprising:
    """New facts that are worth a line: likely enough, with a reason in the graph, and not likely
    because an end is popular alone.

    A rule gives each, or paths that chance does not explain join its ends; none breaks a
    constraint that all stated facts keep. What is likeliest by the graph's rules comes first, less
    the share of its chance that popularity explains, and a little less for each fact of the same
    relation and types before it: the model's chance is a share among all answers, so that of many
    right ones each has little. Of several facts about the same two entities it is the best.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch: nothing predicts.
        UnknownEntity, UnknownRelation
    """
    return search(sight, asked, None)


def search(sight: Sightline, asked: SurprisingQuestion, most: int | None) -> Surprising:
    """``surprising``, of the first ``most`` entities, where not None."""
    from sightline.insights.ranking import reliability

    relation = sight.relation(asked.relation)
    named = [sight.entity(name) for name in asked.about]
    every, wanted = asked_about(sight, named, relation)
    entities = every[:most]
    found: list[Candidate] = []
    end = time.perf_counter() + asked.deadline_ms / 1000
    done, late = 0, None
    for entity in entities:
        left = end - time.perf_counter() - (1 - ASKING) * asked.deadline_ms / 1000
        if done and left <= 0:
            break
        one, late = predicted(sight, entity, wanted, bool(named), left)
        found += one
        done += 1
        if done == 1:
            # The first of a process loads kernels, which may take longer than all the time.
            end = max(end, time.perf_counter() + asked.deadline_ms / 1000)
    cut = [late] if late else []
    if len(entities) < len(every):
        cut.append(f"{len(entities):,} of {len(every):,} entities are asked about")
    if done < len(entities):
        missed = f"{len(entities) - done:,} of {len(entities):,} entities"
        cut.append(f"the deadline of {asked.deadline_ms} ms left no time for {missed}")
    chosen = choose(sight, found, asked.k, end)
    cut += [chosen.reason] if chosen.reason else []
    facts = [one.fact for one in chosen.surprising]
    nothing = None if chosen.left_out else "nothing new is predicted of any of them"
    return Surprising(
        **reliability(sight, facts, "; ".join(cut) or None, nothing),
        asked=done,
        entities=len(every),
        surprising=chosen.surprising,
        left_out=chosen.left_out,
        forbidden=chosen.forbidden,
    )


def asked_about(
    sight: Sightline, named: Sequence[int], relation: int | None
) -> tuple[list[int], Flags]:
    """The entities to ask about, in order, and the directed relations.

    Of a relation the side that has fewer; of all relations the best connected of each type in turn.
    """
    import numpy as np

    from sightline.insights.facts import fair_order

    s, facts = sight.snapshot, sight.facts
    wanted = facts.rels(relation, "both")
    if named:
        return list(dict.fromkeys(named)), wanted
    asked = s.degree > 0
    if relation is not None:
        rels = np.flatnonzero(wanted)
        few = int(rels[np.argmin(facts.anchors_per_rel[rels])])
        wanted = facts.rels(relation, "out" if few == relation else "in")
        asked &= facts.fitting(facts.inverse(few))
    linked = np.flatnonzero(asked).astype(np.int32)
    first = np.append(s.type_class, -1)[s.type_indptr[linked]]
    typed = s.type_indptr[linked + 1] > s.type_indptr[linked]
    order = fair_order(np.where(typed, first, -1), -s.degree[linked], linked)
    entities = linked[order].tolist()
    return [entity for entity in entities if sight.can_predict(entity)], wanted


def predicted(
    sight: Sightline, entity: int, wanted: Flags, named: bool, seconds: float
) -> tuple[list[Candidate], str | None]:
    """The likeliest new facts about an entity, and what there was no time for."""
    import numpy as np

    from sightline.insights.deadline import Deadline
    from sightline.insights.ranking import new_neighbours

    if not named and sight.reads_graph:
        # An answer is no likelier than that there is one more.
        rels = np.flatnonzero(wanted)
        another = sight.model_view.another(np.full(len(rels), entity), rels)
        plausible = np.isin(rels, sight.model_view.plausible_rels(entity)) & (
            another >= LEAST_ANOTHER
        )
        likeliest = np.argsort(np.where(plausible, -another, 0), kind="stable")[:RELS]
        wanted = np.zeros_like(wanted)
        wanted[rels[likeliest[plausible[likeliest]]]] = True
    deadline = Deadline(max(1, round(1000 * seconds)))
    (found,) = new_neighbours(sight.model_view, [entity], wanted, EACH, deadline)
    return found, deadline.reason


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of some predictions is surprising, as in ``Surprising``."""

    surprising: tuple[Surprise, ...]
    left_out: tuple[LeftOut, ...]
    forbidden: tuple[Forbidden, ...]
    reason: str | None


def choose(
    sight: Sightline, predictions: Sequence[Candidate], k: int, end: float = float("inf")
) -> Chosen:
    """The ``k`` most surprising of some predictions.

    Args:
        end: when to look for no more reasons, on the clock ``time.perf_counter``.
    """
    from sightline.graph.mining.reasons import chance_of, reasons
    from sightline.insights.ranking import told

    counts: Counter[str] = Counter()
    worth, forbidden = _worth(sight, predictions, counts)
    worth.sort(key=lambda c: (-_gain(c), c.head, c.relation, c.tail))
    most = LOOKED_AT + FOR_EACH * k
    counts[LESS] += len(worth[most:])
    # By worth, with the sort of fact; what a fact is worth only falls.
    heap: list[tuple[float, int, int]] = []
    ruled: list[bool] = []
    for place, c in enumerate(worth[:most]):
        rules = reasons(sight.snapshot, c.head, c.relation, c.tail)
        by_rules = chance_of(sight.snapshot, rules) if rules else 0.0
        heap.append((-_beyond(c) * max(by_rules, BY_PATHS), place, 0))
        ruled.append(bool(rules))
    heapify(heap)
    chosen: list[Surprise] = []
    seen: Counter[tuple[int, ...]] = Counter()
    pairs: set[frozenset[int]] = set()
    while heap and len(chosen) < k and (not chosen or time.perf_counter() < end):
        value, place, times = heappop(heap)
        c = worth[place]
        sort = _sort(sight, c)
        if seen[sort] > times:
            heappush(heap, (value * AGAIN ** (seen[sort] - times), place, seen[sort]))
        elif frozenset((c.head, c.tail)) in pairs:
            counts[SAME_TWO] += 1
        else:
            connection = _connection(sight, c, CONNECTING_MS if end < float("inf") else PATIENCE_MS)
            if not ruled[place] and not _unexplained(connection):
                counts[UNSPOKEN] += 1
                continue
            seen[sort] += 1
            pairs.add(frozenset((c.head, c.tail)))
            chosen.append(Surprise(told(sight, [c], ranked=False)[0], connection))
    late = bool(heap) and len(chosen) < k
    counts[LESS] += 0 if late else len(heap)
    reason = f"{len(heap):,} predictions were not looked at for want of time" if late else None
    left_out = tuple(LeftOut(why, n) for why, n in counts.most_common() if n)
    return Chosen(tuple(chosen), left_out, forbidden, reason)


def _gain(c: Candidate) -> float:
    return (c.if_any or 0.0) * _beyond(c)


def _beyond(c: Candidate) -> float:
    """The share of a chance that popularity does not explain: one less popularity's share of it."""
    return 1.0 - math.exp2(-(c.surprising or 0.0))


def _sort(sight: Sightline, c: Candidate) -> tuple[int, ...]:
    """The relation of a fact and the first type of either end, -1 for none."""
    first = (sight.snapshot.types_of(end)[:1].tolist() or [-1] for end in (c.head, c.tail))
    return (c.relation, *(kind for (kind,) in first))


def _worth(
    sight: Sightline, predictions: Sequence[Candidate], counts: Counter[str]
) -> tuple[list[Candidate], tuple[Forbidden, ...]]:
    """The predictions that are no guesses, more than popular, and break no constraint which all
    stated facts keep; and some of those that do."""
    import numpy as np

    from sightline.insights.ranking import is_guess

    base_rate = sight.model_view.model.scorer.calibration.base_rate
    if base_rate is None:
        counts[UNKNOWN] += len(predictions)
        return [], ()
    kept = []
    for c in predictions:
        if is_guess(sight, c) or (c.if_any or 0.0) < base_rate:
            counts[GUESS] += 1
        elif (c.chance or 0.0) < LEAST_CHANCE:
            counts[UNLIKELY] += 1
        elif (c.surprising or 0.0) <= 0:
            counts[POPULAR] += 1
        else:
            kept.append(c)
    if not kept:
        return [], ()
    ids = np.array([(c.head, c.relation, c.tail) for c in kept], np.int32).T
    broken = sight.constraints.excluded(*ids).tolist()
    names = sight.names
    forbidden = [
        Forbidden(
            names.entity(c.head),
            names.relation(c.relation),
            names.entity(c.tail),
            in_words(sight, sight.constraints.found[place]),
        )
        for c, place in zip(kept, broken)
        if place >= 0
    ]
    counts[BROKEN] += len(forbidden)
    return [c for c, place in zip(kept, broken) if place < 0], tuple(forbidden[:NAMED])


def in_words(sight: Sightline, constraint: Constraint) -> str:
    """What new facts of a relation cannot be."""
    assert constraint.relation is not None
    s = sight.snapshot
    label, all_ = s.relation_labels[constraint.relation], f"all {constraint.support:,}"
    types = " or ".join(s.class_labels.take(constraint.classes))
    rule = {
        "functional": "a head has one tail",
        "inverse functional": "a tail has one head",
        "irreflexive": "no fact leads to itself",
        "asymmetric": "no fact is stated both ways",
        "domain": f"a head is {types}",
        "range": f"a tail is {types}",
    }[constraint.kind]
    why = "an ontology declares it" if constraint.declared else f"{all_} cases keep it"
    return f"{label} is {constraint.kind}: {rule}; {why}"


def _connection(sight: Sightline, c: Candidate, deadline_ms: int) -> Metapath | None:
    """Of the best shapes of paths between the ends the one that chance explains least."""
    iris = sight.snapshot.entity_iris
    asked = PathsQuestion((iris[c.head],), (iris[c.tail],), k=SHAPES, deadline_ms=deadline_ms)
    shapes = paths(sight, asked).metapaths
    return min(shapes, key=lambda m: (m.p_value is None, m.p_value, -m.score), default=None)


def _unexplained(connection: Metapath | None) -> bool:
    """Whether paths join two entities that chance is not known to explain."""
    if connection is None:
        return False
    return connection.q_value is None or connection.q_value <= SIGNIFICANT


KIND = Kind(
    surprising,
    route="GET /v1/surprising",
    tag="predictions",
    order="The most surprising first.",
    command="surprising",
    example='sightline surprising --relation "member of" -w world',
    dear=True,
)
