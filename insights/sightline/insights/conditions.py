"""Conditions on what links say about themselves: ``rating>=4``, ``year<=1999``, ``source=IMDb``.

Knows the qualifiers of a snapshot; knows no kind of answer.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from sightline.graph.arrays import Flags
from sightline.graph.errors import UsageError
from sightline.graph.snapshot.errors import UnknownQualifier
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import XSD

#: Name, sign and value.
_CONDITION = re.compile(r"\s*(.*?[^<>=\s])\s*(>=|<=|=)\s*(.*\S)\s*", re.DOTALL)
#: How a name begins that says the sign, as a parameter of a query does: ``min_rating=4``.
BOUNDS = {"min_": ">=", "max_": "<="}
#: Datatypes whose texts stand in the order of time.
TIMES = tuple(XSD + name for name in ("date", "dateTime", "dateTimeStamp", "gYearMonth"))
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T.*)?)?)?")


def conditions(snapshot: Snapshot, texts: Sequence[str]) -> list[Flags]:
    """What a statement may say to meet each condition, as ``Snapshot.saying`` takes it.

    Numbers compare as numbers, dates as dates, a date with no day or month with all that begin so;
    other values are equal or not.

    Raises:
        UsageError: one cannot be read, or it compares what has no order.
        BadReference, UnknownQualifier, AmbiguousQualifier
    """
    return [_allowed(snapshot, *_parsed(snapshot, text)) for text in texts]


def edges_saying(snapshot: Snapshot, texts: Sequence[str]) -> Flags | None:
    """bool ``(M,)``: the edges of which a statement meets every condition; None for no condition.

    Raises:
        UsageError, BadReference, UnknownQualifier, AmbiguousQualifier: as ``conditions``.
    """
    return snapshot.edges_saying(conditions(snapshot, texts)) if texts else None


def _parsed(snapshot: Snapshot, text: str) -> tuple[int, str, str]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"condition {text[:80]!r} cannot be read; write a name, one of >=, <= and =, and a "
            "value: rating>=4"
        )
    name, sign, value = found.groups()
    try:
        return snapshot.resolve_qualifier(name), sign, value
    except UnknownQualifier:
        if sign != "=" or name[:4] not in BOUNDS:
            raise
        return snapshot.resolve_qualifier(name[4:]), BOUNDS[name[:4]], value


def _allowed(snapshot: Snapshot, prop: int, sign: str, value: str) -> Flags:
    """bool ``(D,)``"""
    s, span = snapshot, snapshot.values_of(prop)
    allowed = np.zeros(len(s.qualifier_property), np.bool_)
    numbers = s.qualifier_number[span.start : span.stop]
    texts = span[len(numbers) - int(np.isnan(numbers).sum()) :]
    number = number_in(value)
    if number is not None:
        compare = {"=": np.equal, ">=": np.greater_equal, "<=": np.less_equal}[sign]
        allowed[span.start : span.stop] = compare(numbers, number)
    if sign == "=":
        for text in {value, s.iri(value)}:
            low = bisect_left(texts, text, key=s.qualifier_value.__getitem__)
            high = bisect_right(texts, text, key=s.qualifier_value.__getitem__)
            allowed[texts[low:high]] = True
    elif looks_like_time(value):

        def begins(at: int) -> str:
            return s.qualifier_value[at][: len(value)]

        terms = s.manifest["qualifier_terms"]
        times = np.array([datatype in TIMES for datatype, _ in terms])
        within = texts[bisect_left(texts, value, key=begins) :]
        if sign == "<=":
            within = texts[: bisect_right(texts, value, key=begins)]
        allowed[within] = times[s.qualifier_term[within]]
    elif number is None:
        label = s.property_labels[prop]
        raise UsageError(
            f"{label} is compared with {value[:80]!r}, which is no number and no date such as "
            f"2024-05-31; ask for {label}=... where values are equal"
        )
    return allowed


def looks_like_time(text: str) -> bool:
    """Whether a text is a date, or how one begins."""
    return _TIME.fullmatch(text) is not None


def number_in(text: str) -> float | None:
    """The finite number that a text is, None for none."""
    try:
        number = float(text.replace("_", "-"))  # which Python would read over
    except ValueError:
        return None
    return number if np.isfinite(number) else None
