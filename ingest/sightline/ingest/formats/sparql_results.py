"""Results of SPARQL queries as JSON: statements where the columns are those of one, else a table.

Knows solutions; what becomes of statements is known by ``rdf``. Rows count solutions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice

import polars as pl
import pyoxigraph as ox

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import XSD_STRING
from sightline.ingest.batch import Batch, column_name, row_of
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.graphs import Solutions
from sightline.ingest.formats.rdf import read
from sightline.ingest.source import Selection, Source, StatementFormat, Table, TableFormat
from sightline.ingest.streams import ByteStream

ROWS_PER_BATCH = 100_000
#: What the columns of a result of statements are called.
STATEMENT = (("s", "p", "o"), ("subject", "predicate", "object"))
_HEAD = re.compile(rb'\s*\{\s*"head"\s*:\s*\{[^{}]*"vars"\s*:\s*(\[[^\]]*\])')
_YES_NO = re.compile(rb'\s*\{\s*"head"\s*:\s*\{[^{}]*\}\s*,\s*"boolean"')


def _variables(head: bytes) -> list[str] | None:
    """The columns of a result that begins so; None if it is none."""
    found = _HEAD.match(head)
    try:
        return None if found is None else list(map(str, json.loads(found[1])))
    except ValueError:
        return None


def _is_statements(head: bytes) -> bool:
    variables = _variables(head)
    return variables is not None and any(set(variables) == set(names) for names in STATEMENT)


def _solutions(source: Source, stream: ByteStream) -> ox.QuerySolutions:
    data = stream.whole("fetch it in parts")
    found = ox.parse_query_results(data, format=ox.QueryResultsFormat.JSON)
    if not isinstance(found, ox.QuerySolutions):
        raise SourceUnreadable(source.path, "it is an answer yes or no, without a record")
    return found


def _opened(source: Source, stream: ByteStream, notes: list[Note]) -> bytes:
    """The statements as N-Triples. Raises SourceUnreadable and SyntaxError."""
    solutions = _solutions(source, stream)
    names = [variable.value for variable in solutions.variables]
    columns = next(one for one in STATEMENT if set(one) == set(names))
    rows = [tuple(solution[name] for name in columns) for solution in solutions]
    whole = [row for row in rows if None not in row]
    if less := len(rows) - len(whole):
        said = f"left out: {less:,} of {len(rows):,} solutions, which lack one of"
        notes.append(Note(f"{said} {', '.join(columns)}", warning=True))
    try:
        triples = (ox.Triple(*row) for row in whole)
        return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    except TypeError as error:
        reason = "one of its subjects is a text, or one of its predicates no IRI"
        raise SourceUnreadable(source.path, reason) from error


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    datatypes: dict[str, str] = {}
    batches = _batches(source, datatypes)
    first = next(batches, None)
    if first is None:
        return
    table = Table(source.stem, chain([first], batches))
    solutions = Solutions.of(first.frame, datatypes)
    yield replace(table, maps=solutions.maps, notes=[solutions.note]) if solutions else table


def _batches(source: Source, datatypes: dict[str, str]) -> Iterator[Batch]:
    """Adds to the datatypes those of columns whose literals so far are all of one."""
    size, start = source.path.stat().st_size, 1
    try:
        with source.open() as stream:
            solutions = _solutions(source, stream)
        names = [variable.value for variable in solutions.variables]
        schema = {column_name(name): pl.String for name in names}
        while part := list(islice(solutions, ROWS_PER_BATCH)):
            cells = [[_text(solution[name]) for name in names] for solution in part]
            for place, name in enumerate(schema):
                terms = (solution[place] for solution in part)
                found = {t.datatype.value for t in terms if isinstance(t, ox.Literal)}
                found |= {datatypes[name]} if name in datatypes else set()
                if found:
                    datatypes[name] = found.pop() if len(found) == 1 else XSD_STRING
            frame = pl.DataFrame(cells, schema, orient="row")
            rows = pl.int_range(start, start + len(part), dtype=pl.UInt32, eager=True)
            start += len(part)
            yield Batch(frame, rows, frame.hash_rows(), partial(row_of, frame), position=size)
    except SyntaxError as error:
        reason = f"it is no sound result of a query ({str(error)[:200]})"
        raise SourceUnreadable(source.path, reason) from error


def _text(term: object) -> str | None:
    """An IRI or a text as it is; a blank node by its label."""
    if isinstance(term, (ox.NamedNode, ox.Literal)):
        return term.value or None
    return None if term is None else str(term)


SPARQL_STATEMENTS = StatementFormat(
    name="sparql-statements",
    endings=(".srj", ".json"),
    media_type="application/sparql-results+json;statements",
    recognises=_is_statements,
    statements=partial(read, ox.RdfFormat.TURTLE, _opened),
    rows="statement",
)
SPARQL_RESULTS = TableFormat(
    name="sparql-results",
    endings=(".srj", ".json"),
    media_type="application/sparql-results+json",
    recognises=lambda head: _variables(head) is not None or _YES_NO.match(head) is not None,
    tables=_tables,
    formulations=("sparql-results",),
)
