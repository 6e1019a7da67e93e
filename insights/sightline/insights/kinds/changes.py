"""What changed between two snapshots, and what the models say otherwise since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.graph.snapshot.statement import Amount, Change, ChangedFact
from sightline.insights.from_texts import told
from sightline.insights.kind import Argument, Kind, Limit, Names, Sightline, Span
from sightline.insights.records import ChangedAnswer, Fact

if TYPE_CHECKING:
    from sightline.graph.snapshot.diff import Side

#: The share of the time in which the model is asked.
ASKING = 0.8


@dataclass(frozen=True, slots=True)
class ChangesQuestion:
    """Two snapshots, and about which entities."""

    from_: Annotated[
        str | None,
        Argument(required=False),
        Doc("Id of the older snapshot, or the start of it; none: the one before the newer."),
    ] = None
    to: Annotated[
        str | None,
        Argument(required=False),
        Doc("Id of the newer snapshot, or the start of it; none: the one that is served."),
    ] = None
    about: Annotated[
        tuple[str, ...],
        Names("entity"),
        Doc("Only what is new about these entities. Repeat for several."),
    ] = ()
    watched: Annotated[
        bool,
        Doc("Only what is new about the watched entities, since they were last looked at."),
    ] = False
    limit: Limit = 20
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 5000


@dataclass(frozen=True)
class Pair:
    """A snapshot and the model that answered beside it; null where there was none."""

    snapshot: str
    model: str | None


@dataclass(frozen=True)
class Changes:
    """What changed from one snapshot to another.

    Attributes:
        entities, edges, types, attributes: how many came and went in all, or of those asked about.
        relations: relations, properties and types with a changed fact, most changed first.
        most_changed: entities, most changed first.
        added, removed: facts: links, then types, then values.
        extracted: how many facts texts state that came and went; they count nowhere else. One that
            is a link since went.
        extracted_added, extracted_removed: those, the surest first, with sentence and confidence.
        answers: what the models say otherwise, the largest change first.
        compared: about how many entities the models were asked.
        noise: how much the chance of an answer changes where nothing changed around it: 95 of 100
            change less. Only answers that changed more than that, and by .02, are listed.
        reason: what was cut when ``truncated``.
        note: why answers were not compared, or what to know about them.
    """

    old: Pair
    new: Pair
    entities: Amount
    edges: Amount
    types: Amount
    attributes: Amount
    extracted: Amount
    relations: tuple[Change, ...]
    most_changed: tuple[Change, ...]
    added: tuple[ChangedFact, ...]
    removed: tuple[ChangedFact, ...]
    extracted_added: tuple[Fact, ...]
    extracted_removed: tuple[Fact, ...]
    answers: tuple[ChangedAnswer, ...]
    compared: int
    noise: float | None
    truncated: bool
    reason: str | None
    note: str | None


def changes(sight: Sightline, asked: ChangesQuestion) -> Changes:
    """What changed between two snapshots: facts that came and went, and predictions that appeared,
    vanished, moved more than chance moves them, or came true.

    Without ids it is the served snapshot and the one before it. `sightline compile` says the id of
    the snapshot it builds; the last three are kept, and those that models were trained on.

    Raises:
        UnknownSnapshot, NoFormerSnapshot, DamagedArtifact, FormatMismatch
        BadReference, UnknownEntity, AmbiguousEntity: of an entity, in both snapshots.
        NothingWatched
    """
    from sightline.graph.snapshot.diff import (
        amounts,
        compare,
        find_snapshot,
        former_snapshot,
        most_changed,
        named,
        predicates,
    )
    from sightline.graph.storage.watch import watched
    from sightline.graph.storage.workspace import Workspace
    from sightline.insights.ask import Sightline as Opened
    from sightline.insights.changed_answers import changed_answers

    ws = Workspace(sight.snapshot.folder.parents[1])
    since, about = asked.from_, None
    if asked.watched:
        watch = watched(ws)
        since, about = since or watch.since, list(watch.entities)
    new = sight if asked.to is None else Opened.beside(ws, find_snapshot(ws, asked.to))
    old_snapshot = former_snapshot(ws, new.snapshot) if since is None else find_snapshot(ws, since)
    old = Opened.beside(ws, old_snapshot)
    if asked.about:
        named_ones = (_iri(old, new, name) for name in asked.about)
        about = list(dict.fromkeys([*(about or ()), *named_ones]))
    gone, come = compare(old.snapshot, new.snapshot)
    if about is not None:
        gone, come = gone.about(about), come.about(about)
    entities, edges, types, attributes, extracted = amounts(gone, come)
    seconds = ASKING * asked.deadline_ms / 1000
    answers = changed_answers(old, new, (gone, come), about, seconds)
    return Changes(
        old=_pair(old),
        new=_pair(new),
        entities=entities,
        edges=edges,
        types=types,
        attributes=attributes,
        extracted=extracted,
        relations=predicates(gone, come)[: asked.limit],
        most_changed=most_changed(gone, come, asked.limit),
        added=named(come, asked.limit),
        removed=named(gone, asked.limit),
        extracted_added=_told(new, come, asked.limit),
        extracted_removed=_told(old, gone, asked.limit),
        answers=answers.found[: asked.limit],
        compared=answers.compared,
        noise=answers.noise,
        truncated=answers.reason is not None,
        reason=answers.reason,
        note=answers.note,
    )


def _told(sight: Sightline, side: Side, limit: int) -> tuple[Fact, ...]:
    """Facts of texts of one side, the surest first."""
    found = [sight.snapshot.extraction_at(i) for i in side.extracted.tolist()]
    found.sort(key=lambda one: -one.confidence)
    return tuple(told(sight, one) for one in found[:limit])


def _pair(sight: Sightline) -> Pair:
    return Pair(sight.snapshot.id, None if sight.model is None else sight.model.id)


def _iri(old: Sightline, new: Sightline, name: str) -> str:
    """The entity of a name, which may be in one of the snapshots only."""
    from sightline.graph.snapshot.errors import UnknownEntity

    try:
        return new.snapshot.entity_iris[new.entity(name)]
    except UnknownEntity as error:
        try:
            return old.snapshot.entity_iris[old.entity(name)]
        except UnknownEntity:
            raise error from None


KIND = Kind(
    changes,
    route="GET /v1/diff",
    tag="graph",
    order="Most changed first.",
    command="changes",
    example="sightline changes -w world",
    dear=True,
    fresh=True,
)
