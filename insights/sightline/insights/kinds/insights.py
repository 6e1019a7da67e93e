"""The findings of a graph that are most worth a look, without a question."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.insights.deadline import Deadline
from sightline.insights.kind import Kind, Sightline, Span
from sightline.insights.records import EntityRef

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids
    from sightline.graph.paths.chance import Chance
    from sightline.graph.paths.find import Metapath as FoundMetapath
    from sightline.graph.sets.enrich import Feature
    from sightline.insights.checks.grounds import Suspect

Sort = Literal[
    "likely error",
    "likely missing fact",
    "fact of a text",
    "unexpected connection",
    "in common",
    "bridge",
    "change",
]
#: Findings of one sort, at most.
EACH = 3
#: Entities that connections begin at, and lists compared.
STARTS, LISTS = 60, 60
#: Entities in a list of which it is asked what they have in common: few enough to be named.
FEWEST, MOST = 4, 12
#: A q-value up to which a finding stands out.
SIGNIFICANT = 0.05
#: A fact is called likely from this chance.
LIKELY = 0.5
#: The sort whose search takes any time that it is given.
ENDLESS: Sort = "likely missing fact"
#: What a look says of its own share of the time, which nobody set.
ITS_OWN = re.compile(r"the deadline of \d+ ms ")
#: What is said before a look that was cut found nothing.
NOT_ALL = "not everything was looked at; "
#: So many times what chance would give, and it is worth a line.
FOLD = 3


@dataclass(frozen=True, slots=True)
class InsightsQuestion:
    """How many findings."""

    limit: Annotated[int, Span(1, 50), Doc("How many findings.")] = 10
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = (
        20_000
    )


@dataclass(frozen=True)
class Insight:
    """One finding.

    Attributes:
        text: it, in one sentence.
        why: what speaks for it, in one line.
        command: what shows more of it.
        entities: what it is about.
    """

    sort: Sort
    text: str
    why: str
    command: str
    entities: tuple[EntityRef, ...]


@dataclass(frozen=True)
class Insights:
    """The most worthwhile findings; of each sort the first, then of each the second.

    Attributes:
        found: how many there were to choose from.
        nothing: for each sort without a finding the reason, in words; where time was short that not
            everything was looked at.
        reason: which sorts were not looked for to the end, and what of each was left, where
            ``truncated``.
    """

    insights: tuple[Insight, ...]
    found: int
    nothing: tuple[str, ...]
    truncated: bool
    reason: str | None


def insights(sight: Sightline, asked: InsightsQuestion) -> Insights:
    """The findings of a graph that are most worth a look, over all kinds and without a question: a
    likely error, a likely missing fact, a fact that a text states and no table, a connection that
    chance does not explain, what a few entities have in common, an entity that joins communities, a
    change.

    Each comes with a line of why, and the command that shows more.
    """
    return findings(sight, asked, None)


def findings(sight: Sightline, asked: InsightsQuestion, most: int | None) -> Insights:
    """``insights``, the model asked about ``most`` entities, or as many as there is time for."""
    start, budget = time.perf_counter(), asked.deadline_ms / 1000
    by_sort: dict[Sort, list[Insight]] = {}
    nothing: list[str] = []
    late: list[str] = []
    # What one look leaves of its share, the next ones have; the first listed takes longest, and one
    # would take any time.
    order = [*reversed(LOOKS.items())]
    order.sort(key=lambda one: one[0] == ENDLESS)
    for left, (sort, look) in zip(range(len(order), 0, -1), order):
        now = time.perf_counter()
        share = (start + budget - now) / left
        deadline = Deadline(round(1000 * max(share, 0.02 * budget)) or 1, most)
        found = look(sight, deadline)
        cut = deadline.reason
        if cut is not None:
            late.append(f"{sort} ({ITS_OWN.sub('', cut)})")
        if isinstance(found, str):
            nothing.append(f"{sort}: {'' if cut is None else NOT_ALL}{found}")
        else:
            by_sort[sort] = found
    turns = zip_longest(*(by_sort.get(sort, ()) for sort in LOOKS))
    rounds = [one for turn in turns for one in turn if one is not None]
    reason = None
    if late:
        cut_by = f"the deadline of {asked.deadline_ms} ms" if most is None else "a report"
        reason = f"{cut_by} cut the search for: {'; '.join(late)}"
    return Insights(tuple(rounds[: asked.limit]), len(rounds), tuple(nothing), bool(late), reason)


def _errors(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    """The surest finding of the doctor of each kind: here counts what is likeliest wrong, not what
    is gravest if it is."""
    from sightline.insights.kinds.doctor import finding

    checkup = sight.checkup
    found, missed = checkup.suspects(time.perf_counter() + deadline.ms / 1000)
    if missed:
        deadline.reason = f"no time for {', '.join(missed)}"
    first: dict[str, Suspect] = {}
    for suspect in sorted(found, key=lambda one: -one.certainty):
        if suspect.severity != "low":
            first.setdefault(suspect.kind, suspect)
    out = [
        Insight(
            "likely error",
            one.why,
            f"{one.kind}, {one.certainty:.0%} certain",
            f"sightline doctor --kind {_quoted(one.kind)}",
            one.entities,
        )
        for one in (finding(sight, suspect) for suspect in list(first.values())[:EACH])
    ]
    return out or "the doctor finds nothing of weight"


def _missing(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    """The most surprising predictions."""
    from sightline.insights.kinds.surprising import SurprisingQuestion, search

    if sight.model is None:
        return sight.no_model.public if sight.no_model else "no model is served"
    asked = SurprisingQuestion(k=EACH, deadline_ms=deadline.ms)
    answer = search(sight, asked, deadline.most)
    deadline.reason = answer.reason
    out = []
    for fact in (one.fact for one in answer.surprising):
        end = fact.tail if fact.direction == "in" else fact.head
        why = f"chance {fact.probability:.0%}, asked of {end.label}; "
        if fact.graph_chance is not None:
            why += f"{fact.graph_chance:.0%} by the rules of the graph; "
        why += f"{fact.surprising:.1f} bits beyond popularity"
        for path in ((fact.rule.paths if fact.rule else ()) or fact.support)[:1]:
            why += f"; {path.text}"
        named = (fact.head.id, fact.relation.id, fact.tail.id)
        command = " ".join(("sightline explain", *map(_quoted, named)))
        text = f"{fact.head.label} —{fact.relation.label}→ {fact.tail.label} "
        likely = (fact.probability or 0.0) >= LIKELY
        text += "is likely, and nowhere stated" if likely else "may hold, and is nowhere stated"
        out.append(Insight("likely missing fact", text, why, command, (fact.head, fact.tail)))
    left = "; ".join(f"{one.facts:,}: {one.why}" for one in answer.left_out)
    return out or f"no prediction is surprising ({left or 'there is none'})"


def _of_texts(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    """The surest extracted fact of each relation."""
    from sightline.insights.from_texts import said, told

    out = []
    for fact in (told(sight, one) for one in sight.snapshot.surest_extractions(EACH)):
        named = map(_quoted, (fact.head.id, fact.relation.id, fact.tail.id))
        text = f"{fact.head.label} —{fact.relation.label}→ {fact.tail.label} is in a text alone"
        why = f"confidence {said(fact, 'confidence'):.0%}: “{said(fact, 'sentence')}”"
        command = " ".join(("sightline explain", *named))
        out.append(Insight("fact of a text", text, why, command, (fact.head, fact.tail)))
    return out or "no texts were read for facts: sightline extract does"


def _connections(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    """Entities two steps apart and not linked, which chance would not connect so well."""
    import numpy as np

    from sightline.graph.paths.chance import chance, possible, q_values
    from sightline.graph.paths.find import find_paths

    s, names = sight.snapshot, sight.names
    if not s.manifest["copies"]:
        return "this snapshot has no shuffled copies: sightline compile makes them"
    found: dict[tuple[float, float], tuple[int, int, FoundMetapath, Chance, float]] = {}
    rng = np.random.default_rng(0)
    linked = np.flatnonzero(s.degree)
    chosen = rng.choice(linked, min(STARTS, len(linked)), replace=False) if len(linked) else linked
    tried = 0
    for source in deadline.each(chosen.tolist(), len(chosen), what="entities"):
        tried += 1
        target = _nearest_unlinked(sight, source)
        if target is None:
            continue
        shapes = [m for m in find_paths(s, source, target, max_hops=2).metapaths if m.count > 1]
        if not shapes:
            continue
        said = [chance(s, source, target, shape.rels) for shape in shapes]
        free = [(c, shape) for c, shape in zip(said, shapes) if c.free]
        q = q_values([c.p_value for c, _ in free], possible(s, [source], [target], 2))
        for value, (one, shape) in zip(q, free):
            if value <= SIGNIFICANT and one.score >= FOLD * one.expected:
                rank = (one.p_value, one.expected / one.score)
                found[rank] = (source, target, shape, one, value)
                break
    out: list[Insight] = []
    seen: set[int] = set()
    for _, (source, target, shape, one, value) in sorted(found.items()):
        if len(out) == EACH or seen & {source, target}:
            continue
        seen |= {source, target}
        ends = names.entity(source), names.entity(target)
        out.append(
            Insight(
                "unexpected connection",
                f"{ends[0].label} and {ends[1].label} are not linked, but connected "
                f"{shape.count:,} times by {names.metapath(shape.rels)}",
                f"{one.score / max(one.expected, 1e-9):,.0f} times what chance would give; "
                f"p = {one.p_value:.2g}, q = {value:.2g} for these two; {tried} pairs were tried",
                f"sightline paths {_quoted(ends[0].id)} {_quoted(ends[1].id)}",
                ends,
            )
        )
    return out or "none of those that were tried stands out from shuffled graphs"


def _nearest_unlinked(sight: Sightline, source: int) -> int | None:
    """The entity with the best paths of two edges from one, to which it has no edge."""
    import numpy as np

    s, facts = sight.snapshot, sight.facts
    _, near, edges = facts.at(source)
    if not len(near):
        return None
    owner, _, far, more = facts.incident(near)
    score = np.bincount(
        far, weights=s.path_weight[edges][owner] * s.path_weight[more], minlength=s.num_entities
    )
    score[near] = 0
    score[source] = 0
    best = int(np.argmax(score))
    return best if score[best] > 0 else None


def _in_common(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    """What entities that share one thing share besides."""
    from sightline.graph.sets.enrich import background_of, enrich
    from sightline.insights.kinds.enrich import text_of

    s, names = sight.snapshot, sight.names
    found: list[tuple[float, int, int, str, Ids, Feature]] = []
    lists = list(_lists(sight))
    for rel, anchor, entities in deadline.each(lists, len(lists), what="lists"):
        background = background_of(s, entities)
        # Only what is of the background can be compared with it.
        listed = entities if background is None else entities[s.members(background)[entities]]
        kind = ""
        if background is not None and len(listed) < len(entities):
            kind = f" of type {s.class_labels[background]}"
        for one in enrich(s, listed, background, k=5, two_steps=False).features:
            known = one.kind in ("type", "relation") or (one.entity == anchor)
            count = len(one.members)
            if not known and one.q_value <= SIGNIFICANT and 2 * count > len(listed):
                found.append((one.p_value, rel, anchor, kind, listed, one))
                break
    found.sort(key=lambda row: row[0])
    out: list[Insight] = []
    seen: set[int] = set()
    for _, rel, anchor, kind, listed, one in found:
        if len(out) == EACH or seen.intersection(listed.tolist()):
            continue
        seen.update(listed.tolist())
        refs = tuple(map(names.entity, listed.tolist()))
        of = f"{names.metapath((sight.facts.inverse(rel),))} {names.entity(anchor).label}"
        out.append(
            Insight(
                "in common",
                f"of the {len(listed)}{kind} with {of}, {len(one.members)} have "
                f"{text_of(sight, one)}",
                f"{one.background:,} of all in the comparison have it; p = {one.p_value:.2g}, "
                f"q = {one.q_value:.2g}",
                " ".join(("sightline enrich", *(_quoted(ref.id) for ref in refs))),
                refs,
            )
        )
    return out or "no small group shares more than chance gives"


def _lists(sight: Sightline) -> Iterator[tuple[int, int, Ids]]:
    """Entities that one directed relation of an entity leads to, few enough to be named."""
    import numpy as np

    anchor, rel, count = sight.facts.groups
    fit = np.flatnonzero((count >= FEWEST) & (count <= MOST))
    # A few of every relation, the larger groups first.
    order = fit[np.lexsort((anchor[fit], -count[fit], rel[fit]))]
    turn = np.arange(len(order)) - np.searchsorted(rel[order], rel[order])
    for at in order[np.lexsort((rel[order], turn))][:LISTS].tolist():
        yield int(rel[at]), int(anchor[at]), sight.facts.answers(int(anchor[at]), int(rel[at]))[0]


def _bridges(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    from sightline.insights.kinds.communities import CommunitiesQuestion, communities

    found = communities(sight, CommunitiesQuestion(k=EACH, deadline_ms=deadline.ms))
    deadline.reason = found.reason
    out = [
        Insight(
            "bridge",
            f"{one.entity.label} joins {one.communities} of {found.found:,} communities",
            f"as if evenly over {1 / (1 - one.participation):.1f}, others of its kind with as many "
            f"facts over {1 / (1 - one.usual):.1f}; "
            + "; ".join(
                f"{link.facts:,} fact{'s'[: link.facts != 1]} into {link.name}"
                for link in one.links
            ),
            "sightline communities",
            (one.entity,),
        )
        for one in found.bridges
        if one.communities > 1
    ]
    return out[:EACH] or "no entity joins communities"


def _changes(sight: Sightline, deadline: Deadline) -> list[Insight] | str:
    from sightline.graph.snapshot.diff import amounts, compare, former_snapshot, predicates
    from sightline.graph.snapshot.errors import NoFormerSnapshot
    from sightline.graph.storage.errors import DamagedArtifact
    from sightline.graph.storage.workspace import Workspace

    s = sight.snapshot
    try:
        sides = compare(former_snapshot(Workspace(s.folder.parents[1]), s), s)
    except (NoFormerSnapshot, DamagedArtifact) as error:
        return error.public
    edges = amounts(*sides)[1]
    if not edges.added + edges.removed:
        return "no link between entities came or went since the snapshot before"
    most = ", ".join(
        f"{one.label} (+{one.added:,} -{one.removed:,})" for one in predicates(*sides)[:3]
    )
    text = f"{edges.added:,} facts came and {edges.removed:,} went since the snapshot before"
    return [Insight("change", text, f"most in {most}", "sightline changes", ())]


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


#: Where findings come from, the most worthwhile sort first.
LOOKS: dict[Sort, Callable[[Sightline, Deadline], list[Insight] | str]] = {
    "likely error": _errors,
    "likely missing fact": _missing,
    "fact of a text": _of_texts,
    "unexpected connection": _connections,
    "in common": _in_common,
    "bridge": _bridges,
    "change": _changes,
}

KIND = Kind(
    insights,
    route="GET /v1/insights",
    tag="insights",
    order="Of each sort the strongest, then of each the second.",
    command="insights",
    example="sightline insights -w world",
    dear=True,
)
