"""What a kind of answer is: a question, a record, and the function from one to the other.

A question is a frozen dataclass whose fields carry their range and their description; the portals
(HTTP, command line) make their parameters of it. Knows declarations; knows no kind and no portal.
Imports nothing heavy: the command line reads every declaration before it says its help.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cached_property
from numbers import Integral, Real
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from annotated_doc import Doc

from sightline.graph.errors import SightlineError, UsageError, require_range

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline as Sightline
else:
    #: Named in the modules of kinds and never loaded for it: it is heavy.
    Sightline = Any

#: Characters of a reference or a search, references in one parameter, and answers.
MAX_TEXT = 2048
MAX_NAMES = 50
MAX_K = 1000

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Span:
    """Marks a number with the lowest and the highest that is allowed."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Length:
    """Marks a text with its most characters, a list with its most and fewest items."""

    most: int
    least: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a text that names something, by IRI, CURIE, raw id or label."""

    what: Literal["entity", "relation", "type"]


@dataclass(frozen=True, slots=True)
class Argument:
    """Marks a text that is an argument of the command, and whether it must be given there."""

    required: bool = True


EntityName = Annotated[str, Names("entity"), Doc("An IRI, a CURIE such as entity:Q42, or a label.")]
RelationName = Annotated[str | None, Names("relation"), Doc("Only this relation.")]
K = Annotated[int, Span(1, MAX_K), Doc("How many answers.")]
DeadlineMs = Annotated[
    int, Span(1, 60_000), Doc("Answer after about so many milliseconds, by what was asked by then.")
]
Limit = Annotated[int, Span(1, MAX_K), Doc("How many on one page.")]
Cursor = Annotated[str | None, Length(200), Doc("`next` of the page before; none for the first.")]
Where = Annotated[
    tuple[str, ...],
    Doc(
        "Only facts whose source says so of them: `rating>=4`, `year<=1999`, `source=IMDb`, or the "
        "same as `min_rating=4`, `max_year=1999`. Repeat for several."
    ),
]
DirectionName = Annotated[
    Literal["both", "out", "in"],
    Doc("out: the entity is the head of the fact; in: it is the tail."),
]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a question, as its annotation declares it.

    Attributes:
        type: its type, without marks.
        default: ``dataclasses.MISSING`` where it must be given.
        about: the description, with the range.
        span: the range of a number.
        length: how long a text or a list may be.
        names: what it names, if it names something.
        many: whether it is a list.
        field: its name among the fields of the question: `from_` where it is called `from`.
        argument: how it is an argument of the command though it has a default, if it is.
        records: whether it is a list of records, which the command line has no way to say.
    """

    name: str
    type: Any
    default: Any
    about: str
    span: Span | None
    length: Length
    names: str | None
    many: bool
    field: str
    argument: Argument | None
    records: bool

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING

    def check(self, value: Any) -> None:
        """Refuse what is of another type, a number out of its range, and a text or list that is too
        long.

        Raises:
            OutOfRange, UsageError
        """
        if value is self.default:
            return
        if self.span is not None and _is(float, value):
            require_range(self.name, value, self.span.low, self.span.high)
        if not self.records and not _is(self.type, value):
            raise UsageError(f"{self.name} is {value!r:.80}; it must be {_said(self.type)}")
        texts = value if self.many else [value]
        if any(isinstance(text, str) and len(text) > self.longest_text for text in texts):
            raise UsageError(f"{self.name} is longer than {self.longest_text} characters")
        if self.many and not self.length.least <= len(value) <= self.length.most:
            allowed = f"{self.length.least} to {self.length.most}"
            raise UsageError(f"{self.name} has {len(value)} items; allowed are {allowed}")

    @property
    def longest_text(self) -> int:
        """Most characters of a text, or of each text of a list."""
        return MAX_TEXT if self.many else self.length.most


#: What a value of a type is called, and what counts as one: NumPy's numbers do, too.
_TYPES: Mapping[Any, tuple[str, type]] = {
    bool: ("True or False", bool),
    int: ("a whole number", Integral),
    float: ("a number", Real),
    str: ("a text", str),
    NoneType: ("None", NoneType),
}


def _is(hint: Any, value: Any) -> bool:
    """Whether a value is of a type that a question may hold."""
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return value in parts
    if get_origin(hint) is tuple:
        return isinstance(value, tuple | list) and all(_is(parts[0], item) for item in value)
    if parts:
        return any(_is(part, value) for part in parts)
    return isinstance(value, _TYPES[hint][1]) and (hint is bool or not isinstance(value, bool))


def _said(hint: Any) -> str:
    """A type in words."""
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, parts))
    if get_origin(hint) is tuple:
        return f"a list, each item {_said(parts[0])}"
    return " or ".join(map(_said, parts)) if parts else _TYPES[hint][0]


def _parameter(name: str, hint: Any, default: Any) -> Parameter:
    marks = {type(mark): mark for mark in getattr(hint, "__metadata__", ())}
    plain = hint.__origin__ if marks else hint
    span, names = marks.get(Span), marks.get(Names)
    about = marks[Doc].documentation if Doc in marks else ""
    if span is not None:
        about = f"{about.removesuffix('.')}, {span.low:.9g} to {span.high:.9g}."
    many = get_origin(plain) is tuple
    length = marks.get(Length, Length(MAX_NAMES if many else MAX_TEXT))
    what, records = names and names.what, many and is_dataclass(get_args(plain)[0])
    return Parameter(
        name.rstrip("_"),
        plain,
        default,
        about,
        span,
        length,
        what,
        many,
        name,
        marks.get(Argument),
        records,
    )


Render = Callable[[Any, Sightline], bytes]


@dataclass(frozen=True)
class Kind(Generic[Q, A]):
    """A kind of answer.

    Attributes:
        ask: answers a question from a served pair, as its annotations say. Its docstring is the
            documentation of the route and of the command; its name is the kind's.
        route: method and path, such as ``GET /v1/entities/{id}/related``: ``{id}`` is the
            question's field of that name. The parameters of a POST are its body.
        tag: the group in the API's documentation.
        order: what a list in the answer begins with, in one sentence.
        command: its name on the command line, if it has one.
        example: a command line that shows it.
        examples: questions that show it, by name: bodies, or parameters of which the first is
            shown.
        dear: it can take long, so it must not stand before cheap questions.
        batch: answers several questions that come in one request, in their order, or says why one
            has no answer; None where they may not.
        formats: further media types than JSON.
        fresh: it depends on more than what is served, so that no answer is kept.
    """

    ask: Callable[[Sightline, Q], A]
    route: str
    tag: str
    order: str
    command: str | None = None
    example: str = ""
    examples: Mapping[str, Any] = field(default_factory=dict)
    dear: bool = False
    batch: Callable[[Sightline, Sequence[Q]], Iterator[A | SightlineError]] | None = None
    formats: Mapping[str, Render] = field(default_factory=dict)
    fresh: bool = False

    @cached_property
    def question(self) -> type[Q]:
        """The class of its questions."""
        _, question, _ = get_type_hints(self.ask).values()
        return cast(type[Q], question)

    @cached_property
    def record(self) -> type[A]:
        """The class of its answers."""
        return cast(type[A], get_type_hints(self.ask)["return"])

    @cached_property
    def deadline(self) -> bool:
        """Whether an answer with ``truncated`` was cut by time; the next one may hold more."""
        return any(p.name == "deadline_ms" for p in self.parameters)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The fields of its question, in their order."""
        hints = get_type_hints(self.question, include_extras=True)
        listed = fields(self.question)  # type: ignore[arg-type]
        return tuple(_parameter(f.name, hints[f.name], f.default) for f in listed)

    @property
    def name(self) -> str:
        """The kind's name."""
        return self.ask.__name__

    @property
    def about(self) -> str:
        """What it answers, as its function's docstring tells it, less what may be raised."""
        return re.sub(r"\n\nRaises:.*", "", inspect.getdoc(self.ask) or "", flags=re.DOTALL)

    @property
    def method(self) -> str:
        """GET or POST."""
        return self.route.split()[0]

    @property
    def path(self) -> str:
        """The path of the route."""
        return self.route.split()[1]

    def answer(self, sight: Sightline, question: Q) -> A:
        """The answer to one question.

        Raises:
            OutOfRange, UsageError: a parameter that is not allowed.
            SightlineError: as ``ask`` does.
        """
        self.check(question)
        return self.ask(sight, question)

    def check(self, question: Q) -> None:
        """Refuse parameters that are not allowed.

        Raises:
            OutOfRange, UsageError
        """
        for parameter in self.parameters:
            parameter.check(getattr(question, parameter.field))
