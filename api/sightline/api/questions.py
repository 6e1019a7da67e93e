"""What may be asked over HTTP: parameters with their limits, bodies, and envelopes of answers.

Knows names, ranges and descriptions, as OpenAPI shows them; answers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from sightline.api.problems import RANGES
from sightline.graph.errors import UsageError
from sightline.insights.records import EntityRef, Prediction, Related, RelationView, Similar

#: Characters of a reference or a search.
MAX_TEXT = 2048
#: References in one parameter.
MAX_NAMES = 50
#: Questions in one batch, and answers that they may ask for together.
MAX_QUESTIONS = 100
MAX_ANSWERS = 1000


def between(name: str, about: str) -> Any:
    """A numeric query parameter with its range."""
    low, high = RANGES[name]
    return Query(ge=low, le=high, description=f"{about} {low} to {high}.")


def _entity_ref(
    id: Annotated[
        str,
        Path(
            description="The entity: a percent-encoded IRI, a CURIE, or a label.",
            examples=["Kenya"],
        ),
    ],
    id_instead: Annotated[
        str | None,
        Query(
            alias="id",
            max_length=MAX_TEXT,
            description="The entity, instead of the one in the path (write `-` there): for proxies "
            "that decode paths.",
        ),
    ] = None,
) -> str:
    """The entity that a request is about, whichever way it is named."""
    text = unquote(id) if id_instead is None else id_instead
    if len(text) > MAX_TEXT:
        raise UsageError(f"id is longer than {MAX_TEXT} characters")
    return text


EntityId = Annotated[str, Depends(_entity_ref)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Source = Annotated[
    str, Query(max_length=MAX_TEXT, description="An IRI, a CURIE or a label.", examples=["Kenya"])
]
Target = Annotated[
    str, Query(max_length=MAX_TEXT, description="An IRI, a CURIE or a label.", examples=["Nepal"])
]
Relations = Annotated[
    Sequence[Text],
    Query(max_length=MAX_NAMES, description="Only these relations. Repeat it for several."),
]
Without = Annotated[
    Sequence[Text],
    Query(max_length=MAX_NAMES, description="Not these relations. Repeat it for several."),
]
Types = Annotated[
    Sequence[Text],
    Query(
        max_length=MAX_NAMES,
        description="Entities between have one of these types. Repeat it for several.",
    ),
]
Pattern = Annotated[
    str | None,
    Query(
        max_length=MAX_TEXT,
        description="Relations to walk, in SPARQL's notation for property paths: "
        "`borders/capital`, `^capital/(borders|<member of>)*`.",
    ),
]
RelationName = Annotated[
    str | None, Query(max_length=MAX_TEXT, description="Only this relation: IRI, CURIE or label.")
]
DirectionName = Annotated[
    Literal["both", "out", "in"],
    Query(description="out: the entity is the head of the fact; in: it is the tail."),
]
K = Annotated[int, between("k", "How many answers,")]
Limit = Annotated[int, between("limit", "How many on one page,")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before; none for the first.")
]


class Question(BaseModel):
    """A fact with one gap: two of head, relation and tail, each an IRI, a CURIE or a label."""

    model_config = ConfigDict(extra="forbid")

    head: Text | None = None
    relation: Text | None = None
    tail: Text | None = None
    k: int = Field(10, ge=RANGES["k"][0], le=RANGES["k"][1], description="How many answers.")
    new_only: bool = Field(False, description="Only what the graph does not state.")
    coverage: float | None = Field(
        None,
        ge=RANGES["coverage"][0],
        le=RANGES["coverage"][1],
        description="Instead of k: new answers that hold the true one with this probability.",
    )


class Questions(BaseModel):
    """Several questions at once."""

    model_config = ConfigDict(extra="forbid")

    questions: list[Question] = Field(min_length=1, max_length=MAX_QUESTIONS)


def _one_or_many(body: object) -> str:
    return "many" if isinstance(body, Questions) or _has_questions(body) else "one"


def _has_questions(body: object) -> bool:
    return isinstance(body, dict) and "questions" in body


EXAMPLES: dict[str, Any] = {
    "missing tail": {"value": {"head": "Kenya", "relation": "member of", "k": 3, "new_only": True}},
    "several": {"value": {"questions": [{"head": "Kenya", "relation": "member of"}]}},
}
PredictionBody = Annotated[
    Annotated[Question, Tag("one")] | Annotated[Questions, Tag("many")],
    Discriminator(_one_or_many),
    Body(openapi_examples=EXAMPLES),
]


@dataclass(frozen=True, slots=True)
class Found(EntityRef):
    """An entity of a list.

    Attributes:
        degree: its facts in the whole graph.
        how: how its name matched what was searched for; null in a list of all.
    """

    degree: int
    how: str | None


@dataclass(frozen=True, slots=True)
class EntityPage:
    """Entities, and where the next page starts; null at the end."""

    entities: tuple[Found, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class RelationPage:
    """Relations, and where the next page starts; null at the end."""

    relations: tuple[RelationView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class RelatedAnswer:
    """What is related to an entity."""

    entity: EntityRef
    related: tuple[Related, ...]


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """What is similar to an entity."""

    entity: EntityRef
    similar: tuple[Similar, ...]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Ranked answers to one question."""

    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The problem report of a question that could not be answered."""

    problem: dict[str, object]


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer per question, in their order."""

    answers: tuple[Predictions | Failed, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """RFC 9457 problem details; further members depend on the kind of problem."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service can answer, and from what."""

    status: str
    snapshot: str | None = None
    model: str | None = None
    detail: str | None = None


#: What OpenAPI says about every answer that is none.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": Problem,
        "description": "What was wrong, in one sentence, with the way out.",
    }
}
