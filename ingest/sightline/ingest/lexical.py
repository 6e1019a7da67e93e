"""Lexical forms: what a datatype allows, and how cells that write it otherwise are read.

Knows the datatypes of XSD and texts as columns; knows no template and no record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from sightline.graph.vocabulary import XSD

#: Lexical forms that are checked; other datatypes are taken as they are.
_DAY = r"-?[0-9]{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
_ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})?"
_REAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
LEXICAL = {
    XSD + "integer": r"^[+-]?[0-9]+$",
    XSD + "nonNegativeInteger": r"^(\+?[0-9]+|-0+)$",
    XSD + "int": r"^[+-]?[0-9]+$",
    XSD + "long": r"^[+-]?[0-9]+$",
    XSD + "decimal": f"^{_REAL}$",
    XSD + "double": rf"^({_REAL}([eE][+-]?[0-9]+)?|[+-]?INF|NaN)$",
    XSD + "float": rf"^({_REAL}([eE][+-]?[0-9]+)?|[+-]?INF|NaN)$",
    XSD + "boolean": r"^(true|false|1|0)$",
    XSD + "date": f"^{_DAY}{_ZONE}$",
    XSD + "dateTime": f"^{_DAY}T{_TIME}{_ZONE}$",
    XSD + "gYear": f"^-?[0-9]{{4,}}{_ZONE}$",
}

#: Directives of dates and times: what each stands for, and what it looks like in a cell.
DIRECTIVES = {
    "Y": ("year", "[0-9]{4}"),
    "y": ("year", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}"),
    "b": ("month", "(?i:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"),
    "B": (
        "month",
        "(?i:january|february|march|april|may|june|july|august|september|october|november|december)",
    ),
    "d": ("day", "[0-9]{1,2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "I": ("hour", "[0-9]{1,2}"),
    "p": ("half", "(?i:[ap]m)"),
    "M": ("minute", "[0-9]{1,2}"),
    "S": ("second", "[0-9]{1,2}"),
    "f": ("fraction", "[0-9]+"),
    "z": ("zone", "Z|[+-][0-9]{2}:?[0-9]{2}"),
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = "{hour}:{minute}:{second}{fraction}{zone}"
#: Datatypes that dates and times can become; the first of which all parts are there is meant where
#: none is said. Parts of ``ABSENT`` may be missing.
FORMS = {
    "dateTime": "{year}-{month}-{day}T" + _CLOCK,
    "date": "{year}-{month}-{day}{zone}",
    "time": _CLOCK,
    "gYearMonth": "{year}-{month}",
    "gYear": "{year}",
    "gMonthDay": "--{month}-{day}",
    "gMonth": "--{month}",
    "gDay": "---{day}",
}
_PART = re.compile("{(.*?)}")
ABSENT = {"minute": "00", "second": "00", "fraction": "", "zone": ""}
#: Signs between thousands and before decimals, by the name of the format.
SPACES = " \u00a0\u202f'\u2019"
NUMBERS = {"decimal-comma": ("." + SPACES, ","), "decimal-point": ("," + SPACES, ".")}
NUMERIC = ("decimal", "integer", "nonNegativeInteger", "int", "long", "double", "float")


@dataclass(frozen=True, slots=True)
class Written:
    """How cells write dates, times or numbers.

    Attributes:
        text: ``decimal-comma``, ``decimal-point``, or directives such as ``%d.%m.%Y``.
    """

    text: str

    @classmethod
    def of(cls, text: str) -> Written:
        """The format that a text names.

        Raises:
            ValueError: it names none; says which there are.
        """
        if text in NUMBERS:
            return cls(text)
        names = re.findall("%-?(.?)", text.replace("%%", ""))
        unknown = [name for name in names if name not in DIRECTIVES]
        fields = [DIRECTIVES[name][0] for name in names if name in DIRECTIVES]
        if not names or unknown:
            what = f"%{unknown[0]} in format" if unknown else "format"
            known = ", ".join((*NUMBERS, *(f"%{name}" for name in DIRECTIVES)))
            raise ValueError(f"unknown {what} {text[:60]!r}; known are {known}")
        if len(set(fields)) < len(fields) or ("I" in names) != ("p" in names):
            raise ValueError(
                f"format {text[:60]!r} must say each part once, and %p where it has %I"
            )
        found = cls(text)
        if not found.datatypes:
            raise ValueError(f"format {text[:60]!r} has too few parts for a date or a time")
        return found

    @property
    def datatypes(self) -> tuple[str, ...]:
        """What the cells can become; the first where nothing is said."""
        if self.text in NUMBERS:
            return tuple(XSD + name for name in NUMERIC)
        fields = {DIRECTIVES[name][0] for name in self._names}
        there = fields.union(ABSENT)
        return tuple(XSD + n for n, form in FORMS.items() if there.issuperset(_PART.findall(form)))

    def lexical(self, values: pl.Series, datatype: str) -> pl.Series:
        """Lexical forms of the datatype, String ``(n,)``; null for cells written otherwise.

        Whether the calendar has such a day is left to the datatype.
        """
        if self.text in NUMBERS:
            return self._numbers(values)
        pattern, names = "", self._names
        pieces = iter(re.split("%-?([^%])", self.text))
        for piece in pieces:
            pattern += re.escape(piece.replace("%%", "%"))
            if name := next(pieces, None):
                pattern += f"({DIRECTIVES[name][1]})"
        cells = values.str.extract_groups(f"^{pattern}$").struct.unnest()
        cells.columns = names
        parts = {DIRECTIVES[name][0]: _part(name) for name in names if name != "p"}
        form = FORMS[datatype.removeprefix(XSD)]
        exprs = [parts.get(part, pl.lit(ABSENT.get(part))) for part in _PART.findall(form)]
        made = pl.format(_PART.sub("{}", form), *exprs)
        return cells.select(made)[:, 0]

    @property
    def _names(self) -> list[str]:
        return re.findall("%-?(.)", self.text.replace("%%", ""))

    def _numbers(self, values: pl.Series) -> pl.Series:
        thousands, decimal = NUMBERS[self.text]
        groups = "|".join(f"(?:{re.escape(sign)}[0-9]{{3}})+" for sign in thousands)
        pattern = (
            rf"^(?P<sign>[+\u2212-]?)(?P<whole>[0-9]{{1,3}}(?:{groups})|[0-9]+)"
            rf"(?:{re.escape(decimal)}(?P<part>[0-9]*?)0*)?(?P<power>[eE][+-]?[0-9]+)?$"
        )
        cells = values.str.strip_chars().str.extract_groups(pattern).struct.unnest()
        sign = (
            pl.when(pl.col("sign").is_in(["-", "\u2212"])).then(pl.lit("-")).otherwise(pl.lit(""))
        )
        digits = pl.col("whole").str.replace_all("[^0-9]", "").str.replace("^0+([0-9])", "$1")
        part = pl.col("part").fill_null("")
        part = pl.when(part != "").then("." + part).otherwise(part)
        return cells.select(pl.concat_str(sign, digits, part, pl.col("power").fill_null("")))[:, 0]


def _part(name: str) -> pl.Expr:
    """A part of a date or time with the digits that XSD wants."""
    text = pl.col(name)
    if name in ("b", "B"):
        short = text.str.to_lowercase().str.slice(0, 3)
        return short.replace_strict(MONTHS, [f"{i:02}" for i in range(1, 13)], default=None)
    if name == "y":  # as POSIX has it
        return pl.when(text < "69").then("20" + text).otherwise("19" + text)
    if name == "I":
        hour = text.cast(pl.Int64)
        late = pl.col("p").str.to_lowercase() == "pm"
        clock = pl.when(hour.is_between(1, 12)).then(
            hour % 12 + pl.when(late).then(12).otherwise(0)
        )
        return clock.cast(pl.String).str.zfill(2)
    if name == "f":
        digits = text.str.strip_chars_end("0")
        return pl.when(digits == "").then(digits).otherwise("." + digits)
    if name == "z":
        return text.str.replace("^(...)(..)$", "$1:$2")
    return text if name == "Y" else text.str.zfill(2)
