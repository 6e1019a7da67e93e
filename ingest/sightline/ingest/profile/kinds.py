"""What kind of value a column holds: numbers, dates, names, texts; several values in a cell.

Knows texts; knows no table. A kind is what every value of a column is: nothing is a number because
most are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Literal

import polars as pl

from sightline.ingest.lexical import DIRECTIVES, LISTS
from sightline.ingest.lexical import listed as in_brackets

Kind = Literal[
    "integer",
    "decimal",
    "double",
    "comma",
    "point",
    "digits",
    "boolean",
    "date",
    "datetime",
    "time",
    "other date",
    "iri",
    "text",
    "empty",
]

_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"[0-9]{1,2}:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
#: Days as people write them.
_OTHER_DAYS = (
    r"[0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{4}|[0-9]{2})",
    r"[0-9]{4}[./][0-9]{1,2}[./][0-9]{1,2}",
    rf"[0-9]{{1,2}}(\. |[ -]){_MONTH}[ -]([0-9]{{4}}|[0-9]{{2}})",
    rf"{_MONTH} [0-9]{{1,2}},? [0-9]{{4}}",
)
#: After them: the time, and the zone, which is no part of what is read.
_CLOCK = r" [0-9]{1,2}:[0-9:.]+( ?[AaPp][Mm])?( ?(GMT|UTC|[A-Z]{3,4})?([+-][0-9:]+)?)?"
#: What the values of each kind look like, the narrow kinds before those that hold them too.
PATTERNS: dict[Kind, str] = {
    "integer": r"^[+-]?(0|[1-9][0-9]{0,17})$",
    "decimal": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$",
    "double": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$",
    "comma": r"^[+-]?([0-9]{1,3}([.' ][0-9]{3})+|[0-9]+)(,[0-9]+)?$",
    "point": r"^[+-]?([0-9]{1,3}([,' ][0-9]{3})+|[0-9]+)(\.[0-9]*)?$",
    "boolean": r"^(true|false|True|False|TRUE|FALSE|yes|no|Yes|No|YES|NO)$",
    "date": rf"^{_DAY}$",
    "datetime": rf"^{_DAY}([T ]{_TIME}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?$",
    "time": rf"^{_TIME}$",
    "other date": rf"^({'|'.join(_OTHER_DAYS)})({_CLOCK})?$",
    "iri": r"^(https?://|urn:)\S+$",
}
#: Digits that are no number: ``007`` is not ``7``. Looked for before decimals.
DIGITS = r"^[0-9]+$"
_COMPILED = {kind: re.compile(pattern) for kind, pattern in PATTERNS.items()}
_ANY = re.compile("|".join(PATTERNS.values()))
_ZEROS = re.compile(r"^0[0-9]+$")

_THREE = re.compile(r",[0-9]{3}$")
#: What is a thousand or a part, as the other numbers of the table are written.
THOUSANDS = re.compile(r"[+-]?(0|[1-9][0-9]{0,2}(\.[0-9]{3})?)")
_DAYS = re.compile(
    r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})"
    r"( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( [AaPp][Mm])?)?"
)
#: How days that can be read in one way alone are written, and times after days.
_SURE_DAYS = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d %B %Y", "%d. %b %Y", "%d. %B %Y", "%d-%b-%Y"),
    *("%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y"),
)
_TIMES_AFTER = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_CLOCKS = {
    "%Y-%m-%d %H:%M:%S": re.compile(r"[0-9-]{10} [0-9]{2}:[0-9]{2}:[0-9]{2}"),
    "%Y-%m-%d %H:%M:%S.%f": re.compile(r"[0-9-]{10} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+"),
    "%Y-%m-%d %H:%M": re.compile(r"[0-9-]{10} [0-9]{2}:[0-9]{2}"),
}

#: Numbers that name nothing.
AMOUNTS: tuple[Kind, ...] = ("decimal", "double", "comma", "point")
NUMBERS: tuple[Kind, ...] = ("integer", *AMOUNTS)
TIMES: tuple[Kind, ...] = ("date", "datetime", "time", "other date")
#: An id with a prefix of letters.
_CODE = re.compile(r"[A-Za-z]+[-_:]?[0-9]{2,}")
#: A word, without blanks around; a language before it, as in ``en:sweet-snacks``.
_TIGHT = re.compile(r"([a-z]{2}:)?[^\W\d_]+([ -][^\W\d_]+)*")
#: Kinds of which a few values of a column may be none, and their share at most.
MOSTLY: tuple[Kind, ...] = ("double", "datetime", "other date", "comma", "point")
MOST_MISFITS = 0.05
_WIDER: tuple[tuple[Kind, ...], ...] = (
    *(("integer", "decimal", "double"), ("integer", "digits"), ("integer", "comma")),
    ("integer", "decimal", "point"),
    ("date", "datetime"),
)
#: Units that numbers are written with: signs, which may touch them, money, and words.
_SIGNS = ("%", "\u2030", "\u20ac", "$", "\u00a3", "\u00a5", "\u00b0C", "\u00b0F", "\u00b0")
_MONEY = (
    *("CHF", "EUR", "USD", "GBP", "JPY", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "INR", "CNY"),
    "Fr.",
)
_WORDS = (
    *("kg", "g", "mg", "t", "km", "m", "cm", "mm", "km2", "km\u00b2", "m2", "m\u00b2", "m3"),
    *("m\u00b3", "ha", "l", "L", "ml", "mL", "h", "min", "s", "ms", "kWh", "MWh", "kW", "MW"),
    *("kB", "MB", "GB", "TB", "km/h", "mph", "ppm"),
)
_AMOUNT = r"[+-]?[0-9][0-9.,' ]*?"
_SIGN, _COIN, _WORD_AFTER = ("|".join(map(re.escape, one)) for one in (_SIGNS, _MONEY, _WORDS))
_WITH_UNIT = re.compile(
    rf"(?:(?P<before>{_SIGN}|{_COIN}) ?)?(?P<number>{_AMOUNT})"
    rf"(?: ?(?P<sign>{_SIGN})| (?P<word>{_COIN}|{_WORD_AFTER}))?"
)
#: What stands before and after the numbers of a column; at most one of the two is not empty.
Unit = tuple[str, str]
NO_UNIT: Unit = ("", "")
#: Codes for no value: ``-99``, ``-999.0``.
_NOTHING = re.compile(r"-(9{1,5}|8{2,4}|7{2,4})(\.0+)?")
#: Between the values of one cell.
SEPARATORS = ("|", ";", ",")


def unit_of(values: Sequence[str]) -> Unit:
    """The unit that all of several values are written with, ``12.5 %`` or ``CHF 12.50``."""
    if len(values) < 2:
        return NO_UNIT
    units = set()
    for value in values:
        found = _WITH_UNIT.fullmatch(value)
        units.add(
            (found["before"] or "", found["sign"] or found["word"] or "") if found else NO_UNIT
        )
        if len(units) > 1 or NO_UNIT in units:
            return NO_UNIT
    (unit,) = units
    return unit if unit.count("") == 1 else NO_UNIT


def without(values: pl.Expr, unit: Unit) -> pl.Expr:
    """The values without the unit, where they have it."""
    before, after = map(re.escape, unit)
    return pl.coalesce(values.str.extract(f"^{before} ?({_AMOUNT}) ?{after}$"), values)


def floats(values: Iterable[str]) -> bool:
    """Whether whole numbers are written ``17.0``, as programs do that keep them as floats where
    some are missing."""
    return all(value.endswith(".0") or value.isdigit() for value in values) and (
        kind_of(value.removesuffix(".0") for value in values) == "integer"
    )


def widened(one: Kind, other: Kind) -> Kind:
    """The narrowest kind of the values of two columns."""
    if "empty" in (one, other) or one == other:
        return one if other == "empty" else other
    for kinds in _WIDER:
        if one in kinds and other in kinds:
            return kinds[max(kinds.index(one), kinds.index(other))]
    return "text"


def mostly(values: Sequence[str]) -> Kind | None:
    """The kind of nearly all values of a column of texts; None where there is no such kind."""
    for kind in MOSTLY:
        misfits = (value for value in values if not _COMPILED[kind].match(value))
        most = int(MOST_MISFITS * len(values))
        if next(islice(misfits, most, None), None) is None:  # so many are looked for, and no more
            return kind
    return None


def wider(kind: Kind) -> Kind | None:
    """The kind of those of which a few values may be none that holds another; None for texts."""
    if kind in ("integer", "decimal", "double", "digits"):
        return "double"
    return "datetime" if kind == "date" else kind if kind in MOSTLY else None


def misfits(kind: Kind, values: pl.Series) -> pl.Series:
    """The values that are not of a kind."""
    return values.filter(~values.str.contains(PATTERNS[kind]))


def kind_of(values: Iterable[str]) -> Kind:
    """The narrowest kind that every value is of."""
    different = set(values)
    if not different:
        return "empty"
    if any(map(_ZEROS.match, different)) and all(map(str.isdigit, different)):
        return "digits"
    if not all(map(_ANY.match, different)):  # as in most columns of texts
        return "text"
    return next((k for k, p in _COMPILED.items() if all(map(p.match, different))), "text")


def still(kind: Kind, values: pl.Series) -> Kind:
    """The kind of a column with more values: the same one, a wider one, or text."""
    if kind in ("text", "empty"):
        return kind
    if kind == "digits":
        return kind if values.str.contains(DIGITS).all() else "text"
    if values.str.contains(PATTERNS[kind]).all():
        return kind
    if kind == "integer":
        if values.str.contains(DIGITS).all():
            return "digits"
        wider: tuple[Kind, ...] = AMOUNTS
        return next((k for k in wider if values.str.contains(PATTERNS[k]).all()), "text")
    if kind in ("decimal", "date"):
        after: tuple[Kind, ...] = ("double", "point") if kind == "decimal" else ("datetime",)
        return next((k for k in after if values.str.contains(PATTERNS[k]).all()), "text")
    return "text"


def written(kind: Kind, values: Sequence[str]) -> str | None:
    """The format of a mapping that says how dates, numbers or truth are written; None where none is
    needed, or where it cannot be told: ``01/02/2024`` may be in January or in February."""
    if kind == "comma":
        if not any("," in value for value in values):
            return "decimal-comma"  # ``8.700.000`` and ``1'200`` group thousands
        sure = [
            v for v in values if "," in v and (v.lstrip("+-")[0] == "0" or not _THREE.search(v))
        ]
        return "decimal-comma" if sure else None
    if kind == "point":
        return "decimal-point"
    if kind == "boolean":
        return None if {"true", "false"}.issuperset(values) else "boolean"
    if kind == "datetime":
        return next((f for f, p in _CLOCKS.items() if all(map(p.fullmatch, values))), None)
    if kind != "other date":
        return None
    found = [_DAYS.fullmatch(value) for value in values]
    if not any(found):
        forms = (day + time for day in _SURE_DAYS for time in _TIMES_AFTER)
        return next((form for form in forms if all(map(_written(form), values))), None)
    signs, lengths = {m[2] for m in found if m}, {len(m[4]) for m in found if m}
    clocks = {(bool(m[5]), bool(m[6]), bool(m[7])) for m in found if m}
    if not all(found) or any(len(one) != 1 for one in (signs, lengths, clocks)):
        return None
    clock = _TIMES_AFTER[sum(at * one for at, one in zip((1, 1, 2), clocks.pop()))]
    first = max(int(m[1]) for m in found if m)
    second = max(int(m[3]) for m in found if m)
    sign, year = signs.pop(), "%Y" if lengths == {4} else "%y"
    if first > 12 >= second or (sign == "." and second <= 12):
        return f"%d{sign}%m{sign}{year}{clock}"
    return f"%m{sign}%d{sign}{year}{clock}" if second > 12 >= first else None


@lru_cache(maxsize=len(_SURE_DAYS) * len(_TIMES_AFTER))
def _written(form: str) -> Callable[[str], re.Match[str] | None]:
    """Tells whether a value is written in a format."""
    parts = re.sub("%(.)", lambda m: f"(?:{DIRECTIVES[m[1]][1]})", form.replace(".", r"\."))
    return re.compile(parts).fullmatch


def either_way(kind: Kind, values: Sequence[str]) -> bool:
    """Whether the dates of a column may have a day or a month first, and its numbers thousands or
    parts."""
    if kind == "other date":
        return all(map(_DAYS.fullmatch, values)) and written(kind, values) is None
    several = not any("," in value for value in values)
    return kind == "comma" and not several and written(kind, values) is None


def nothing_in(values: Sequence[str]) -> list[str]:
    """Numbers by which surveys and instruments say that there is no value, where others are there
    and none but they is negative."""
    negative = {value for value in values if value.startswith("-")}
    found = {value for value in negative if _NOTHING.fullmatch(value)}
    return sorted(found) if found == negative != set(values) else []


def separator_of(values: Sequence[str], listed: bool) -> str | None:
    """What stands between the values of a cell, or None where cells hold one value.

    Pieces come again, first in one cell and later in another; ``City, Country`` does not. Codes
    such as ``tt0000001,tt0000002`` need not.

    Args:
        listed: the column is called as lists are, so that pieces need not come again.
    """
    if values and all(value[:1] == "[" and in_brackets(value) is not None for value in values):
        return LISTS
    for separator in SEPARATORS:
        cells = [value.split(separator) for value in values if separator in value]
        if not cells:
            continue
        pieces = [[piece.strip() for piece in cell] for cell in cells]
        flat = [piece for cell in pieces for piece in cell if piece]
        codes = all(map(_CODE.fullmatch, flat))
        # ``Drama,Comedy`` is several genres; ``2,4-D`` and ``Moss, Ada`` are no several names.
        sure = separator != "," or all(map(_TIGHT.fullmatch, chain.from_iterable(cells)))
        if len(cells) < 2 and not (codes or (listed and sure)):
            continue
        if not flat or sum(map(len, flat)) > 40 * len(flat) or len(flat) < 1.5 * len(cells):
            continue
        if kind_of(flat) in ("comma", "time", *NUMBERS[1:]) and separator == ",":
            continue
        later = Counter(piece for cell in pieces for piece in cell[1:] if piece)
        alone = {value.strip() for value in values if separator not in value}
        first = {cell[0] for cell in pieces} | alone
        again = sum(1 for piece in later if piece in first)
        if again * 3 >= len(later) or codes or (listed and sure):
            return separator
    return None
