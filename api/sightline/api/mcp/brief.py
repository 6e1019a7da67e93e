"""An answer as short as a model's context wants it: the same twice, as values and as text.

Knows the shapes that records have, and that of a table's cell; knows no kind of answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import orjson

from sightline.graph.snapshot.statement import Origin
from sightline.insights.kinds.table import Cell

#: Most characters of an answer as JSON, and as text; of one text in it.
BUDGET, TEXT = 8_000, 600
#: Items of a list within an item: as many are tried, and fewer where not one item would fit.
NESTED = (3, 1, 0)
#: Lists in an item of which each belongs to a variable or a column of the answer; they stay whole.
ALIGNED = ("values", "cells")
#: What the id or the text beside says as well.
SAID_BESIDE = {"iri": {"id"}, "steps": {"text", "metapath"}}


@dataclass(frozen=True, slots=True)
class Brief:
    """An answer that fits.

    Attributes:
        values: plain values; ``left_out`` counts what did not fit, by list.
        text: the same as lines.
        shown: of each list in the answer, how many items.
    """

    values: dict[str, Any]
    text: str
    shown: dict[str, int]


def brief(answer: Any, budget: int = BUDGET) -> Brief:
    """As much of an answer as fits: of every list the first items, in their order."""
    longest = max((len(v) for _, v in _members(answer) if isinstance(v, tuple)), default=0)
    for nested in NESTED:
        low, high, best = 0, longest, _cut(answer, 0, nested)
        while low < high:
            middle = (low + high + 1) // 2
            made = _cut(answer, middle, nested)
            if max(len(made.text), len(orjson.dumps(made.values))) <= budget:
                low, best = middle, made
            else:
                high = middle - 1
        if low or not longest:
            return _cut(answer, longest, nested) if low == longest else best
    return best


def _cut(answer: Any, most: int, nested: int) -> Brief:
    """An answer with at most so many items in its lists, and in lists within items."""
    values: dict[str, Any] = {}
    left: dict[str, int] = {}
    shown: dict[str, int] = {}
    for name, value in _members(answer):
        if isinstance(value, tuple):
            shown[name] = min(len(value), most)
            if len(value) > most:
                left[name] = len(value) - most
            value = value[:most]
            made: Any = [_plain(item, nested) for item in value]
        else:
            made = _plain(value, nested)
        if made not in (None, [], ""):
            values[name] = made
    if left:
        values["left_out"] = left
    return Brief(values, "\n".join(_lines(values)), shown)


def _members(record: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a record, less those that say what another says."""
    names = {f.name for f in fields(record)}
    for f in fields(record):
        if names.isdisjoint(SAID_BESIDE.get(f.name, ())):
            yield f.name, getattr(record, f.name)


def _plain(value: Any, nested: int) -> Any:
    """A value as JSON has it: nothing empty, fractions with four digits, long texts cut."""
    if isinstance(value, Origin):
        return str(value)
    if isinstance(value, Cell):
        more = value.count - len(value.values)
        return _plain(", ".join(value.values) + (f" and {more} more" if more > 0 else ""), nested)
    if is_dataclass(value):
        made: dict[str, Any] = {}
        for name, member in _members(value):
            if isinstance(member, tuple) and len(member) > nested and name not in ALIGNED:
                made[f"{name}_left_out"] = len(member) - nested
                member = member[:nested]
            if (plain := _plain(member, nested)) not in (None, [], ""):
                made[name] = plain
        return made
    if isinstance(value, tuple):
        return [_plain(item, nested) for item in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if abs(value) < 1 else round(value, 4)
    if isinstance(value, str) and len(value) > TEXT:
        return f"{value[:TEXT]}… ({len(value) - TEXT} more characters)"
    return value


def _lines(values: dict[str, Any]) -> Iterator[str]:
    """Values as text: a line for each, and for each item of a list."""
    for name, value in values.items():
        if name == "left_out":
            left = ", ".join(f"{count} of {key}" for key, count in value.items())
            yield f"left out, for want of room: {left}; ask for less, or about one of the ids"
        elif isinstance(value, list) and isinstance(value[0], dict):
            yield f"{name}:"
            yield from (f"- {_inline(item)}" for item in value)
        else:
            yield f"{name}: {_inline(value)}"


def _inline(value: Any) -> str:
    """A value in one line; what names something as its label and its id."""
    if isinstance(value, list):
        return ", ".join(map(_inline, value))
    if not isinstance(value, dict):
        return " ".join(str(value).split())
    named = f"{value['label']} [{value['id']}]" if {"id", "label"} <= value.keys() else ""
    rest = (f"{k}: {_inline(v)}" for k, v in value.items() if not named or k not in ("id", "label"))
    parts = [" ".join(named.split()), "; ".join(rest)]
    return f"{parts[0]} ({parts[1]})" if all(parts) else "".join(parts)
