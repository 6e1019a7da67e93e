"""Lexical forms: what a datatype allows, and how cells that write it otherwise are read.

Knows the datatypes of XSD and texts as columns; knows no template and no record.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import polars as pl

from sightline.graph.vocabulary import XSD

_YEAR = "-?([1-9][0-9]{3,}|0[0-9]{3})"
#: Years with a 29 February: 0 and those before it count as in astronomy, as XSD 1.1 has it.
_LEAP = "-?([0-9]{2,}(0[48]|[2468][048]|[13579][26])|[0-9]*([02468][048]|[13579][26])00)"
_MONTH = "(0[1-9]|1[0-2])"
_DAY = "(0[1-9]|[12][0-9]|3[01])"
_IN_MONTH = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_DATE = f"({_YEAR}-{_IN_MONTH}|{_LEAP}-02-29)"
_TIME = r"(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?|24:00:00(\.0+)?)"
_OFFSET = "(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_ZONE = f"{_OFFSET}?"
_REAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_SECONDS = r"[0-9]+(\.[0-9]+)?S"
_MONTHS = "([0-9]+Y([0-9]+M)?|[0-9]+M)"
_CLOCK_SPAN = f"T([0-9]+H([0-9]+M)?({_SECONDS})?|[0-9]+M({_SECONDS})?|{_SECONDS})"
_DAYS = f"([0-9]+D({_CLOCK_SPAN})?|{_CLOCK_SPAN})"
_SIX_BITS = "[A-Za-z0-9+/] ?"
_INITIAL = (
    r"A-Z_a-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}"
    r"\x{200C}-\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}"
    r"\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}"
)
_INNER = _INITIAL + r"\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}-\x{2040}"
_TOKEN = r"([^\s]+( [^\s]+)*)?"
#: What a value of each datatype of XSD 1.1 looks like, calendar included. Those of other datatypes
#: are taken as they are.
LEXICAL = {
    "boolean": "true|false|1|0",
    "decimal": _REAL,
    "double": rf"{_REAL}([eE][+-]?[0-9]+)?|[+-]?INF|NaN",
    "integer": "[+-]?[0-9]+",
    "positiveInteger": r"\+?0*[1-9][0-9]*",
    "nonNegativeInteger": r"\+?[0-9]+|-0+",
    "negativeInteger": "-0*[1-9][0-9]*",
    "nonPositiveInteger": r"-[0-9]+|\+?0+",
    "date": _DATE + _ZONE,
    "time": _TIME + _ZONE,
    "dateTime": f"{_DATE}T{_TIME}{_ZONE}",
    "dateTimeStamp": f"{_DATE}T{_TIME}{_OFFSET}",
    "gYear": _YEAR + _ZONE,
    "gYearMonth": f"{_YEAR}-{_MONTH}{_ZONE}",
    "gMonth": f"--{_MONTH}{_ZONE}",
    "gMonthDay": f"--({_IN_MONTH}|02-29){_ZONE}",
    "gDay": f"---{_DAY}{_ZONE}",
    "duration": f"-?P({_MONTHS}({_DAYS})?|{_DAYS})",
    "yearMonthDuration": f"-?P{_MONTHS}",
    "dayTimeDuration": f"-?P{_DAYS}",
    "hexBinary": "([0-9A-Fa-f]{2})*",
    "base64Binary": (
        f"(({_SIX_BITS}){{4}})*(({_SIX_BITS}){{3}}[A-Za-z0-9+/]"
        f"|({_SIX_BITS}){{2}}[AEIMQUYcgkosw048] ?=|{_SIX_BITS}[AQgw] ?= ?=)|"
    ),
    "language": "[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*",
    "anyURI": _TOKEN,  # XSD 1.1 allows whatever a relative IRI could be made of by escaping
    "string": None,
    "normalizedString": r"[^\t\n\r]*",
    "token": _TOKEN,
    "NMTOKEN": f"[:{_INNER}]+",
    "Name": f"[:{_INITIAL}][:{_INNER}]*",
    "NCName": f"[{_INITIAL}][{_INNER}]*",
}
LEXICAL["float"] = LEXICAL["double"]
#: The least and the greatest value of integers that have both.
RANGES = {
    name: (low, high)
    for bits, signed, unsigned in (
        *((8, "byte", "unsignedByte"), (16, "short", "unsignedShort")),
        *((32, "int", "unsignedInt"), (64, "long", "unsignedLong")),
    )
    for name, low, high in (
        (signed, -(1 << bits - 1), (1 << bits - 1) - 1),
        (unsigned, 0, (1 << bits) - 1),
    )
}
LEXICAL |= dict.fromkeys(RANGES, LEXICAL["integer"])


def unfit(values: pl.Series, datatype: str) -> pl.Series | None:
    """Boolean ``(n,)``: texts that are no value of a datatype; None where all are, or may be."""
    name = datatype.removeprefix(XSD)
    pattern = LEXICAL.get(name) if name != datatype else None
    if pattern is None:
        return None
    fit = values.str.contains(f"^({pattern})$")
    if name in RANGES:
        # Numbers of more than 128 bits are null: they are in no range.
        numbers = values.str.strip_prefix("+").cast(pl.Int128, strict=False)
        fit &= numbers.is_between(*RANGES[name]).fill_null(False) | values.is_null()
    fit = fit.fill_null(True)
    return None if fit.all() else ~fit


#: Bytes of the longest text or IRI, as RDF and JSON escape it. Parsers read no longer one back, so
#: it is set aside in every format alike.
MAX_WRITTEN = 7 << 20
TOO_LONG = f"longer than {MAX_WRITTEN >> 20} MiB"


def too_long(texts: pl.Series) -> pl.Series | None:
    """Boolean ``(n,)``: texts that would not be read back; None where all would."""
    long = texts.str.len_bytes() > MAX_WRITTEN // 6
    if not long.any():
        return None
    escaped = texts.str.count_matches(r'["\\]') + 5 * texts.str.count_matches(r"[\x00-\x1f]")
    long = (long & (texts.str.len_bytes() + escaped > MAX_WRITTEN)).fill_null(False)
    return long if long.any() else None


#: What `split` says of cells that hold lists in brackets, as JSON and Python write them.
LISTS = "[]"
_ITEM = (
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|True|False|None"""
)
_LIST = re.compile(rf"\[\s*(?:(?:{_ITEM})\s*(?:,\s*(?:{_ITEM})\s*)*(?:,\s*)?)?\]")
_NOTHING = ("null", "None")
#: How Python writes characters in quotes that it does not show.
_ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[ntr'\"\\])")
_SIGNS = {"n": "\n", "t": "\t", "r": "\r"}


def listed(text: str) -> list[str] | None:
    """The values in a list in brackets; None where it is none, or holds more than values."""
    if not _LIST.fullmatch(text):
        return None
    found = (item for item in re.findall(_ITEM, text) if item not in _NOTHING)
    return [_unquoted(item) for item in found]


def _unquoted(item: str) -> str:
    if item[0] not in "'\"":
        return item
    try:
        text = str(json.loads(item))
        text.encode()  # half of a surrogate pair is no character
        return text
    except ValueError:
        return _ESCAPED.sub(_sign, item[1:-1])


def _sign(found: re.Match[str]) -> str:
    said = found[1]
    if len(said) == 1:
        return _SIGNS.get(said, said)
    code = int(said[1:], 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code < 0x110000 else found[0]


def cut(values: pl.Series, separator: str) -> pl.Series:
    """The values of cells that hold several, List(String) ``(n,)``; a cell that holds no several is
    one of its own."""
    if separator != LISTS:
        return values.str.split(separator)
    found = {text: _listed(text) for text in values.unique() if text is not None}
    return pl.Series(values.name, map(found.get, values), dtype=pl.List(pl.String))


def _listed(text: str) -> list[str]:
    values = listed(text.strip())
    return [text] if values is None else values


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
#: The same with a unit before or after it: ``decimal-comma %``, ``CHF decimal-point``.
_AMOUNT = re.compile(rf"(?:(\S+) )?({'|'.join(NUMBERS)})(?: (\S+))?")
#: The name of the format of what is true or false, and how that is said, whatever the case.
BOOLEAN = "boolean"
TRUTH = dict.fromkeys(("true", "yes"), "true") | dict.fromkeys(("false", "no"), "false")
NUMERIC = ("decimal", *(name for name in LEXICAL if "nteger" in name), *RANGES, "double", "float")


@dataclass(frozen=True, slots=True)
class Written:
    """How cells write dates, times, numbers or what is true.

    Attributes:
        text: ``decimal-comma`` or ``decimal-point``, beside which a unit may stand; ``boolean``; or
            directives such as ``%d.%m.%Y``.
    """

    text: str

    @classmethod
    def of(cls, text: str) -> Written:
        """The format that a text names.

        Raises:
            ValueError: it names none; says which there are.
        """
        if text == BOOLEAN or _AMOUNT.fullmatch(text):
            return cls(text)
        names = re.findall("%-?(.?)", text.replace("%%", ""))
        unknown = [name for name in names if name not in DIRECTIVES]
        fields = [DIRECTIVES[name][0] for name in names if name in DIRECTIVES]
        if not names or unknown:
            what = f"%{unknown[0]} in format" if unknown else "format"
            known = ", ".join((*NUMBERS, BOOLEAN, *(f"%{name}" for name in DIRECTIVES)))
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
        if _AMOUNT.fullmatch(self.text):
            return tuple(XSD + name for name in NUMERIC)
        if self.text == BOOLEAN:
            return (XSD + BOOLEAN,)
        fields = {DIRECTIVES[name][0] for name in self._names}
        there = fields.union(ABSENT)
        return tuple(XSD + n for n, form in FORMS.items() if there.issuperset(_PART.findall(form)))

    def lexical(self, values: pl.Series, datatype: str) -> pl.Series:
        """Lexical forms of the datatype, String ``(n,)``; null for cells written otherwise.

        Whether the calendar has such a day is left to the datatype.
        """
        if amount := _AMOUNT.fullmatch(self.text):
            before, called, after = amount.groups(default="")
            bare = values.str.strip_chars().str.strip_prefix(before).str.strip_suffix(after)
            return _numbers(bare, *NUMBERS[called])
        if self.text == BOOLEAN:
            said = values.str.strip_chars().str.to_lowercase()
            return said.replace_strict(TRUTH, default=None, return_dtype=pl.String)
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


def _numbers(values: pl.Series, thousands: str, decimal: str) -> pl.Series:
    """Lexical forms of numbers; null for what is written otherwise."""
    groups = "|".join(f"(?:{re.escape(sign)}[0-9]{{3}})+" for sign in thousands)
    pattern = (
        rf"^(?P<sign>[+\u2212-]?)(?P<whole>[0-9]{{1,3}}(?:{groups})|[0-9]+)"
        rf"(?:{re.escape(decimal)}(?P<part>[0-9]*?)0*)?(?P<power>[eE][+-]?[0-9]+)?$"
    )
    cells = values.str.strip_chars().str.extract_groups(pattern).struct.unnest()
    sign = pl.when(pl.col("sign").is_in(["-", "\u2212"])).then(pl.lit("-")).otherwise(pl.lit(""))
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
