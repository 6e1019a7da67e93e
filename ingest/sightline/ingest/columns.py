"""Maps applied to a batch: columns of cells in, columns of statements out.

Knows terms and batches; knows no file. No Python runs per row: cells that need care (several
values, characters to escape) are handled as columns too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

import polars as pl
import polars.selectors as cs

from sightline.graph.record.statements import COLUMNS, QUALIFIER, QUALIFIERS, statement_schema
from sightline.graph.vocabulary import XSD_STRING
from sightline.ingest.alike import (
    CELL,
    COLUMN,
    FEW,
    WHICH,
    form_of_map,
    form_of_statement,
    groups,
    stacked,
    told_apart,
)
from sightline.ingest.errors import JoinTooLarge
from sightline.ingest.lexical import TOO_LONG, cut, too_long, unfit
from sightline.ingest.terms import (
    LANGUAGE,
    OBJECT,
    PLAIN_IRI,
    TYPE,
    Join,
    TableMap,
    Template,
    Value,
    is_iri,
)

#: Columns added to those of the source.
PLACE, SUBJECT, STATEMENT = "\0place", "\0subject", "\0statement"
#: Statements that a join may make of one batch.
MOST_JOINED = 20_000_000


class BadValue(NamedTuple):
    """A value that states nothing.

    Attributes:
        place: of its record in the batch.
        wanted: what it is not, such as ``no integer``.
    """

    place: int
    column: str
    text: str
    wanted: str

    @property
    def reason(self) -> str:
        """Why it states nothing, in words."""
        return f"column {self.column!r}: {self.text!r} is {self.wanted}"


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a batch says.

    Attributes:
        statements: the columns ``COLUMNS``; ``QUALIFIERS`` too where some have any.
        refused: place in the batch to reason of records of which nothing was taken.
        aside: values that were left out of records that were taken.
    """

    statements: pl.DataFrame
    refused: dict[int, str]
    aside: list[BadValue]


def map_batch(maps: Sequence[TableMap], frame: pl.DataFrame, rows: pl.Series) -> Mapped:
    """Statements about the records of a batch, and what of them cannot be mapped.

    A record without a subject (an empty key, an IRI that is none) is refused as a whole. A value
    that its datatype does not allow is left out, and the record stays.

    Args:
        frame: ``n`` records; columns of String or List(String).
        rows: UInt32 ``(n,)``: their place in the source.
    """
    there = set(frame.columns)  # which polars makes anew each time it is asked
    missing = dict.fromkeys(c for m in maps for c in m.columns if c not in there)
    nothing = [pl.lit(None, pl.String).alias(column) for column in missing]
    there.update(missing)
    frame = frame.with_columns(nothing).with_row_index(PLACE)
    bad = _Bad()
    parts = [pl.DataFrame(schema=statement_schema())]
    absent = pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
    few = frame.height <= FEW
    texts = {c for c, t in frame.schema.items() if few and t == pl.String and c + TYPE not in there}
    for table_map, forms in groups(maps, form_of_map, texts):
        if forms:
            cells = told_apart(cells_of(stacked(frame, forms, [PLACE]), table_map), forms)
        else:
            # What is done with a frame costs for each column that it has.
            own_columns = (column for column in table_map.wanted if column in there)
            cells = cells_of(frame.select(PLACE, *own_columns), table_map)
        subject = _subject(bad, table_map, cells)
        if table_map.each:
            named = cells[PLACE].filter(subject.is_not_null())
            absent &= ~frame[PLACE].is_in(named.implode())
        elif not table_map.once:
            absent &= subject.is_null()
        work = cells.with_columns(subject)
        if subject.null_count():
            work = work.filter(subject.is_not_null())
        own = _Bad() if table_map.complete else bad
        own_texts = set[str]() if forms else texts
        for said, alike in groups(table_map.statements, form_of_statement, own_texts):
            part = work
            if alike:
                part = told_apart(stacked(work, alike, [PLACE, SUBJECT]), alike)
            parts.append(_one(own, part, table_map, *said))
        if table_map.complete:
            for value in own.values:
                bad.refused.setdefault(value.place, value.reason)
    keyed = [m for m in maps if not m.once]
    if keyed:
        keys = ", ".join(dict.fromkeys(c for m in keyed for c in m.subject.columns))
        bad.refuse(frame[PLACE].filter(absent), f"the key ({keys}) is empty")
    statements = pl.concat(parts, how="diagonal")
    if bad.refused:
        statements = statements.filter(~pl.col("row").is_in(list(bad.refused)))
    statements = statements.with_columns(row=rows.gather(statements["row"]))
    aside = [value for value in bad.values if value.place not in bad.refused]
    return Mapped(statements, bad.refused, aside)


@dataclass(frozen=True, slots=True)
class _Bad:
    """Collects what cannot be mapped; a value that several statements need counts once."""

    refused: dict[int, str] = field(default_factory=dict)
    values: dict[BadValue, None] = field(default_factory=dict)

    def refuse(self, places: pl.Series, reason: str) -> None:
        for place in places:
            self.refused.setdefault(place, reason)

    def set_aside(self, work: pl.DataFrame, wrong: pl.Series, texts: pl.Series, *what: str) -> None:
        """Values at the places of a mask; ``what`` is their column and what they are not."""
        column, wanted = what
        names = work[COLUMN].filter(wrong) if column == CELL else repeat(column)
        for place, name, text in zip(work[PLACE].filter(wrong), names, texts.filter(wrong)):
            self.values[BadValue(place, name, text[:80], wanted)] = None


def cells_of(frame: pl.DataFrame, table_map: TableMap) -> pl.DataFrame:
    """The cells as a map sees them: without those that stand for no value, with whole numbers
    written as such, and each value once if that is all it tells of."""
    nulls = table_map.nulls
    if nulls:
        given = pl.col(pl.String)
        frame = frame.with_columns(
            pl.when(~given.is_in(nulls)).then(given),
            pl.col(pl.List(pl.String)).list.eval(pl.element().filter(~pl.element().is_in(nulls))),
        )
    if table_map.floats:
        named, text, end = cs.by_name(*table_map.floats), cs.string(), ".0"
        frame = frame.with_columns(
            (named & text).str.strip_suffix(end),
            (named - text).list.eval(pl.element().str.strip_suffix(end)),
        )
    if table_map.once or table_map.each:
        for column in table_map.subject.columns:
            frame = _one_value_per_row(frame, column, table_map.several, nulls)
    if table_map.once:
        columns = [*table_map.columns, *({WHICH} & set(frame.columns))]
        frame = (
            frame.unique(columns, keep="first", maintain_order=True) if columns else frame.head(1)
        )
    return frame


def _subject(bad: _Bad, table_map: TableMap, frame: pl.DataFrame) -> pl.Series:
    """The subject of each record, null where there is none; also the checks of a whole map."""
    if table_map.complete:
        for column in table_map.needed:
            empty = frame[PLACE].filter(frame[column].is_null())
            bad.refuse(empty, f"column {column!r} is empty")
    lists = [c for c in table_map.subject.columns if frame.schema[c] != pl.String]
    for column in lists:
        many = frame[PLACE].filter(frame[column].list.len() > 1)
        bad.refuse(many, f"the key {column!r} has several values")
    frame = frame.with_columns(pl.col(column).list.first() for column in lists)
    plain = table_map.subject.plain(frame)
    subject = table_map.subject.render(frame, plain)
    if (long := too_long(subject)) is not None:
        bad.refuse(frame[PLACE].filter(long), f"the key is {TOO_LONG}")
        subject = subject.zip_with(~long, pl.Series([None], dtype=pl.String))
    wrong = _no_iris(frame, subject, table_map.subject, plain)
    if wrong is not None:
        for place, text in zip(frame[PLACE].filter(wrong), subject.filter(wrong)):
            bad.refused.setdefault(place, f"{text[:80]!r} is no IRI")
    return subject.alias(SUBJECT)


def _none_of(datatype: str) -> str:
    return "no " + datatype.rpartition("#")[2]


def _one(
    bad: _Bad, work: pl.DataFrame, table_map: TableMap, predicate: Template, value: Value
) -> pl.DataFrame:
    """One predicate and object for each record and each value of a cell with several."""
    columns = tuple(dict.fromkeys((*predicate.columns, *value.needed)))
    types = [c + TYPE for c in value.template.columns if value.natural and c + TYPE in work.columns]
    varying = (*predicate.varying, *value.template.varying, *([COLUMN] if CELL in columns else []))
    kept = dict.fromkeys((*columns, *value.columns, *types, *varying))
    work = work.select(PLACE, SUBJECT, *kept).drop_nulls(columns)
    for column in columns:
        beside = [column + TYPE] if column + TYPE in types else []
        work = _one_value_per_row(work, column, value.split, table_map.nulls, beside)
    if value.join is not None:
        work = joined(work, value.join)
    plain = predicate.plain(work)
    relations = predicate.render(work, plain)
    wrong = _no_iris(work, relations, predicate, plain)
    if predicate.columns and (long := too_long(relations)) is not None:
        wrong = long if wrong is None else wrong | long
    objects, no_value = _values(bad, work, value)
    if wrong is not None:
        bad.set_aside(work, wrong, relations, ", ".join(predicate.columns), "no IRI")
        no_value = wrong if no_value is None else wrong | no_value
    said, others = _told(bad, work, value, objects)
    for other in others:
        no_value = other if no_value is None else no_value | other
    out = work.select(
        pl.col(SUBJECT).alias("subject"),
        relations.alias("predicate"),
        objects.alias("object"),
        *(said[name].alias(name) for name in said),
        pl.col(PLACE).alias("row"),
    ).select(COLUMNS)
    if value.qualifiers:
        out = out.with_columns(_qualifiers(bad, work, table_map, value))
    return out if no_value is None else out.filter(~no_value)


def _values(bad: _Bad, work: pl.DataFrame, value: Value) -> tuple[pl.Series, pl.Series | None]:
    """The objects of a value, and which are none; None where all are right."""
    if value.join is not None:
        return work[OBJECT], None
    column = ", ".join(value.template.columns)
    plain = value.template.plain(work)
    cells = objects = value.template.render(work, plain)
    long = too_long(objects)
    if long is not None:
        bad.set_aside(work, long, cells, column, TOO_LONG)
        objects = objects.zip_with(~long, pl.Series([None], dtype=pl.String))
    if value.datatype is None:
        wrong = _no_iris(work, objects, value.template, plain)
        if wrong is not None:
            bad.set_aside(work, wrong, objects, column, "no IRI")
        return objects, wrong if long is None else long if wrong is None else wrong | long
    wrong = pl.repeat(False, len(cells), dtype=pl.Boolean, eager=True) if long is None else long
    if value.written is not None:
        objects = value.written.lexical(cells, value.datatype)
        unread = objects.is_null() & ~wrong
        bad.set_aside(work, unread, cells, column, f"not written {value.written.text}")
        wrong |= unread
    no_value = unfit(objects, value.datatype)
    if no_value is not None:
        bad.set_aside(work, no_value, cells, column, _none_of(value.datatype))
        wrong |= no_value
    return objects, wrong if wrong.any() else None


def _qualifiers(bad: _Bad, work: pl.DataFrame, table_map: TableMap, value: Value) -> pl.Series:
    """``QUALIFIERS`` ``(n,)``, null for statements without any."""
    work = work.with_row_index(STATEMENT)
    said = [pl.DataFrame(schema={STATEMENT: pl.UInt32, **dict.fromkeys(QUALIFIER, pl.String)})]
    for name, qualifier in value.qualifiers:
        part = work.select(STATEMENT, PLACE, *qualifier.columns).drop_nulls(qualifier.columns)
        for column in qualifier.columns:
            part = _one_value_per_row(part, column, qualifier.split, table_map.nulls)
        texts, wrong = _values(bad, part, qualifier)
        part = part.select(
            STATEMENT,
            key=pl.lit(name),
            value=texts,
            datatype=pl.lit(qualifier.datatype, pl.String),
            language=pl.lit(qualifier.language, pl.String),
        )
        said.append(part if wrong is None else part.filter(~wrong))
    lists = pl.concat(said).group_by(STATEMENT, maintain_order=True)
    found = lists.agg(pl.struct(QUALIFIER).alias(QUALIFIERS))
    return work.select(STATEMENT).join(found, STATEMENT, "left", maintain_order="left")[QUALIFIERS]


def _told(
    bad: _Bad, work: pl.DataFrame, value: Value, objects: pl.Series
) -> tuple[dict[str, pl.Series | pl.Expr], list[pl.Series]]:
    """Datatype, language and graph of statements, and boolean ``(n,)`` for each way in which what
    a record tells of them is wrong."""
    said: dict[str, pl.Series | pl.Expr] = {
        "datatype": pl.lit(value.datatype, pl.String),
        "language": pl.lit(value.language, pl.String),
        "graph": pl.lit(None, pl.String),
    }
    wrong = []
    types = [column + TYPE for column in value.template.columns if column + TYPE in work.columns]
    datatypes = None
    if value.datatype_of is not None:
        datatypes = value.datatype_of.render(work)
        wrong.append(_bad_iris(bad, work, datatypes, value.datatype_of))
    elif value.natural and types:
        datatypes = work[types[0]].fill_null(XSD_STRING)
    if datatypes is not None:
        said["datatype"] = datatypes
        for datatype in datatypes.unique().drop_nulls():
            misfit = unfit(objects, datatype)
            if misfit is not None and (misfit := misfit & (datatypes == datatype)).any():
                column = ", ".join(value.template.columns)
                bad.set_aside(work, misfit, objects, column, _none_of(datatype))
                wrong.append(misfit)
    if value.language_of is not None:
        tags = value.language_of.render(work)
        said["language"] = tags.str.to_lowercase()
        wrong.append(~tags.str.contains(rf"^{LANGUAGE}$"))
        columns = ", ".join(value.language_of.columns)
        bad.set_aside(work, wrong[-1], tags, columns, "no language")
    if value.graph is not None:
        said["graph"] = graphs = value.graph.render(work)
        wrong.append(_bad_iris(bad, work, graphs, value.graph))
    return said, wrong


def _bad_iris(bad: _Bad, work: pl.DataFrame, iris: pl.Series, made_by: Template) -> pl.Series:
    """Boolean ``(n,)``: which are no IRIs; they are set aside."""
    wrong = _no_iris(work, iris, made_by, made_by.plain(work))
    if wrong is None:
        return pl.repeat(False, len(iris), dtype=pl.Boolean, eager=True)
    bad.set_aside(work, wrong, iris, ", ".join(made_by.columns), "no IRI")
    return wrong


def joined(work: pl.DataFrame, join: Join) -> pl.DataFrame:
    """The records with each subject of the other table that they agree with, in ``OBJECT``.

    Raises:
        JoinTooLarge
    """
    assert join.found is not None
    keys = [name for name in join.found.columns if name != OBJECT]
    work = work.with_columns(t.render(work).alias(k) for t, k in zip(join.child, keys))
    sizes = join.found.group_by(keys).len("\0size")
    count = int(work.join(sizes, on=keys)["\0size"].sum())
    if count > MOST_JOINED:
        raise JoinTooLarge(join.parent, count, MOST_JOINED)
    return work.join(join.found, on=keys, maintain_order="left_right").drop(keys)


def _one_value_per_row(
    work: pl.DataFrame,
    column: str,
    split: str | None,
    nulls: tuple[str, ...],
    beside: Sequence[str] = (),
) -> pl.DataFrame:
    """Explode a column with several values, and those ``beside`` it, which have one for each."""
    if split is not None and work.schema[column] == pl.String:
        work = work.with_columns(cut(work[column], split))
    elif work.schema[column] == pl.String:
        return work
    texts = pl.col(column).str.strip_chars() if split is not None else pl.col(column)
    work = work.explode(column, *beside).with_columns(texts)
    return work.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(["", *nulls]))


def _no_iris(
    work: pl.DataFrame, iris: pl.Series, made_by: Template, plain: Collection[str]
) -> pl.Series | None:
    """Boolean ``(n,)``: IRIs taken whole from cells that are not absolute or hold a character that
    an IRI cannot hold; None where all are right."""
    others = (work[column] for column in made_by.columns if column not in plain)
    colons = (values.str.contains(":", literal=True).any() for values in others)
    always = made_by.whole or made_by.safe == "all"
    if not made_by.taken_whole or not (always or any(colons)):
        return None  # raw names are minted, so they are right
    unsure = ~iris.str.contains(PLAIN_IRI)
    if not unsure.any():
        return None
    texts = iris.filter(unsure).unique()
    wrong = iris.is_in([text for text in texts if not is_iri(text)]).fill_null(False)
    return wrong if wrong.any() else None
