"""What all answers can do: come from plain values, become a frame, become a graph.

Knows the shapes that records have; knows no record. Loads pandas and networkx when they are asked
for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial, wraps
from operator import attrgetter
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from sightline.client.errors import Problem

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

A = TypeVar("A")
P = ParamSpec("P")
Method = TypeVar("Method", bound=Callable[..., Any])
#: Fields of what names something, of an entity, and the ends of a fact.
NAMED, ENTITY = {"id", "iri", "label"}, {"id", "iri", "label", "types"}
#: What a table has where an entity and a column meet.
CELL = {"count", "values", "number"}
#: Lists in an item of which each has a head in the answer, and where that is.
HEADS = {"values": "variables", "cells": "columns"}
ENDS = (("source", "target"), ("head", "tail"))


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """A kind of question: how it is asked over HTTP, and what it is answered by.

    Attributes:
        many: arguments that are lists.
        defaults: of its arguments; the service has its own where it allows less.
        alone: lists that a text alone may stand for.
    """

    name: str
    method: str
    path: str
    record: type[A]
    many: tuple[str, ...]
    defaults: Mapping[str, Any]
    alone: tuple[str, ...] = ()

    def said(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that are not as by default.

        Raises:
            Problem: a text stands where a list is to be, or a record where its id is.
        """
        given = {k: [v] if k in self.alone and isinstance(v, str) else v for k, v in given.items()}
        for name, value in given.items():
            if isinstance(value, str) and name in self.many:
                detail = f"{name} is the text {value[:80]!r}; give a list: [{value[:80]!r}]"
                raise Problem(detail, "usage-error", 422)
            for one in value if _is_list(value) else [value]:
                if is_dataclass(one) and hasattr(one, "id"):
                    detail = (
                        f"{name} is a record of {one.id!r}; give its id, as in {name}=answer.id"
                    )
                    raise Problem(detail, "usage-error", 422)
        return {k: v for k, v in given.items() if k not in self.defaults or v != self.defaults[k]}


def question(method: str, path: str, *alone: str) -> Callable[[Method], Method]:
    """Makes a method of a signature: it asks ``self._ask`` for what it is to return.

    Args:
        alone: lists that a text alone may stand for.
    """

    def made(declared: Method) -> Method:
        listed = inspect.signature(declared, eval_str=True)
        arguments = list(listed.parameters.values())[1:]
        asked = Question(
            declared.__name__,
            method,
            path,
            listed.return_annotation,
            tuple(p.name for p in arguments if get_origin(p.annotation) is Sequence),
            {p.name: p.default for p in arguments if p.default is not p.empty},
            alone,
        )

        @wraps(declared)
        def ask(self: Any, *args: Any, **given: Any) -> Any:
            _, *said = listed.bind(self, *args, **given).arguments.items()
            return self._ask(asked, dict(said))

        vars(ask)["asked"] = asked
        return cast(Method, ask)

    return made


def several(one: Callable[..., Any]) -> Callable[[Method], Method]:
    """Makes a method of a signature: it asks several questions of the method ``one`` at once."""

    def made(declared: Method) -> Method:
        @wraps(declared)
        def ask(self: Any, questions: Sequence[Any]) -> Any:
            return self._ask_each(vars(one)["asked"], questions)

        return cast(Method, ask)

    return made


def awaited(
    method: Callable[Concatenate[Any, P], A],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, A]]:
    """The same method where what it does is to be awaited: so is, then, what it gives."""
    return cast(Callable[Concatenate[Any, P], Coroutine[Any, Any, A]], method)


def _is_list(value: object) -> bool:
    return isinstance(value, tuple | list)


def read(hint: type[A], value: Any) -> A:
    """A record from plain values, as JSON holds them. What this version does not know is left out.

    Raises:
        Problem: something that this version needs is missing.
    """
    wanted: Any = hint
    try:
        found: A = _reader(wanted)(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise Problem(
            f"the answer is no {hint.__name__} of this version of the client ({error!s:.80}); "
            "install the same version of sightline on both sides",
            "format-mismatch",
        ) from error
    return found


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    parts: tuple[Any, ...] = get_args(hint)
    if _names(hint):
        members = [(name, _reader(part)) for name, part in get_type_hints(hint).items()]
        return lambda value: hint(**{name: member(value[name]) for name, member in members})
    if get_origin(hint) is tuple:
        item = _reader(parts[0])
        return lambda value: tuple(map(item, value))
    if NoneType in parts:
        other = next((_reader(part) for part in parts if _names(part)), _same)
        return lambda value: None if value is None else other(value)
    return _same


def _same(value: Any) -> Any:
    return value


@dataclass_transform(frozen_default=True)
class Record:
    """What answers are made of: a frozen dataclass of plain values."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)


class Table:
    """An answer with a list of records."""

    __slots__ = ()

    def to_pandas(self, field: str | None = None) -> pd.DataFrame:
        """One of its lists as a frame, a row for each record.

        What names something is its id in the column of its field, and its label in ``FIELD_label``;
        other records become columns ``FIELD.NAME``. What an answer has under its variables or
        columns stands in a column of each.

        Args:
            field: which list; by default ``rows``, or the first of records that say more than
                names.
        """
        import pandas as pd

        lists = [f.name for f in fields(self) if _is_list(getattr(self, f.name))]  # type: ignore[arg-type]
        if field is None:
            hints = get_type_hints(type(self))
            items = {name: _names(get_args(hints[name])[0]) for name in lists}
            told = [name for name in lists if items[name] and items[name] - ENTITY]
            field = "rows" if "rows" in lists else [*told, *lists][0]
        elif field not in lists:
            detail = f"{type(self).__name__} has no list {field!r}; there are: {', '.join(lists)}"
            raise Problem(detail, "usage-error", 422)
        parts = _parts(self, field, get_args(get_type_hints(type(self))[field])[0])
        made = [
            dict(cell for name, _, get in parts for cell in _cells(name, get(row)))
            for row in getattr(self, field)
        ]
        columns = [column for name, hint, _ in parts for column in _columns(name, hint)]
        return pd.DataFrame(made, columns=columns)


class Graph:
    """An answer with facts."""

    __slots__ = ()

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """The entities and facts that it shows, what supports them included.

        Nodes are ids with ``label``, ``iri`` and ``types``. Edges run from head to tail, are keyed
        by the id of their relation and carry its ``label`` and what the answer says of the fact in
        numbers and texts, such as ``status`` and ``probability``.
        """
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for record in _records(self):
            names = _names(record)
            if names >= ENTITY:
                about = {name: value for name, value in _plain(record) if name != "id"}
                graph.add_node(record.id, **about, types="; ".join(record.types))
            for source, target in ENDS:
                if names >= {source, "relation", target}:
                    _draw(graph, record, getattr(record, source), getattr(record, target))
        return graph


def _draw(graph: nx.MultiDiGraph[str], fact: Any, source: Any, target: Any) -> None:
    if getattr(fact, "forward", True) is False:
        source, target = target, source
    ends = [end if isinstance(end, str) else getattr(end, "id", "") for end in (source, target)]
    for name, end in zip(ends, (source, target)):
        graph.add_node(name)
        if not isinstance(end, str):
            graph.nodes[name].setdefault("label", getattr(end, "label", ""))
    if not graph.has_edge(*ends, key=fact.relation.id):
        about = {k: v for k, v in _plain(fact) if k not in ("source", "target", "forward")}
        graph.add_edge(*ends, key=fact.relation.id, label=fact.relation.label, **about)


def _names(record: Any) -> set[str]:
    """The fields of a record; of anything else none."""
    return {f.name for f in fields(record)} if is_dataclass(record) else set()


def _plain(record: Any) -> Iterator[tuple[str, str | int | float]]:
    for f in fields(record):
        value = getattr(record, f.name)
        if isinstance(value, str | int | float):
            yield f.name, value


def _records(value: Any) -> Iterator[Any]:
    """All records in a record, those that hold others before them."""
    if _is_list(value):
        for item in value:
            yield from _records(item)
    elif is_dataclass(value):
        yield value
        for f in fields(value):
            yield from _records(getattr(value, f.name))


Part = tuple[str, Any, Callable[[Any], Any]]


def _parts(answer: Any, field: str, item: Any) -> Iterable[Part]:
    """What the items of a list consist of: the name, the type and how it is taken of an item."""
    if not _names(item):
        return [(field, item, _same)]
    parts: list[Part] = []
    for name, hint in get_type_hints(item).items():
        heads = getattr(answer, HEADS.get(name, ""), None)
        if heads is None:
            parts.append((name, hint, attrgetter(name)))
        else:
            inner = get_args(hint)[0]
            parts += [(_head(h), inner, partial(_at, name, i)) for i, h in enumerate(heads)]
    return parts


def _head(head: Any) -> str:
    """A variable or a column as the name of one."""
    return str(getattr(head, "key", head)).lstrip("?")


def _at(name: str, place: int, row: Any) -> Any:
    return getattr(row, name)[place]


def _cells(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A part of an item as cells of one row."""
    if _names(value) >= CELL:
        texts = value.values[0] if value.count == 1 else value.values or None
        yield name, texts if value.number is None else value.number
    elif name and _names(value) >= NAMED:
        yield name, value.id
        yield f"{name}_label", value.label
    elif is_dataclass(value):
        for f in fields(value):
            yield from _cells(f"{name}.{f.name}" if name else f.name, getattr(value, f.name))
    elif _is_list(value) and all(_names(item) >= NAMED for item in value):
        yield name, tuple(item.id for item in value)
    else:
        yield name, value


def _columns(name: str, hint: Any) -> Iterator[str]:
    """The names of these cells, whatever the values."""
    record = next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)
    if get_origin(hint) is tuple or record is None or _names(record) >= CELL:
        yield name
    elif name and _names(record) >= NAMED:
        yield from (name, f"{name}_label")
    else:
        for part, inner in get_type_hints(record).items():
            yield from _columns(f"{name}.{part}" if name else part, inner)
