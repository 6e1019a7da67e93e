"""Which entities have a value that compares so with another.

Knows the literals of a snapshot; knows no question.
"""

from __future__ import annotations

import operator
import re

import numpy as np

from sightline.graph.arrays import Doubles, Flags
from sightline.graph.errors import UsageError
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.qualifiers import PLAIN
from sightline.graph.vocabulary import NUMBERS, XSD_STRING
from sightline.insights.conditions import TIMES, looks_like_time, number_in
from sightline.insights.logic.atoms import Sign

_COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def having(snapshot: Snapshot, prop: int, sign: Sign, value: int | float | str) -> Flags:
    """bool ``(N,)``: entities with a value of a property that compares so with another.

    Numbers compare with numbers, and with texts without a datatype of their own that are numbers;
    dates with dates, a date with no day or month with all that begin so. Other texts are equal or
    not, whatever their language.

    Raises:
        UsageError: what has no order is compared.
    """
    s, compare = snapshot, _COMPARE[sign]
    at = np.flatnonzero(s.attribute_property == prop)
    texts = s.attribute_value.take(at.tolist())
    datatypes = s.manifest["datatypes"]
    of_numbers, plain, dated = (
        np.isin(s.attribute_datatype[at], [i for i, d in enumerate(datatypes) if d in among])
        for among in (NUMBERS, (XSD_STRING,), TIMES)
    )
    met = np.zeros(len(at), np.bool_)
    number = None if isinstance(value, str) else float(value)
    time = looks_like_time(str(value)) and sign not in ("=", "!=")
    if number is not None:
        numbers = _numbers(texts, of_numbers, plain)
        met |= compare(numbers, number) & ~np.isnan(numbers)
    elif sign in ("=", "!="):
        # A number is neither equal to a text nor not: they do not compare.
        met |= np.array([compare(text, value) for text in texts], np.bool_) & ~of_numbers
    if time:
        length = len(str(value))
        begins = (compare(text[:length], str(value)) for text in texts)
        met |= np.fromiter(begins, np.bool_, len(texts)) & dated
    elif number is None and sign not in ("=", "!="):
        label = s.property_labels[prop]
        raise UsageError(
            f"{label} is compared with {value!r:.80}, which is no number and no date such as "
            f"2024-05-31; ask for {label} = ... or {label} != ..."
        )
    out = np.zeros(s.num_entities, np.bool_)
    out[np.searchsorted(s.attribute_indptr, at[met], side="right") - 1] = True
    return out


def _numbers(texts: list[str], of_numbers: Flags, plain: Flags) -> Doubles:
    """float64 ``(n,)``: the number in each of some texts, NaN where there is none."""
    out = np.full(len(texts), np.nan)
    for i in np.flatnonzero(of_numbers | plain).tolist():
        number = number_in(texts[i])
        if number is not None and (of_numbers[i] or re.fullmatch(PLAIN, texts[i])):
            out[i] = number
    return out
