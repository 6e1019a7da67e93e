"""The rows of a load: those of its tables, numbered on from one table to the next.

Knows rows and which columns make which facts; knows no format and stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from sightline.graph.record.places import TableRows
from sightline.ingest.batch import Batch
from sightline.ingest.reading import ReadTable
from sightline.ingest.terms import TableMap

#: Names, in ``TableRows.columns``, of the columns of subjects and of those that make predicates.
SUBJECT, ANY_PREDICATE = "", "*"


class Numbering:
    """Counts rows while a source is read, table after table."""

    def __init__(self) -> None:
        self._tables: list[TableRows] = []
        self._before = self._last = 0
        self._columns: dict[str, dict[str, None]] = {}
        self._known: list[str] = []

    def begin(self, table: ReadTable) -> None:
        """Rows from now on are those of another table."""
        self._end()
        self._before, self._columns, self._known = self._last, {}, []
        self._tables.append(TableRows(table.title, self._before + 1, table.kind))

    def take(self, batch: Batch, maps: Sequence[TableMap] | None) -> None:
        """Count the rows of a batch, and keep which columns its facts are made of."""
        last = [batch.rows.max(), *(record.line for record in batch.rejected)]
        rows = [row for row in last if isinstance(row, int)]
        self._last = max([self._last, *(self._before + row for row in rows)])
        if maps and batch.frame.columns != self._known:
            self._known = batch.frame.columns
            for table_map in maps:
                self._remember(table_map)

    def _remember(self, table_map: TableMap) -> None:
        made = [(SUBJECT, table_map.subject.columns)]
        for predicate, value in table_map.statements:
            columns = (*predicate.columns, *value.columns)
            made.append((ANY_PREDICATE if predicate.columns else str(predicate.parts[0]), columns))
        for name, columns in made:
            if columns:
                self._columns.setdefault(name, {}).update(dict.fromkeys(columns))

    def number(self, row: int) -> int:
        """The number in the load of a row of the table that is read."""
        return self._before + row

    def place(self, row: int) -> str:
        """What people call a row of the table that is read."""
        return self._tables[-1].place(self.number(row))

    def numbered(self, statements: pl.DataFrame) -> pl.DataFrame:
        """Statements with rows of the load instead of those of the table."""
        if not self._before or statements.is_empty():
            return statements
        return statements.with_columns(pl.col("row") + self._before)

    def tables(self) -> list[TableRows]:
        """All tables so far."""
        self._end()
        return self._tables

    def _end(self) -> None:
        if self._tables:
            columns = {name: tuple(columns) for name, columns in self._columns.items()}
            self._tables[-1] = replace(self._tables[-1], columns=columns)
