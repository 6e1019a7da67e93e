"""Where the rows of a load are in what it was read from: ``line 12``, ``$.ranges[2]``, ``sheet
People, row 4``.

Knows how the rows of several tables are numbered through a load, and how people name a row. Imports
nothing, so that records of answers load at once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal

#: What a row is: a line of text, a record, a statement of RDF, a row of a sheet or of a table of a
#: database, an item at a path of a JSON document, the character at which a sentence begins.
RowKind = Literal["line", "row", "statement", "sheet", "table", "path", "character"]


@dataclass(frozen=True, slots=True)
class TableRows:
    """One table of a load, and the numbers of its rows.

    Attributes:
        name: what the source calls it, a JSONPath for ``path``; empty where it is the only one.
        first_row: the number in the load of what is row 1 in the table.
        columns: predicate to the columns that make objects of it; ``""`` to those of the subject,
            ``*`` to those that make predicates too.
    """

    name: str
    first_row: int
    kind: RowKind
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def place(self, row: int) -> str:
        """What people call the row with a number in the load."""
        number = row - self.first_row + 1
        if self.kind in ("sheet", "table"):
            return f"{self.kind} {self.name}, row {number}"
        if self.kind != "path":
            return f"{self.kind} {number}"
        if self.name.count("[*]") > 1:
            return f"{self.name}, record {number}"
        if "[*]" not in self.name:  # the path of one record, or of an array
            return self.name if number == 1 else f"{self.name}[{number - 1}]"
        return self.name.replace("[*]", f"[{number - 1}]")

    def row_at(self, at: str) -> int | None:
        """The number in the load of the row that people call ``at``; None if it is not of here.

        Beside what ``place`` says, ``People!4`` and ``orders/7`` are rows of a table.
        """
        before, name = self.first_row - 1, re.escape(self.name)
        if self.kind in ("sheet", "table"):
            pattern = rf"(?i:(?:{self.kind} )?{name}, row |{name}[!/])(\d{{1,12}})"
        elif self.kind != "path":
            pattern = rf"{self.kind} (\d{{1,12}})"
        elif self.name.count("[*]") > 1:
            pattern = rf"{name}, record (\d{{1,12}})"
        else:
            index = r"\[(\d{1,12})\]"
            one = name.replace(r"\[\*\]", index)
            before, pattern = self.first_row, one if one != name else f"{name}(?:{index})?"
        found = re.fullmatch(pattern, at)
        return None if found is None else before + int(found[1] or 0)


def table_of(tables: Sequence[TableRows], row: int) -> TableRows:
    """The table that a row of a load is in; one of plain rows where the load does not say."""
    place = bisect_right(tables, row, key=attrgetter("first_row"))
    return tables[max(place, 1) - 1] if tables else TableRows("", 1, "row")
