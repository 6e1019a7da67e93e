"""Texts that people write where there is no value.

Knows columns of texts; knows no format. Some texts are never a value. Others are one in a column of
words and none in a column of numbers or dates: ``NA`` among codes of countries is Namibia.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import polars as pl

from sightline.graph.record.loads import Note
from sightline.ingest.batch import few_of

Kind = Literal["number", "date", "time", "flag", "text"]
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("number", re.compile(r"[+-]?(\d[\d.,']*|\.\d+)([eE][+-]?\d+)? ?%?")),
    (
        "date",
        re.compile(r"\d{4}[-/]\d{1,2}([-/]\d{1,2}([T ].*)?)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*"),
    ),
    ("time", re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")),
    ("flag", re.compile(r"(?i)true|false|yes|no")),
)
#: Never a value.
ALWAYS = frozenset(
    (
        *(r"\N", "NULL", "N/A", "n/a", "#N/A", "<NA>", "(null)"),
        *("#NV", "#NULL!", "#VALUE!", "#WERT!", "#REF!", "#DIV/0!", "#NUM!", "#NAME?"),
    )
)
#: No value where the others have letters or digits.
SIGNS = frozenset(("-", "--", "---", "\u2013", "\u2014", "?", ".", "..", "..."))
ABBREVIATED = ("n.a.", "N.A.", "n. a.", "k.A.", "k. A.")
#: No value where the others are no words.
WORDS = frozenset(("NA", "nan", "NaN", "NAN", "null", "Null", "None", "none", *ABBREVIATED))
TOKENS = sorted(ALWAYS | SIGNS | WORDS)
_LONGEST = max(map(len, TOKENS))
#: Values of a column from which its kind is told, and their share that makes it.
SAMPLE, MOST = 1000, 0.9
_CODE = re.compile("[A-Z]{1,3}")


@lru_cache(maxsize=1 << 12)
def kind_of(text: str) -> Kind:
    """What kind of value a text is."""
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), "text")


class Nulls:
    """Which texts are no value in which column: decided where each is met first, and kept."""

    def __init__(self) -> None:
        self._decided: dict[tuple[str, str], bool] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def taken_out(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with nulls where there is no value."""
        if frame.is_empty():
            return frame
        # All cells at once: a call for each column has a cost, and a table may have thousands.
        cells = pl.concat(frame.get_columns())
        short = (cells.str.len_bytes() <= _LONGEST).fill_null(False)
        held = cells.filter(short).is_in(TOKENS)
        if not held.any():
            return frame
        places = short.arg_true().filter(held)
        changed = []
        for place in (places // frame.height).unique().sort():
            column = frame.to_series(place)
            found = column.filter(column.is_in(TOKENS)).value_counts()
            none = [text for text, count in found.rows() if self._none(column, text, count)]
            if none:
                name = column.name
                changed.append(pl.when(~pl.col(name).is_in(none)).then(pl.col(name)))
        return frame.with_columns(changed) if changed else frame

    def notes(self) -> Iterator[Note]:
        """What was taken for no value, column by column."""
        columns: dict[str, list[str]] = {}
        for (name, token), count in sorted(self._counts.items()):
            columns.setdefault(name, []).append(f"{token!r} ({count:,})")
        alike: dict[str, list[str]] = {}
        for name, tokens in columns.items():
            alike.setdefault(", ".join(tokens), []).append(repr(name))
        for told, names in alike.items():
            what = "column" if len(names) == 1 else "columns"
            yield Note(f"no value in {what} {few_of(names, 5)}: {told}")

    def _none(self, column: pl.Series, token: str, count: int) -> bool:
        key = (column.name, token)
        if key not in self._decided:
            self._decided[key] = _is_no_value(token, column)
        if self._decided[key]:
            self._counts[key] += count
        return self._decided[key]


def _is_no_value(token: str, column: pl.Series) -> bool:
    if token in ALWAYS:
        return True
    others = column.filter(~column.is_in(TOKENS)).head(10 * SAMPLE).unique(maintain_order=True)
    values = others.head(SAMPLE).to_list()
    if not values:
        return False
    typed = sum(kind_of(value) != "text" for value in values)
    if typed >= MOST * len(values):
        return True
    if token in SIGNS:
        return all(any(map(str.isalnum, value)) for value in values)
    if token in ABBREVIATED:
        return True
    return token == "NA" and not any(map(_CODE.fullmatch, values))
