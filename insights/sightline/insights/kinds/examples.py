"""Questions that this graph can answer, made from what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.errors import SightlineError
from sightline.insights.kind import Kind, Sightline, Span
from sightline.insights.records import EntityRef, Ref

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids

ExampleSort = Literal["connect", "ask", "related", "table", "similar", "check"]
#: Facts of an entity that questions are asked about, more or less: hubs connect with everything.
USUAL = 24
#: Entities that are tried for one that the model expects something of.
TRIED = 8


@dataclass(frozen=True, slots=True)
class ExamplesQuestion:
    """How many."""

    limit: Annotated[int, Span(1, 12), Doc("How many questions.")] = 6


@dataclass(frozen=True)
class Example:
    """A question that the graph can answer.

    Attributes:
        sort: which kind of answer it leads to.
        text: the question; ``names`` are the parts of it that are taken from the graph.
        answer: the answer in a few words; null where that is dear to know.
        entities, relation, type: what it is about.
    """

    sort: ExampleSort
    text: str
    names: tuple[str, ...]
    answer: str | None
    entities: tuple[EntityRef, ...]
    relation: Ref | None
    type: Ref | None


@dataclass(frozen=True)
class Examples:
    """Questions, one of each sort."""

    examples: tuple[Example, ...]


def examples(sight: Sightline, asked: ExamplesQuestion) -> Examples:
    """Questions that this graph can answer, with short answers: made from its best linked type,
    the same for the same snapshot and model."""
    made = []
    for make in (_connect, _ask, _related, _table, _similar, _check):
        try:
            made += [example for example in (make(sight),) if example is not None]
        except SightlineError:
            continue  # Such as a model that gives no vectors: there is no such question then.
    return Examples(tuple(made[: asked.limit]))


def _usual(sight: Sightline) -> Ids:
    """Entities with facts, of the type that has most if there is one, those with a usual number of
    facts first."""
    import numpy as np

    s = sight.snapshot
    owner = np.repeat(np.arange(s.num_entities), np.diff(s.type_indptr))
    facts = np.bincount(s.type_class, s.degree[owner])
    fit = s.members(int(np.argmax(facts))) if facts.any() else np.ones(s.num_entities, np.bool_)
    among = np.flatnonzero(fit & (s.degree > 0))
    far = np.abs(np.log1p(s.degree[among]) - np.log1p(USUAL))
    found: Ids = among[np.argsort(far, kind="stable")].astype(np.int32)
    return found


def _connect(sight: Sightline) -> Example | None:
    """Two entities of different types that paths join and no fact links."""
    from sightline.graph.paths.find import find_paths

    s, names = sight.snapshot, sight.names
    for source in _usual(sight)[:TRIED].tolist():
        target = _two_steps_away(sight, source)
        if target is None:
            continue
        ends = names.entity(source), names.entity(target)
        shapes = find_paths(s, source, target, max_hops=3).metapaths
        count = sum(shape.count for shape in shapes)
        text = f"How are {ends[0].label} and {ends[1].label} connected?"
        paths, of = "path" if count == 1 else "paths", "shape" if len(shapes) == 1 else "shapes"
        answer = f"{count:,} {paths} in {len(shapes):,} {of}"
        return Example("connect", text, (ends[0].label, ends[1].label), answer, ends, None, None)
    return None


def _two_steps_away(sight: Sightline, source: int) -> int | None:
    """The entity with most ways of two facts from one that is not linked with it, of another type
    if there is one."""
    import numpy as np

    s, facts = sight.snapshot, sight.facts
    _, near, _ = facts.at(source)
    _, _, far, _ = facts.incident(np.unique(near))
    ways = np.bincount(far, minlength=s.num_entities)
    ways[near] = ways[source] = 0
    other = np.ones(s.num_entities, np.bool_)
    for class_id in s.types_of(source).tolist():
        other &= ~s.members(class_id)
    best = int(np.argmax(np.where(other, ways, 0) if (ways[other] > 0).any() else ways))
    return best if ways[best] else None


def _ask(sight: Sightline) -> Example | None:
    """What else an entity has by a relation that gives it several things."""
    from sightline.insights.kinds.predictions import PredictionQuestion, predict

    s, names = sight.snapshot, sight.names
    best = None
    several = sight.facts.answers_per_anchor[: s.num_relations] >= 2
    for entity in _usual(sight)[:TRIED].tolist():
        rels = s.relation[s.out_indptr[entity] : s.out_indptr[entity + 1]].tolist()
        fit = sorted({r for r in rels if several[r]}, key=lambda r: (-rels.count(r), r))
        if sight.model is None or not fit or not sight.can_predict(entity):
            continue
        about, relation = names.entity(entity), names.relation(fit[0])
        asked = PredictionQuestion(about.iri, relation.iri, new_only=True, k=20)
        found = predict(sight, asked).predictions
        likely = sum(not fact.abstain for fact in found)
        text = f"What else has {about.label} as “{relation.label}”?"
        answer = f"{likely} likely, {len(found) - likely} guesses"
        named = about.label, relation.label
        best = Example("ask", text, named, answer, (about,), relation, None)
        if likely:
            return best
    return best


def _related(sight: Sightline) -> Example | None:
    """What the model expects of an entity."""
    from sightline.insights.kinds.related import RelatedQuestion, related

    for entity in _usual(sight)[1 : 1 + TRIED].tolist():
        about = sight.names.entity(entity)
        if not sight.can_predict(entity):
            continue
        found = related(sight, RelatedQuestion(about.iri, known=False, k=20)).related
        likely = sum(not fact.abstain for fact in found)
        if likely:
            text = f"What does the model expect of {about.label}?"
            answer = f"{likely} likely"
            return Example("related", text, (about.label,), answer, (about,), None, None)
    return None


def _table(sight: Sightline) -> Example | None:
    """Which entity of a type has most by one relation."""
    import numpy as np

    s, names = sight.snapshot, sight.names
    anchor, rel, count = sight.facts.groups
    typed = np.diff(s.type_indptr)[anchor] > 0
    fit = np.flatnonzero((rel < s.num_relations) & typed)
    if not len(fit):
        return None
    # Of the relations the one whose largest count stands out most from the usual one.
    most = np.zeros(s.num_relations)
    np.maximum.at(most, rel[fit], count[fit])
    usual = np.maximum(sight.facts.answers_per_anchor[: s.num_relations], 1)
    chosen = int(np.argmax(np.where(most > 2, most / usual, np.minimum(most, 1) - 1)))
    best = fit[rel[fit] == chosen]
    top = int(anchor[best[np.argmax(count[best])]])
    about, relation = names.entity(top), names.relation(chosen)
    kind = names.type(int(s.types_of(top)[0]))
    text = f"Which {kind.label} has most as “{relation.label}”?"
    answer = f"{about.label}, {int(count[best].max()):,}"
    return Example("table", text, (kind.label, relation.label), answer, (about,), relation, kind)


def _similar(sight: Sightline) -> Example | None:
    """What is like an entity."""
    from sightline.insights.kinds.similar import SimilarQuestion, similar

    usual = _usual(sight)
    if sight.model is None or not len(usual):
        return None
    about = sight.names.entity(int(usual[0]))
    found = similar(sight, SimilarQuestion(about.iri, k=2)).similar
    answer = ", ".join(one.entity.label for one in found)
    text = f"What is like {about.label}?"
    return Example("similar", text, (about.label,), answer, (about,), None, None)


def _check(sight: Sightline) -> Example | None:
    """What looks wrong; how much is dear to know."""
    return Example("check", "What looks wrong or incomplete?", (), None, (), None, None)


KIND = Kind(
    examples,
    route="GET /v1/examples",
    tag="graph",
    order="One of each sort, the same for the same snapshot and model.",
    dear=True,
)
