"""The conditions of a logical question as they are asked: by names, in no order.

Knows what a condition is made of; knows no graph and no notation. Imports nothing heavy: the
declaration of the kind of answer is read before help is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_doc import Doc

#: Conditions of one question.
MAX_ATOMS = 20
#: Stands for anything: it is not shown, and two of them need not be the same.
ANYTHING = "?"
_VARIABLE = re.compile(r"\?\w+")

Sign = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Atom:
    """One condition: a link (`head`, `relation`, `tail`), a type (`head`, `type`), a value (`head`,
    `property`, `sign`, `value`), or that two are not the same (`head`, `sign` !=, `tail`)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    head: Annotated[
        str, Doc("A variable such as ?x, ? for anything, or an IRI, a CURIE or a label.")
    ]
    relation: Annotated[
        str | None, Doc("A relation, or a pattern of relations: `borders/capital`.")
    ] = None
    tail: Annotated[str | None, Doc("As head.")] = None
    type: Annotated[str | None, Doc("A type of head.")] = None
    property: Annotated[str | None, Doc("What head has a value of.")] = None
    sign: Annotated[Sign | None, Doc("How the value compares.")] = None
    value: Annotated[int | float | str | None, Doc("A number, a text or a date.")] = None
    negated: Annotated[bool, Doc("The graph must not state it.")] = False
    likely: Annotated[bool, Doc("It may be predicted instead.")] = False


def is_variable(term: str | None) -> bool:
    """Whether a term is a variable, anything left out."""
    return term is not None and _VARIABLE.fullmatch(term) is not None
