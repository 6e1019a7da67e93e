"""Tables that people open in a spreadsheet.

Knows which columns a table of edges has and which texts a spreadsheet takes for a formula; loads
neither a graph nor polars, as what reads such a table need not either.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: Columns of a table of edges, beside ``inferred``.
TEXTS = (
    *("head", "head_label", "relation", "relation_label", "tail", "tail_label"),
    "sources",
)
#: A cell that begins so may be run as a formula, or moves what follows it into another cell.
#: Spreadsheets take the full-width forms of East Asian keyboards for the plain ones.
FORMULA = r"[=+\-@\t\r\n\x00\uFF1D\uFF0B\uFF0D\uFF20]"


def guarded(text: str) -> str:
    """A text with a ``'`` before it where ``without_formulas`` gives it one."""
    return f"'{text}" if re.match(f"'*{FORMULA}", text) else text


def without_formulas(schema: pl.Schema) -> list[pl.Expr]:
    """The text columns of a table, with a ``'`` before every text that would be run, and before one
    that begins with such marks already, so that ``unguarded`` takes off none that was there."""
    import polars as pl

    return [
        pl.when(text.str.contains(f"^'*{FORMULA}"))
        .then(pl.concat_str(pl.lit("'"), text))
        .otherwise(text)
        .alias(name)
        for name, kind in schema.items()
        if kind == pl.String
        for text in (pl.col(name),)
    ]


def unguarded(texts: pl.Expr) -> pl.Expr:
    """The texts that ``without_formulas`` wrote, as they were."""
    return texts.str.replace(f"^'('*{FORMULA})", "$1")
