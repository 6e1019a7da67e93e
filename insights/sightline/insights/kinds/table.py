"""A type as a table: its entities as rows, their attributes and relations as columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.errors import UsageError
from sightline.graph.vocabulary import LABEL_PROPERTIES
from sightline.insights.kind import Cursor, Kind, Length, Names, Sightline, Span
from sightline.insights.kinds.relations import MANY
from sightline.insights.records import EntityRef, Ref

if TYPE_CHECKING:
    from sightline.graph.arrays import Doubles, Flags, Ids, Offsets

#: Entities of a type that are looked at: more take longer than a reader waits.
MOST = 200_000
#: Columns where none are asked for, and values of a cell that are told.
COLUMNS, VALUES = 8, 3
#: Columns of one sort among them.
EACH = 3
#: Bars of a histogram.
BARS = 20
#: Datatypes whose values are numbers.
NUMERIC = re.compile(r"#(integer|decimal|double|float|int|long|short|byte|gYear|\w+Integer)$")
CONDITION = re.compile(r"(?P<column>.+?)\s*(?P<how>>=|<=|=|~)\s*(?P<value>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """A type, and which part of its table."""

    id: Annotated[str, Names("type"), Doc("The type, by IRI, CURIE or label.")]
    columns: Annotated[
        tuple[str, ...],
        Doc(
            "Attributes and relations, by CURIE, IRI or label; `^` before a relation reads it from "
            "its tail. Without: the fullest."
        ),
    ] = ()
    sort: Annotated[
        str | None, Length(2048), Doc("`label`, `facts` or a column; `-` before it: largest first.")
    ] = None
    filter: Annotated[
        tuple[str, ...],
        Length(10),
        Doc(
            "Only rows of which this holds: `population>=1000000`, `capital=Nairobi`, "
            "`in region~Africa` (contains). Repeat for several."
        ),
    ] = ()
    limit: Annotated[int, Span(1, 10_000), Doc("How many rows on one page.")] = 100
    cursor: Cursor = None


@dataclass(frozen=True)
class Choice:
    """A column that a table can have.

    Attributes:
        key: what ``columns``, ``sort`` and ``filter`` call it.
        sort: whether it is an attribute or a relation read from head or from tail.
        filled: rows that have a value, of all of the type.
    """

    key: str
    ref: Ref
    sort: Literal["attribute", "out", "in"]
    filled: int


@dataclass(frozen=True)
class TableColumn(Choice):
    """A column of a table, and what is in it; of the rows that the filter lets through.

    Attributes:
        numeric: its values are numbers.
        many: a row has several values on average.
        distinct: different values.
        low, high, total: of a numeric one; null where it has no values.
        histogram: of a numeric one, rows in equal steps from low to high.
    """

    numeric: bool
    many: bool
    distinct: int
    low: float | None
    high: float | None
    total: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """What one entity has in one column.

    Attributes:
        count: how many values; none are stated where it is 0.
        values: the first, as text; of a relation the labels.
        entities: of a relation the first.
        number: of a numeric column the first value.
    """

    count: int
    values: tuple[str, ...]
    entities: tuple[EntityRef, ...]
    number: float | None


@dataclass(frozen=True)
class TableRow:
    """An entity, how many facts it has, and a cell for every column."""

    entity: EntityRef
    facts: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class TypeTable:
    """A type as a table.

    Attributes:
        columns: those that are shown; ``available``: all that there are, the fullest first.
        entities: how many have the type; ``found``: of these, how many the filter lets through.
        truncated, reason: whether only some of the entities were looked at, and which.
    """

    type: Ref
    columns: tuple[TableColumn, ...]
    available: tuple[Choice, ...]
    rows: tuple[TableRow, ...]
    entities: int
    found: int
    next: str | None
    truncated: bool
    reason: str | None


def table(sight: Sightline, asked: TableQuestion) -> TypeTable:
    """A type as a table: attributes and relations as columns with what is in them, sorted and
    filtered.

    A relation with an inverse is one column, and so are both directions of a symmetric one.

    Raises:
        UsageError: a condition cannot be read, or a column is none of the type's.
        UnknownClass, AmbiguousClass, BadReference
    """
    import numpy as np

    from sightline.insights.cursors import cursor_of, offset_of

    s = sight.snapshot
    class_id = s.resolve_class(asked.id)
    members = np.flatnonzero(s.members(class_id)).astype(np.int32)
    total = len(members)
    members = members[:MOST]
    cells = _Cells(sight, members)
    shown = [cells.named(name) for name in asked.columns] or cells.fullest()
    kept = np.ones(len(members), np.bool_)
    for condition in asked.filter:
        kept &= cells.meeting(condition)
    rows = cells.ordered(np.flatnonzero(kept), asked.sort)
    start = offset_of(s, asked.cursor)
    page = rows[start : start + asked.limit]
    told = [cells.told(key, page) for key in shown]
    reason = None
    if total > len(members):
        reason = f"the first {len(members)} of {total} entities, by IRI, were looked at"
    return TypeTable(
        type=sight.names.type(class_id),
        columns=tuple(cells.profile(key, kept) for key in shown),
        available=cells.choices,
        rows=tuple(
            TableRow(sight.names.entity(int(e)), int(s.degree[e]), tuple(made))
            for e, *made in zip(members[page], *told)
        ),
        entities=total,
        found=len(rows),
        next=cursor_of(s, start + asked.limit) if start + asked.limit < len(rows) else None,
        truncated=reason is not None,
        reason=reason,
    )


class _Cells:
    """All values of some entities, column by column; a row is a position among ``members``."""

    def __init__(self, sight: Sightline, members: Ids) -> None:
        import numpy as np

        from sightline.graph.arrays import expand_csr

        s, facts, names = sight.snapshot, sight.facts, sight.names
        self._sight, self._members, self._size = sight, members, len(members)
        # Facts, each once; inverse relations as one.
        owner, rel, answer, edge = facts.incident(members)
        listed = facts.listed(edge, owner)
        owner, rel, answer = owner[listed], s.one_rel[rel[listed]], answer[listed]
        order = np.lexsort((answer, owner, rel))
        self._facts = rel[order], owner[order], answer[order]
        # Literals; one that several rows state is there once.
        owner, position = expand_csr(s.attribute_indptr, members)
        prop = s.attribute_property[position]
        order = np.lexsort((position, owner, prop))
        self._literals = prop[order], owner[order], position[order]
        hidden = {i for i, iri in enumerate(s.property_iris) if iri in LABEL_PROPERTIES}
        self._rels: dict[str, int] = {}
        found: list[tuple[str, Ref, Literal["attribute", "out", "in"], int]] = []
        for key in np.unique(self._literals[0]).tolist():
            if key not in hidden:
                ref = names.property(key)
                found.append((ref.id, ref, "attribute", self._filled(self._literals, key)))
        for key in np.unique(self._facts[0]).tolist():
            ref, way = names.relation(key), names.direction(key)
            name = ref.id if way == "out" else f"^{ref.id}"
            found.append((name, ref, way, self._filled(self._facts, key)))
            self._rels[name] = key
        found.sort(key=lambda one: (-one[3], one[2] == "in", one[0]))
        self.choices = tuple(Choice(*one) for one in found)
        self._by_key = {one.key: one for one in self.choices}

    def _filled(self, columns: Sequence[Ids | Offsets], key: int) -> int:
        import numpy as np

        return len(np.unique(columns[1][self._span(columns, key)]))

    @staticmethod
    def _span(columns: Sequence[Ids | Offsets], key: int) -> slice:
        import numpy as np

        start, end = np.searchsorted(columns[0], [key, key + 1])
        return slice(int(start), int(end))

    def named(self, name: str) -> str:
        """The key of a column that is called so.

        Raises:
            UsageError: no column of the type is.
        """
        backward, bare = name.startswith("^"), name.removeprefix("^").strip()
        exact = [one for one in self.choices if one.key == name.strip()]
        alike = [
            one
            for one in self.choices
            if (one.sort == "in") == backward
            and bare.casefold() in (one.ref.label.casefold(), one.ref.id.casefold(), one.ref.iri)
        ]
        if found := exact or alike:
            return found[0].key
        nearest = ", ".join(one.key for one in self.choices[:8]) or "none"
        raise UsageError(f"{name!r} is no column of this type; its fullest are: {nearest}")

    def fullest(self) -> list[str]:
        """Columns that say most: some of those with one entity in a row, some of numbers, some of
        those with several, and others where these are few."""
        said: tuple[list[str], ...] = ([], [], [], [])
        for one in self.choices:
            if 2 * one.filled < self._size:
                group = 3
            elif one.sort == "attribute":
                group = 1 if self._numeric(one.key) else 3
            else:
                group = 2 if self._mean(one.key) >= MANY else 0
            said[group].append(one.key)
        first = [key for group in said[:3] for key in group[:EACH]]
        rest = [key for group in said for key in group if key not in first]
        return (first + rest)[:COLUMNS]

    def _column(self, key: str) -> tuple[Ids | Offsets, Ids | Offsets]:
        """Row and value of all that is in a column, by row: a position of a literal, or an id."""
        if self._by_key[key].sort == "attribute":
            iri = self._by_key[key].ref.iri
            span = self._span(self._literals, self._sight.snapshot.property_iris.find(iri) or 0)
            return self._literals[1][span], self._literals[2][span]
        span = self._span(self._facts, self._rels[key])
        return self._facts[1][span], self._facts[2][span]

    def _mean(self, key: str) -> float:
        return len(self._column(key)[0]) / max(1, self._by_key[key].filled)

    def _numeric(self, key: str) -> bool:
        """Whether what is in a column is of a datatype of numbers; by its first value."""
        if self._by_key[key].sort != "attribute":
            return False
        s = self._sight.snapshot
        first = int(self._column(key)[1][0])
        return bool(NUMERIC.search(s.manifest["datatypes"][s.attribute_datatype[first]]))

    def _text(self, key: str, value: int) -> str:
        s = self._sight.snapshot
        is_literal = self._by_key[key].sort == "attribute"
        return s.attribute_value[value] if is_literal else s.entity_labels[value]

    def _numbers(self, key: str) -> Doubles:
        """float64 ``(n,)``: the first number of each row; NaN where there is none."""
        import numpy as np

        rows, values = self._column(key)
        out = np.full(self._size, np.nan)
        for row, value in zip(rows[::-1].tolist(), values[::-1].tolist()):
            out[row] = _number(self._text(key, value))
        return out

    def meeting(self, condition: str) -> Flags:
        """bool ``(n,)``: the rows of which a condition holds.

        Raises:
            UsageError: it cannot be read.
        """
        import numpy as np

        found = CONDITION.fullmatch(condition.strip())
        if found is None:
            raise UsageError(
                f"{condition!r} is no condition; write COLUMN>=NUMBER, COLUMN<=NUMBER, "
                "COLUMN=VALUE or COLUMN~PART"
            )
        how, wanted = found["how"], found["value"].strip()
        if found["column"].strip() == "label" and how in "=~":
            labels = self._sight.snapshot.entity_labels.take(self._members)
            return np.array([_holds(how, text, wanted) for text in labels], np.bool_)
        key = self.named(found["column"])
        if how in (">=", "<="):
            limit, numbers = _number(wanted), self._numbers(key)
            if limit != limit:
                raise UsageError(f"{wanted!r} in {condition!r} is no number")
            return numbers >= limit if how == ">=" else numbers <= limit
        rows, values = self._column(key)
        # Each different entity, or each literal, is read once.
        different, which = np.unique(values, return_inverse=True)
        s = self._sight.snapshot
        by_id = self._by_key[key].sort != "attribute"
        hit = [
            _holds(how, self._text(key, value), wanted)
            or (
                by_id
                and how == "="
                and wanted in (s.entity_iris[value], s.curie(s.entity_iris[value]))
            )
            for value in different.tolist()
        ]
        out = np.zeros(self._size, np.bool_)
        out[rows[np.array(hit, np.bool_)[which]]] = True
        return out

    def ordered(self, rows: Offsets, sort: str | None) -> Offsets:
        """Rows in an order; those without a value last, ties by label.

        Raises:
            UsageError: the type has no such column.
        """
        import numpy as np

        s = self._sight.snapshot
        down, name = (sort or "").startswith("-"), (sort or "label").removeprefix("-")
        labels = s.entity_labels.take(self._members[rows])
        rows = rows[
            np.array(sorted(range(len(rows)), key=lambda i: (labels[i].casefold(), i)), int)
        ]
        if name == "label":
            return rows[::-1] if down else rows
        if name == "facts":
            by = s.degree[self._members[rows]].astype(np.float64)
        else:
            key = self.named(name)
            if self._numeric(key):
                by = self._numbers(key)[rows]
            elif self._mean(key) >= MANY:
                counts = np.bincount(self._column(key)[0], minlength=self._size)[rows]
                by = np.where(counts > 0, counts, np.nan).astype(np.float64)
            else:
                by = self._places(key)[rows]
        return rows[np.argsort(-by if down else by, kind="stable")]

    def _places(self, key: str) -> Doubles:
        """float64 ``(n,)``: the place of each row's first text; NaN where there is none."""
        import numpy as np

        rows, values = self._column(key)
        different, which = np.unique(values, return_inverse=True)
        texts = [self._text(key, value).casefold() for value in different.tolist()]
        place = np.empty(len(texts))
        place[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
        out = np.full(self._size, np.nan)
        out[rows[::-1]] = place[which[::-1]]
        return out

    def profile(self, key: str, kept: Flags) -> TableColumn:
        """What is in a column, of some rows."""
        import numpy as np

        rows, values = self._column(key)
        inside = kept[rows]
        rows, values = rows[inside], values[inside]
        filled = len(np.unique(rows))
        numeric, bars = self._numeric(key), ()
        low = high = total = None
        if numeric:
            numbers = self._numbers(key)[kept]
            numbers = numbers[np.isfinite(numbers)]
            if len(numbers):
                low, high, total = (float(f(numbers)) for f in (np.min, np.max, np.sum))
                bars = tuple(np.histogram(numbers, BARS)[0].tolist())
        by_id = self._by_key[key].sort != "attribute"
        different = (
            np.unique(values).tolist() if by_id else {self._text(key, v) for v in values.tolist()}
        )
        choice = self._by_key[key]
        return TableColumn(
            choice.key, choice.ref, choice.sort, filled,
            numeric, len(rows) / max(1, filled) >= MANY, len(different), low, high, total, bars,
        )  # fmt: skip

    def told(self, key: str, page: Offsets) -> list[Cell]:
        """The cells of a column in some rows."""
        import numpy as np

        rows, values = self._column(key)
        by_id, numeric = self._by_key[key].sort != "attribute", self._numeric(key)
        made = []
        for start, end in zip(
            *(np.searchsorted(rows, page, side=side) for side in ("left", "right"))
        ):
            some = list(dict.fromkeys(values[start:end].tolist()))
            texts = list(dict.fromkeys(self._text(key, value) for value in some))
            refs = tuple(map(self._sight.names.entity, some[:VALUES])) if by_id else ()
            number = _number(texts[0]) if numeric and texts else float("nan")
            made.append(
                Cell(
                    len(some) if by_id else len(texts),
                    tuple(texts[:VALUES]),
                    refs,
                    number if number == number else None,
                )
            )
        return made


def _number(text: str) -> float:
    """A text as a number; NaN where it is none, or endless."""
    try:
        found = float(text)
    except ValueError:
        return float("nan")
    return found if abs(found) != float("inf") else float("nan")


def _holds(how: str, text: str, wanted: str) -> bool:
    return (
        text.casefold() == wanted.casefold() if how == "=" else wanted.casefold() in text.casefold()
    )


def as_csv(answer: TypeTable, sight: Sightline) -> bytes:
    """A page of a table as CSV (RFC 4180): ids and labels, then the columns; several values are
    parted by ``; ``, and "…" stands for those that are left out."""
    import csv
    import io

    from sightline.graph.exchange.spreadsheet import guarded

    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(map(guarded, ("id", "label", *(column.ref.label for column in answer.columns))))
    for row in answer.rows:
        texts = (
            "; ".join([*cell.values, *(["…"] if cell.count > len(cell.values) else [])])
            if cell.number is None or cell.count > 1
            else cell.values[0]
            for cell in row.cells
        )
        numbers = (cell.number is not None and cell.count == 1 for cell in row.cells)
        told = (text if plain else guarded(text) for text, plain in zip(texts, numbers))
        write.writerow((guarded(row.entity.id), guarded(row.entity.label), *told))
    return out.getvalue().encode()


KIND = Kind(
    table,
    route="GET /v1/types/{id}/table",
    tag="graph",
    order="By label unless sort says otherwise. The header Accept chooses JSON or CSV.",
    examples={"the best linked": {"sort": "-facts"}},
    dear=True,
    formats={"text/csv": as_csv},
)
