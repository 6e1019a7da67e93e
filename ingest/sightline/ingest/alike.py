"""Maps and statements of one shape, each of a column of its own, as one of all these columns.

A call of polars costs as much for five cells as for five hundred, and a table may have thousands of
columns. Knows terms; knows no batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import polars as pl

from sightline.ingest.terms import Reference, TableMap, Template, Value, Varying

#: Columns of what is stacked: the cells, what their column is called, and which one it is.
CELL, COLUMN, WHICH = "\0cell", "\0column", "\0which"
#: Rows of a batch from which on what is done with cells costs more than the calls that do it.
FEW = 10_000
#: Predicate and object of a statement.
Said = tuple[Template, Value]
T = TypeVar("T", TableMap, Said)


class Form(NamedTuple, Generic[T]):
    """What a map or a statement has in common with others, and what it has of its own.

    Attributes:
        shape: of ``CELL``, with ``Varying`` in the place of constants.
        column: what is in ``CELL``.
        texts: the constants.
    """

    shape: T
    column: str
    texts: list[str]


def groups(
    items: Iterable[T], form_of: Callable[[T], Form[T] | None], columns: Collection[str]
) -> Iterator[tuple[T, list[Form[T]]]]:
    """Items in turn, those of one shape where the first of them is, with their forms; one that is
    alone or of another column as it is, without any.

    Args:
        columns: those that have a text a row.
    """
    found: dict[object, list[tuple[T, Form[T] | None]]] = {}
    for item in items:
        form = form_of(item) if columns else None
        form = form if form and form.column in columns else None
        found.setdefault(form.shape if form else object(), []).append((item, form))
    for members in found.values():
        forms = [form for _, form in members if form]
        yield (forms[0].shape, forms) if len(forms) > 1 else (members[0][0], [])


def form_of_map(table_map: TableMap) -> Form[TableMap] | None:
    """The form of a map about the values of one column; None of others."""
    columns = table_map.columns
    if not table_map.once or table_map.each or table_map.complete or len(columns) != 1:
        return None
    column, texts, said = columns[0], list[str](), list[Said]()
    for statement in table_map.statements:
        if (one := _said(statement, texts)) is None:
            return None
        said.append(one)
    subject = _template(table_map.subject, texts)
    floats = (CELL,) if table_map.floats else ()
    shape = replace(table_map, name="", subject=subject, statements=tuple(said), floats=floats)
    return Form(shape, column, texts)


def form_of_statement(said: Said) -> Form[Said] | None:
    """The form of a statement made of one column; None of others."""
    predicate, value = said
    columns = {*predicate.columns, *value.columns}
    if len(columns) != 1:
        return None
    (column,), texts = columns, list[str]()
    shape = _said(said, texts)
    return None if shape is None else Form(shape, column, texts)


def _said(said: Said, texts: list[str]) -> Said | None:
    predicate, value = said
    if any((value.qualifiers, value.datatype_of, value.language_of, value.graph, value.join)):
        return None
    template = _template(value.template, texts)
    own = (value.datatype, value.language, value.split, value.written)
    return _template(predicate, texts), Value(template, *own, natural=value.natural)


def _template(template: Template, texts: list[str]) -> Template:
    # ``replace`` would take longer than all else, here and above.
    parts: list[str | Reference | Varying] = []
    for part in template.parts:
        if isinstance(part, str):
            parts.append(Varying(f"\0{len(texts)}"))
            texts.append(part)
        elif isinstance(part, Reference):
            parts.append(Reference(CELL, part.prefixes, part.curies))
    return Template(tuple(parts), template.iri, template.safe, template.base)


def stacked(frame: pl.DataFrame, forms: Sequence[Form[T]], index: list[str]) -> pl.DataFrame:
    """The columns of forms one under the other, String ``(forms * n,)``: ``CELL``, ``WHICH`` and
    those of ``index``."""
    columns = dict(zip(frame.columns, frame.get_columns()))
    cells = pl.concat([columns[form.column] for form in forms], rechunk=True)
    again = np.tile(np.arange(frame.height, dtype=np.uint32), len(forms))
    which = np.repeat(np.arange(len(forms), dtype=np.uint32), frame.height)
    beside = frame.select(index)[again]
    return beside.with_columns(cells.alias(CELL), pl.Series(WHICH, which))


def told_apart(cells: pl.DataFrame, forms: Sequence[Form[T]]) -> pl.DataFrame:
    """What is stacked with the constants of each form, and the name of its column."""
    own = {COLUMN: [form.column for form in forms]}
    own |= {f"\0{i}": list(texts) for i, texts in enumerate(zip(*(f.texts for f in forms)))}
    which = cells[WHICH]
    return cells.with_columns(pl.Series(name, texts).gather(which) for name, texts in own.items())
