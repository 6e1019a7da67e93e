"""What the entities of a list have in common, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.snapshot.errors import AmbiguousEntity, BadReference, UnknownEntity
from sightline.insights.kind import K, Kind, Length, Names, Sightline, Span
from sightline.insights.kinds.paths import MetapathStep
from sightline.insights.kinds.similar import Neighbour, nearest
from sightline.insights.records import EntityRef, Path, Ref

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags, Ids
    from sightline.graph.sets.enrich import Enrichment, Feature

#: Entities of one list.
MAX_ENTITIES = 500
#: Paths shown of each thing that is shared, and texts of what says the same.
PATHS, ALIKE = 3, 5
#: So many times the facts of the others, and more is shared with anything.
WELL_STUDIED = 2


@dataclass(frozen=True, slots=True)
class EnrichQuestion:
    """A list of entities, and what to compare it with."""

    entities: Annotated[
        tuple[str, ...],
        Names("entity"),
        Length(MAX_ENTITIES, least=1),
        Doc("Two or more, each an IRI, a CURIE such as entity:Q42, or a label."),
    ]
    type: Annotated[
        str | None,
        Names("type"),
        Doc("Compare with all entities of this type, not the smallest that most of them have."),
    ] = None
    k: K = 10
    two_steps: Annotated[bool, Doc("Look at neighbours of neighbours, too.")] = True
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 1000


@dataclass(frozen=True)
class Background:
    """What a list is compared with.

    Attributes:
        type: null for all entities.
        entities: how many there are, those without any fact among them.
        listed: how many of the list are among them.
        text: the same in words, and why.
    """

    type: Ref | None
    entities: int
    listed: int
    text: str


@dataclass(frozen=True)
class SharedFeature:
    """Something that several of the list have in common.

    Attributes:
        kind: a type, a relation to anything, a neighbour, a neighbour of neighbours (two steps), a
            property of any value, or one with its value.
        text: what it is, in one line.
        steps: the relations that lead to it.
        target: the entity that they lead to; null for a relation.
        what: the type or the property.
        value: of the property.
        count: how many of the list have it.
        expected: how many of as many entities chosen at random would.
        background_count: how many of the background do.
        fold: ``count`` over ``expected``.
        p_value: chance that so many or more of as many entities chosen at random have it.
        q_value: the share of false ones among all that seem as unlikely (Benjamini and Hochberg),
            of all that was tested.
        members: who of the list has it.
        paths: facts that say so of some of them, the most particular first.
        alike: what says the same of the same entities and is not listed; of so many, ``folded``,
            the first few.
    """

    kind: Literal["type", "relation", "neighbour", "two steps", "property", "value"]
    text: str
    steps: tuple[MetapathStep, ...]
    target: EntityRef | None
    what: Ref | None
    value: str | None
    count: int
    expected: float
    background_count: int
    fold: float
    p_value: float
    q_value: float
    members: tuple[EntityRef, ...]
    paths: tuple[Path, ...]
    alike: tuple[str, ...]
    folded: int


@dataclass(frozen=True)
class Unresolved:
    """A name that stands for no entity, or for several; ``nearest`` is what it may mean."""

    name: str
    problem: str
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class Enriched:
    """What a list has in common.

    Attributes:
        entities: those that were compared.
        shared: what several of them have, and as many chosen at random would have with p <= 0.05.
        significant: how many things have a q-value of at most 0.05, listed or not.
        tests: how many things two or more of the background have; each could have stood out.
        more_like_these: others of the background that the model puts nearest to them.
        outside: entities of the list that are not of the background, and were left out.
        unresolved: names that were left out.
        notes: what to know about the answer.
        reason: what was cut when ``truncated``.
    """

    entities: tuple[EntityRef, ...]
    background: Background
    shared: tuple[SharedFeature, ...]
    significant: int
    tests: int
    more_like_these: tuple[Neighbour, ...]
    outside: tuple[EntityRef, ...]
    unresolved: tuple[Unresolved, ...]
    notes: tuple[str, ...]
    truncated: bool
    reason: str | None


def enrich(sight: Sightline, asked: EnrichQuestion) -> Enriched:
    """What a list of entities has in common more than chance would: types, relations, neighbours,
    neighbours of neighbours, properties and values, with p-values and q-values.

    The list is compared with all entities of the type that most of it has. Names that stand for no
    entity or for several are reported, and the others answered.

    Raises:
        BadReference, UnknownClass, AmbiguousClass: of the type.
    """
    import numpy as np

    from sightline.graph.sets.enrich import background_of
    from sightline.graph.sets.enrich import enrich as compare

    s, names = sight.snapshot, sight.names
    found, unresolved, repeated = _resolved(sight, asked.entities)
    listed = np.array(found, np.int32)
    class_id = background_of(s, listed) if asked.type is None else s.resolve_class(asked.type)
    among = np.ones(s.num_entities, np.bool_) if class_id is None else s.members(class_id)
    inside, outside = listed[among[listed]], listed[~among[listed]]
    options = {"k": asked.k, "two_steps": asked.two_steps, "deadline_ms": asked.deadline_ms}
    got = compare(s, inside, class_id, **options)  # type: ignore[arg-type]
    background = _background(sight, class_id, int(among.sum()), len(inside), asked.type is not None)
    notes = [f"named again, and counted once: {repeated:,}"] if repeated else []
    among[listed] = False
    more, about = _more(sight, inside, among, asked.k)
    reason = None
    if got.missed:
        reason = f"the deadline of {asked.deadline_ms} ms left no time for two steps that begin "
        reason += f"with {got.missed} of {got.relations} relations"
    return Enriched(
        entities=tuple(map(names.entity, inside.tolist())),
        background=background,
        shared=tuple(_shared(sight, one, len(inside), background.entities) for one in got.features),
        significant=got.significant,
        tests=got.tests,
        more_like_these=more,
        outside=tuple(map(names.entity, outside.tolist())),
        unresolved=unresolved,
        notes=(*notes, *_notes(sight, got, inside, background), *about),
        truncated=got.missed > 0,
        reason=reason,
    )


def _resolved(
    sight: Sightline, given: tuple[str, ...]
) -> tuple[list[int], tuple[Unresolved, ...], int]:
    """Entities in their order, each once; what names none; and how many names came again."""
    found: dict[int, None] = {}
    unresolved = []
    for name in given:
        try:
            found[sight.entity(name)] = None
        except (UnknownEntity, AmbiguousEntity, BadReference) as error:
            near = error.extra.get("nearest") or error.extra.get("candidates") or ()
            unresolved.append(Unresolved(name, error.public, tuple(near)))  # type: ignore[arg-type]
    return list(found), tuple(unresolved), len(given) - len(found) - len(unresolved)


def _background(
    sight: Sightline, class_id: int | None, entities: int, listed: int, chosen: bool
) -> Background:
    if class_id is None:
        why = "no type has half of the list" if len(sight.snapshot.class_iris) else "none is typed"
        return Background(None, entities, listed, f"all {entities:,} entities, since {why}")
    kind = sight.names.type(class_id)
    why = "as asked" if chosen else "the smallest type that most of the list has"
    return Background(kind, entities, listed, f"all {entities:,} of type {kind.label}, {why}")


def _notes(sight: Sightline, got: Enrichment, listed: Ids, background: Background) -> list[str]:
    """Why there is nothing, or what makes what there is look like more."""
    import numpy as np

    if not len(listed):
        return ["nothing was compared: no name stands for one entity of the background"]
    if len(listed) == 1:
        return ["one entity alone has nothing in common; list two or more"]
    if len(listed) == background.entities:
        return ["the list is the whole background, so nothing in it can stand out"]
    notes = []
    if not got.features:
        notes.append("whatever two of them share, as many others would share by chance")
    elif not got.significant:
        least = min(feature.q_value for feature in got.features)
        notes.append(
            f"nothing stands out: among {got.tests:,} things, chance makes some look as rare "
            f"(lowest q {least:.2g})"
        )
    s = sight.snapshot
    class_id = None if background.type is None else s.resolve_class(background.type.iri)
    among = s.degree if class_id is None else s.degree[s.members(class_id)]
    own, usual = float(np.median(s.degree[listed])), float(np.median(among))
    if got.features and own >= WELL_STUDIED * max(usual, 1):
        notes.append(
            f"half of the list has {own:,.0f} facts or more, half of the background {usual:,.0f} "
            "or fewer: entities of which more is known share more with any others"
        )
    return notes


def _shared(sight: Sightline, feature: Feature, listed: int, entities: int) -> SharedFeature:
    s, names = sight.snapshot, sight.names
    what = None
    if feature.id >= 0:
        what = (names.type if feature.kind == "type" else names.property)(feature.id)
    expected = listed * feature.background / entities
    count = len(feature.members)
    return SharedFeature(
        kind=feature.kind,
        text=text_of(sight, feature),
        steps=tuple(
            MetapathStep(names.relation(rel), names.direction(rel) == "out") for rel in feature.rels
        ),
        target=None if feature.entity < 0 else names.entity(feature.entity),
        what=what,
        value=None if feature.row < 0 else s.attribute_value[feature.row],
        count=count,
        expected=expected,
        background_count=feature.background,
        fold=count / expected,
        p_value=feature.p_value,
        q_value=feature.q_value,
        members=tuple(map(names.entity, feature.members.tolist())),
        paths=_paths(sight, feature),
        alike=tuple(text_of(sight, one) for one in feature.alike[:ALIKE]),
        folded=len(feature.alike),
    )


def text_of(sight: Sightline, feature: Feature) -> str:
    """A feature in one line: ``—member of→ African Union``, ``type Country``, ``born 1970``."""
    names = sight.names
    if feature.rels:
        end = names.entity(feature.entity).label if feature.entity >= 0 else "anything"
        return f"{names.metapath(feature.rels)} {end}"
    if feature.kind == "type":
        return f"type {names.type(feature.id).label}"
    label = names.property(feature.id).label
    return f"{label} {sight.snapshot.attribute_value[feature.row]}" if feature.row >= 0 else label


def _paths(sight: Sightline, feature: Feature) -> tuple[Path, ...]:
    """For the first few listed entities the facts that lead to what they share, past hubs last."""
    from sightline.graph.paths.find import Path as FoundPath

    if feature.entity < 0:
        return ()
    s, facts, span = sight.snapshot, sight.facts, len(sight.snapshot.one_rel)
    weight, end = s.path_weight, feature.entity
    # Read from the end that they share, and the other way round.
    rels, mids, edges = facts.at(end)
    rels = (rels + span // 2) % span
    last = s.one_rel[rels] == feature.rels[-1]
    to_end: dict[int, tuple[int, int]] = {}
    for mid, edge, rel in zip(mids[last].tolist(), edges[last].tolist(), rels[last].tolist()):
        to_end.setdefault(mid, (edge, rel))
    found = []
    for member in feature.members[:PATHS].tolist():
        if len(feature.rels) == 1:
            edge, rel = to_end[member]
            found.append(FoundPath((member, end), (edge,), (rel,), float(weight[edge])))
            continue
        rels, mids, edges = facts.at(member)
        first = s.one_rel[rels] == feature.rels[0]
        ways = []
        for mid, edge, rel in zip(mids[first].tolist(), edges[first].tolist(), rels[first]):
            if mid in to_end and mid not in (member, end):
                both = (edge, to_end[mid][0])
                score = float(weight[both[0]] * weight[both[1]])
                turns = (int(rel), to_end[mid][1])
                ways.append(FoundPath((member, mid, end), both, turns, score))
        found.append(max(ways, key=lambda way: (way.score, [-e for e in way.edges])))
    found.sort(key=lambda path: -path.score)
    return tuple(map(sight.names.path, found))


def _more(
    sight: Sightline, listed: Ids, others: Flags, k: int
) -> tuple[tuple[Neighbour, ...], list[str]]:
    """What is near to the list in the learned space; and what to know about that."""
    from sightline.models.errors import NoVectors

    what = "what is more like these"
    if sight.model is None:
        return (), [f"no model is served that could say {what}"]
    rows = sight.model_view.model.entity_index[listed]
    known = rows[rows >= 0]
    if not len(known):
        return (), [f"the model knows none of the list, so it cannot say {what}"] * bool(len(rows))
    note = f"the model knows {len(known)} of the {len(rows)}, and goes by those to say {what}"
    try:
        return nearest(sight, known, others, k), [note] * (len(known) < len(rows))
    except NoVectors:
        return (), [f"the foundation member has no vectors, so it cannot say {what}"]


KIND = Kind(
    enrich,
    route="POST /v1/sets:enrich",
    tag="sets",
    order="The least likely by chance first.",
    command="enrich",
    example="sightline enrich Kenya Uganda Tanzania Rwanda -w world",
    examples={"countries": {"entities": ["Kenya", "Uganda", "Tanzania", "Rwanda"], "k": 3}},
    dear=True,
)
