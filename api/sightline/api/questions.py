"""How a question is asked over HTTP: its parameters with their limits, as OpenAPI shows them, and
the envelopes that answers of every kind may come in. Answers nothing.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model

from sightline.insights.kind import MAX_TEXT, Kind

#: Longest time that a question over HTTP may take, in milliseconds.
MAX_DEADLINE_MS = 10_000
#: Questions in one batch, and answers that they may ask for together.
MAX_QUESTIONS = 100
MAX_ANSWERS = 1000
Text = Annotated[str, Field(max_length=MAX_TEXT)]
_INSTEAD = "Instead of the one in the path (write `-` there): for proxies that decode "


def spans(kind: Kind[Any, Any]) -> dict[str, tuple[float, float]]:
    """The range of every number that a kind of question takes over HTTP."""
    found = {p.name: (p.span.low, p.span.high) for p in kind.parameters if p.span}
    if "deadline_ms" in found:
        found["deadline_ms"] = (found["deadline_ms"][0], MAX_DEADLINE_MS)
    return found


def model_of(kind: Kind[Any, Any], routed: bool = True) -> type[BaseModel]:
    """A kind's question as a model that FastAPI reads from a query or a body.

    Args:
        routed: what the path names need not be among the parameters.
    """
    made: dict[str, Any] = {}
    ranges = spans(kind)
    example: dict[str, Any] = next(iter(kind.examples.values()), {})
    for p in kind.parameters:
        hint, default = p.type, ... if p.default is MISSING else p.default
        limits: dict[str, Any] = {"description": p.about}
        if p.name in ranges:
            low, high = ranges[p.name]
            about = p.about.rpartition(", ")[0]
            # A deadline may be longer elsewhere than here, and so may its default.
            default = min(default, high) if isinstance(default, int | float) else default
            limits = {"ge": low, "le": high, "description": f"{about}, {low:.9g} to {high:.9g}."}
        elif p.many:
            limits |= {"min_length": p.length.least, "max_length": p.length.most}
        elif hint in (str, str | None):
            limits["max_length"] = p.length.most
        if routed and f"{{{p.name}}}" in kind.path:
            hint, default = str | None, None
            limits["description"] = _INSTEAD + "paths."
        if kind.method == "GET" and p.name in example:
            limits["examples"] = [example[p.name]]
        made[p.name] = (hint, Field(default, **limits))
    return create_model(
        kind.question.__name__,
        __config__=ConfigDict(extra="forbid"),
        __doc__=kind.question.__doc__,
        **made,
    )


def batch_of(model: type[BaseModel]) -> tuple[type[BaseModel], Any]:
    """Several questions at once, and the hint of a body that is one question or several."""
    batch = create_model(
        f"{model.__name__}s",
        __config__=ConfigDict(extra="forbid"),
        __doc__="Several questions at once.",
        questions=(list[model], Field(min_length=1, max_length=MAX_QUESTIONS)),  # type: ignore[valid-type]
    )

    def which(body: object) -> str:
        many = isinstance(body, batch) or (isinstance(body, dict) and "questions" in body)
        return "many" if many else "one"

    one, many = Annotated[model, Tag("one")], Annotated[batch, Tag("many")]
    return batch, Annotated[one | many, Discriminator(which)]


def answers_of(record: type) -> Any:
    """What one question or a batch of them is answered by, for OpenAPI."""
    answers = create_model(
        f"{record.__name__}Answers",
        __doc__="One answer per question, in their order.",
        answers=(list[record | Failed], ...),  # type: ignore[valid-type]
    )
    return record | answers


@dataclass(frozen=True, slots=True)
class Failed:
    """The problem report of a question that could not be answered."""

    problem: dict[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """RFC 9457 problem details; further members depend on the kind of problem."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service can answer, from what, and what it lacks."""

    status: str
    snapshot: str | None = None
    model: str | None = None
    detail: str | None = None
    missing: tuple[str, ...] = ()


#: What OpenAPI says about every answer that is none.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": Problem,
        "description": "What was wrong, in one sentence, with the way out.",
    }
}
