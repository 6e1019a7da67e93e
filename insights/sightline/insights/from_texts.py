"""What texts state, as facts with a status of their own.

Knows the extracted facts of a snapshot; knows no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sightline.graph.vocabulary import CONFIDENCE, METHOD, SUPPORTING_TEXT, XSD, XSD_STRING
from sightline.insights.kind import Sightline
from sightline.insights.records import Direction, Fact, Qualifier

if TYPE_CHECKING:
    from sightline.graph.snapshot.sections.extracted import Extraction


def told(sight: Sightline, found: Extraction, direction: Direction | None = None) -> Fact:
    """An extracted fact with its sentence, confidence and method."""
    names = sight.names
    return Fact(
        head=names.entity(found.head),
        relation=names.relation(found.relation),
        tail=names.entity(found.tail),
        direction=direction,
        status="extracted",
        probability=None,
        probability_if_any=None,
        abstain=False,
        rank=None,
        score=None,
        surprising=None,
        support=(),
        support_note=None,
        rule=None,
        graph_chance=None,
        origins=(found.origin,),
        qualifiers=qualifiers(sight, found),
    )


def said(fact: Fact, label: str) -> str | float | None:
    """The confidence, sentence or method of an extracted fact; None of others."""
    found = (one.value for one in fact.qualifiers if one.label == label)
    return next(found, None) if fact.status == "extracted" else None


def qualifiers(sight: Sightline, found: Extraction) -> tuple[Qualifier, ...]:
    """What an extracted fact says of itself."""
    said: tuple[tuple[str, str, str | float, str], ...] = (
        (CONFIDENCE, "confidence", round(found.confidence, 4), XSD + "decimal"),
        (SUPPORTING_TEXT, "sentence", found.sentence, XSD_STRING),
        (METHOD, "method", found.method, XSD_STRING),
    )
    return tuple(
        Qualifier(sight.snapshot.curie(key), label, value, datatype, None, found.origin)
        for key, label, value, datatype in said
    )


def extracted(sight: Sightline, entity: int, relation: int | None, direction: str) -> list[Fact]:
    """What texts state of an entity under one relation or all; the surest first."""
    facts = []
    for one in sight.snapshot.extractions(entity, relation):
        way: Direction = "out" if one.head == entity else "in"
        if direction in ("both", way):
            facts.append(told(sight, one, way))
    return facts
