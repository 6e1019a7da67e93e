"""What datatypes allow, compared with Oxigraph's casts, Python's integers and its decoders."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, Store

from sightline.graph.vocabulary import XSD
from sightline.ingest.lexical import (
    LISTS,
    MAX_WRITTEN,
    RANGES,
    Written,
    cut,
    listed,
    too_long,
    unfit,
)

STORE = Store()


def fits(text: str, name: str) -> bool:
    return unfit(pl.Series([text]), XSD + name) is None


def oxigraph(text: str, name: str) -> bool:
    (row,) = STORE.query(f"SELECT (<{XSD}{name}>({Literal(text)}) AS ?x) WHERE {{}}")
    return row["x"] is not None


def number(low: int, high: int, digits: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda n: str(n).zfill(digits))


YEAR = st.sampled_from(
    ("0000", "0004", "1900", "2000", "2023", "2024", "2100", "12024", "99", "012")
)
YEAR = st.builds(str.__add__, st.sampled_from(("", "", "", "-", "+")), YEAR)
MONTH, DAY = number(0, 13, 2), st.sampled_from(("00", "01", "9", "28", "29", "30", "31", "32"))
TWO = number(0, 61, 2) | st.just("5")
SECOND = st.builds(str.__add__, TWO, st.sampled_from(("", "", ".5", ".", ".000")))
ZONE = st.sampled_from(
    ("", "", "", "Z", "z", "+00:00", "-14:00", "+14:01", "+13:59", "+15:00", "+1:00", "+01:60")
)
DATE = st.builds("{}-{}-{}".format, YEAR, MONTH, DAY)
HOUR = st.sampled_from(("00", "09", "23", "24", "25", "7"))
TIME = st.builds("{}:{}:{}".format, HOUR, TWO, SECOND) | st.sampled_from(
    ("24:00:00", "24:00:00.0", "24:00:01", "12:00")
)
SPAN = st.builds(
    "{}P{}{}T{}{}{}".format,
    st.sampled_from(("", "-", "+")),
    *(st.sampled_from(("", x)) for x in ("1Y", "2M", "3H", "4M", "5.5S")),
) | st.from_regex(r"\A-?P([0-9]Y)?([0-9]M)?([0-9]D)?(T([0-9]H)?([0-9]M)?([0-9](\.[0-9])?S)?)?\Z")
REAL = st.from_regex(r"\A[+-]?[0-9]{0,3}\.?[0-9]{0,3}([eE][+-]?[0-9]?)?\Z") | st.sampled_from(
    ("INF", "+INF", "-INF", "NaN", "1,5", " 1", "")
)
KINDS = {
    "date": st.builds(str.__add__, DATE, ZONE),
    "time": st.builds(str.__add__, TIME, ZONE),
    "dateTime": st.builds("{}{}{}{}".format, DATE, st.sampled_from("TTTTt "), TIME, ZONE),
    "gYear": st.builds(str.__add__, YEAR, ZONE),
    "gYearMonth": st.builds("{}-{}{}".format, YEAR, MONTH, ZONE),
    "gMonth": st.builds("--{}{}".format, MONTH, ZONE),
    "gMonthDay": st.builds("--{}-{}{}".format, MONTH, DAY, ZONE),
    "gDay": st.builds("---{}{}".format, DAY, ZONE),
    "duration": SPAN,
    "yearMonthDuration": SPAN,
    "dayTimeDuration": SPAN,
    "decimal": REAL,
    "double": REAL,
    "float": REAL,
    "integer": REAL,
    "boolean": st.sampled_from(("true", "false", "1", "0", "TRUE", "yes", "t", "", "00")),
}


@pytest.mark.parametrize("name", KINDS)
def test_values_are_those_that_oxigraph_takes(name: str) -> None:
    @settings(max_examples=150)
    @given(KINDS[name])
    def check(text: str) -> None:
        if name == "gMonthDay" and text.startswith("--02-29"):  # Oxigraph refuses it
            assert fits("--02-29", name)
        elif name.endswith("uration") and text.endswith("T"):  # Oxigraph takes it
            assert not fits(text, name)
        else:
            assert fits(text, name) == oxigraph(text, name), text

    check()


BOUNDS = [n + step for low_high in RANGES.values() for n in low_high for step in (-1, 0, 1)]
WHOLE = {
    **RANGES,
    "positiveInteger": (1, 10**60),
    "nonNegativeInteger": (0, 10**60),
    "negativeInteger": (-(10**60), -1),
    "nonPositiveInteger": (-(10**60), 0),
}


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.sampled_from(BOUNDS) | st.integers(-(10**50), 10**50) | st.integers(-300, 300),
    st.sampled_from(("", "+", "0", "+00", "x")),
)
def test_integers_are_in_their_range(name: str, value: int, before: str) -> None:
    low, high = WHOLE[name]
    text = f"-{before.removeprefix('+')}{-value}" if value < 0 else f"{before}{value}"
    assert fits(text, name) == (low <= value <= high and "x" not in text), text


def test_zero_with_a_sign_is_zero() -> None:
    names = ("nonNegativeInteger", "unsignedByte", "nonPositiveInteger", "byte")
    assert all(fits(text, name) for name in names for text in ("-0", "+0", "000"))
    assert not fits("-0", "negativeInteger")


@settings(max_examples=300)
@given(st.text("0aF+/=Qg ", max_size=9) | st.binary().map(lambda b: base64.b64encode(b).decode()))
def test_binary_values_are_those_that_python_decodes(text: str) -> None:
    try:
        exact = base64.b64encode(base64.b64decode(text.replace(" ", ""), validate=True)).decode()
        right = exact == text.replace(" ", "")
    except binascii.Error:
        right = False
    right &= re.fullmatch(r"(\S( \S|\S)*)?", text) is not None
    assert fits(text, "base64Binary") == right
    right = re.fullmatch(r"[0-9A-Fa-f]*", text) is not None and len(text) % 2 == 0
    assert fits(text, "hexBinary") == right


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("dateTimeStamp", ["2020-01-01T00:00:00Z"], ["2020-01-01T00:00:00"]),
        ("double", ["+INF", "NaN"], ["inf", "nan", "+NaN", "Infinity"]),
        ("language", ["fr", "zh-Hant-TW"], ["", "f r", "abcdefghi", "fr_CH"]),
        ("anyURI", ["", "http://e.org/é", "::", "a b"], [" a", "a\tb", "a  b"]),
        ("normalizedString", ["", " a  b "], ["a\tb", "a\nb", "a\r"]),
        ("token", ["", "a b"], [" a", "a ", "a  b", "a\n"]),
        ("NMTOKEN", ["-1", "a:b", "é"], ["", "a b", "a/b"]),
        ("Name", ["a:b", "_1", "É-.·"], ["1a", "-a", ""]),
        ("NCName", ["ab", "_1"], ["a:b", "1a"]),
        ("string", ["", " \t"], []),
    ],
)
def test_values_of_other_datatypes(name: str, right: list[str], wrong: list[str]) -> None:
    assert [text for text in (*right, *wrong) if fits(text, name)] == right


def test_a_mask_has_the_length_of_its_column_and_nothing_is_not_wrong() -> None:
    values = pl.Series(["1", None, "300", "-129", "x", "127"])
    mask = unfit(values, XSD + "byte")
    assert mask is not None
    assert mask.to_list() == [False, False, True, True, True, False]
    assert unfit(values, "https://x.example/byte") is None


@settings(max_examples=200)
@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), st.data())
def test_what_strftime_writes_is_read(moment: datetime, data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(("%d.%m.%Y", "%m/%d/%y", "%d %B %Y", "%b %d %Y", "%Y%m%d")))
    clock = data.draw(st.sampled_from(("%H:%M:%S.%f", "%I:%M:%S.%f %p", "%S.%f %M %H")))
    written = f"{day} | {clock}"
    cells = pl.Series([moment.strftime(written)])
    (found,) = Written.of(written).lexical(cells, XSD + "dateTime")
    assert datetime.fromisoformat(found) == moment


@settings(max_examples=200)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.sampled_from(" ',_"))
def test_grouped_numbers_are_read(value, sign: str) -> None:
    text = f"{value:,}"
    cells = pl.Series([text])
    assert float(Written("decimal-point").lexical(cells, XSD + "decimal")[0]) == float(value)
    swapped = text.replace(",", "\0").replace(".", ",").replace("\0", "." if sign == "," else sign)
    (found,) = Written("decimal-comma").lexical(pl.Series([swapped]), XSD + "decimal")
    if sign != "_":
        assert float(found) == float(value)


def test_what_is_too_long_is_counted_as_it_is_escaped() -> None:
    half = MAX_WRITTEN // 2 + 1
    found = too_long(pl.Series(['"' * half, "\\" * half, "\0" * (half // 2), "a" * half]))
    assert found is not None
    assert found.to_list() == [True, True, True, False]
    assert too_long(pl.Series(["a" * half, None])) is None


ESCAPED = ["a\nb", "caf\xe9", "\u200b", "it's\xa0", r"a\qb", r"\U00110000"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('["a", "b \\"c\\" \\u00e9"]', ["a", 'b "c" é']),
        ("""['a', "Children's", 'it\\'s']""", ["a", "Children's", "it's"]),
        ("[1, -2.5e3, true, None]", ["1", "-2.5e3", "true"]),
        ("[ ]", []),
        ("[a]", None),
        ("['a'", None),
        ("[['a']]", None),
        ("[{'a': 1}]", None),
        ('["a" "b"]', None),
        ("[" * 100_000, None),
        ("[1" + " " * 100_000, None),
        (r"""['a\nb', 'caf\xe9', '\u200b', "it's\xa0", 'a\qb', '\U00110000']""", ESCAPED),
        (r"""["\ud800"]""", [r"\ud800"]),
    ],
)
def test_lists_in_brackets_are_their_values(text: str, values: list[str] | None) -> None:
    assert listed(text) == values


def test_a_cell_that_is_no_list_beside_those_that_are_is_one_value() -> None:
    cells = pl.Series(["['a', 'b']", "a; b", " ['c'] ", None, "[]", "[['d']]"])
    assert cut(cells, LISTS).to_list() == [["a", "b"], ["a; b"], ["c"], None, [], ["[['d']]"]]
