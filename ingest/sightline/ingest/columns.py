"""Maps applied to a batch: columns of cells in, columns of statements out.

Knows terms and batches; knows no file. No Python runs per row: cells that need care (several
values, characters to escape) are handled as columns too.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sightline.graph.record.statements import COLUMNS, statement_schema
from sightline.ingest.terms import LEXICAL, PLAIN_IRI, TableMap, Template, Value, is_iri

#: Columns added to those of the source.
PLACE, SUBJECT = "\0place", "\0subject"


def map_batch(
    maps: Sequence[TableMap], frame: pl.DataFrame, rows: pl.Series
) -> tuple[pl.DataFrame, dict[int, str]]:
    """Statements about the records of a batch, and the records that cannot be mapped.

    A record is refused as a whole: no subject (an empty key), an IRI that is none, or a value that
    its declared datatype does not allow.

    Args:
        frame: ``n`` records; columns of String or List(String).
        rows: UInt32 ``(n,)``: their place in the source.

    Returns:
        Statements with the columns of ``COLUMNS``; place in the batch to reason of refused records.
    """
    missing = dict.fromkeys(c for m in maps for c in m.columns if c not in frame)
    nothing = [pl.lit(None, pl.String).alias(column) for column in missing]
    frame = frame.with_columns(nothing).with_row_index(PLACE)
    bad: dict[int, str] = {}
    parts = [pl.DataFrame(schema=statement_schema())]
    subjects = [_subject(bad, table_map, frame) for table_map in maps]
    for table_map, subject in zip(maps, subjects):
        work = frame.with_columns(subject).filter(subject.is_not_null())
        for predicate, value in table_map.statements:
            parts.append(_statements(bad, work, predicate, value))
    absent = frame.select(pl.all_horizontal(s.is_null() for s in subjects))[:, 0]
    keys = ", ".join(dict.fromkeys(c for m in maps for c in m.subject.columns))
    _refuse(bad, frame[PLACE].filter(absent), f"the key ({keys}) is empty")
    statements = pl.concat(parts)
    if bad:
        statements = statements.filter(~pl.col("row").is_in(list(bad)))
    return statements.with_columns(row=rows.gather(statements["row"])), bad


def _refuse(bad: dict[int, str], places: pl.Series, reason: str) -> None:
    for place in places:
        bad.setdefault(place, reason)


def _subject(bad: dict[int, str], table_map: TableMap, frame: pl.DataFrame) -> pl.Series:
    """The subject of each record, null where there is none; also the checks of a whole map."""
    if table_map.complete:
        for column in table_map.columns:
            empty = frame[PLACE].filter(frame[column].is_null())
            _refuse(bad, empty, f"column {column!r} is empty")
    lists = [c for c in table_map.subject.columns if frame.schema[c] != pl.String]
    for column in lists:
        many = frame[PLACE].filter(frame[column].list.len() > 1)
        _refuse(bad, many, f"the key {column!r} has several values")
    frame = frame.with_columns(pl.col(column).list.first() for column in lists)
    subject = table_map.subject.render(frame)
    _check_iri(bad, frame, subject, table_map.subject)
    return subject.alias(SUBJECT)


def _statements(
    bad: dict[int, str], work: pl.DataFrame, predicate: Template, value: Value
) -> pl.DataFrame:
    """One predicate and object for each record and each value of a cell with several."""
    columns = dict.fromkeys((*predicate.columns, *value.template.columns))
    work = work.select(PLACE, SUBJECT, *columns).drop_nulls(list(columns))
    for column in columns:
        work = _one_value_per_row(work, column, value.split)
    relations, objects = predicate.render(work), value.template.render(work)
    _check_iri(bad, work, relations, predicate)
    _check_iri(bad, work, objects, value.template)
    pattern = LEXICAL.get(value.datatype or "")
    if pattern is not None:
        wrong = ~objects.str.contains(pattern)
        for place, text in zip(work[PLACE].filter(wrong), objects.filter(wrong)):
            name = str(value.datatype).rpartition("#")[2]
            column = ", ".join(value.template.columns)
            bad.setdefault(place, f"column {column!r}: {text[:80]!r} is no {name}")
    return work.select(
        pl.col(SUBJECT).alias("subject"),
        relations.alias("predicate"),
        objects.alias("object"),
        pl.lit(value.datatype, pl.String).alias("datatype"),
        pl.lit(value.language, pl.String).alias("language"),
        pl.lit(None, pl.String).alias("graph"),
        pl.col(PLACE).alias("row"),
    ).select(COLUMNS)


def _one_value_per_row(work: pl.DataFrame, column: str, split: str | None) -> pl.DataFrame:
    if split is not None and work.schema[column] == pl.String:
        work = work.with_columns(pl.col(column).str.split(split))
    elif work.schema[column] == pl.String:
        return work
    texts = pl.col(column).str.strip_chars() if split is not None else pl.col(column)
    work = work.explode(column).with_columns(texts)
    return work.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))


def _check_iri(bad: dict[int, str], work: pl.DataFrame, iris: pl.Series, made_by: Template) -> None:
    """IRIs taken whole from cells are absolute and hold no character that an IRI cannot hold."""
    colons = (work[column].str.contains(":", literal=True).any() for column in made_by.columns)
    if not made_by.taken_whole or not (made_by.whole or any(colons)):
        return  # raw names are minted, so they are right
    unsure = ~iris.str.contains(PLAIN_IRI)
    if not unsure.any():
        return
    texts = iris.filter(unsure)
    wrong = texts.is_in([text for text in texts.unique() if not is_iri(text)])
    for place, text in zip(work[PLACE].filter(unsure).filter(wrong), texts.filter(wrong)):
        bad.setdefault(place, f"{text[:80]!r} is no IRI")
