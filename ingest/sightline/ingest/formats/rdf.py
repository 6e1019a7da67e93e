"""RDF files to columns: pyoxigraph parses, N-Quads are split in bulk.

Knows N-Quads syntax and blank nodes; knows no table. Writing quads out as N-Quads and splitting
the text in columns is faster than touching every term in Python.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl
import pyoxigraph as ox

from sightline.graph.record.loads import Note
from sightline.graph.record.statements import COLUMNS, QUALIFIERS
from sightline.graph.vocabulary import (
    EXTRACTED_GRAPH,
    GENID,
    INFERRED_GRAPH,
    OWL,
    RDF_LANG_STRING,
    SCHEMA,
    SCHEMA_HTTP,
    XSD_STRING,
)
from sightline.ingest.batch import Batch, Rejected
from sightline.ingest.errors import SourceSyntaxError, SourceUnreadable
from sightline.ingest.formats.graphs import left_inferred
from sightline.ingest.formats.rdf_annotations import annotated, joined, speaks_of_statements
from sightline.ingest.lexical import MAX_WRITTEN, TOO_LONG
from sightline.ingest.source import Source, StatementFormat
from sightline.ingest.streams import ByteStream
from sightline.ingest.terms import PLAIN_IRI

#: What the parser reads: bytes, or an object with ``read``. The list takes notes.
Opened = Callable[[Source, ByteStream, list[Note]], Any]
QUADS_PER_BATCH = 200_000
_IRI = PLAIN_IRI.strip("^$")
_NODE = rf"(<{_IRI}>|_:[A-Za-z0-9_]+)"
_LITERAL = rf'"[^"\\\r]*"(@[a-z]{{2,3}}(-[a-z]{{2}})?|\^\^<{_IRI}>)?'
_TRIPLE = rf"^{_NODE} <{_IRI}> ({_NODE}|{_LITERAL})"
#: Lines that the parser would give back as they are. A format whose records are lines is here.
CANONICAL = {
    ox.RdfFormat.N_TRIPLES: rf"{_TRIPLE} \.$",
    ox.RdfFormat.N_QUADS: rf"{_TRIPLE}( {_NODE})? \.$",
}
#: End of a datatype that demands a language: no line with it is taken for sound unseen.
TAGGED_ONLY = b"angString>"
#: Comments may come before the first directive of Turtle and TriG.
TURTLE_HEAD = re.compile(rb"(\s|#[^\n]*\n)*(@prefix|@base|(?i:PREFIX|BASE|VERSION)\s)")
DEPRECATED = OWL + "deprecated"
NO_STATEMENT = r"^[ \t]*(#.*)?$"
#: Object, then the named graph if there is one. No quote can follow the closing one of a literal.
OBJECT_AND_GRAPH = r'^(<[^>]*>|_:[^ ]+|".*"(?:@[^ ]+|\^\^<[^>]*>)?)(?: (<[^>]*>|_:[^ ]+))?$'
LITERAL = r'^"(.*)"(?:@(.+)|\^\^<(.*)>)?$'
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\b": "\b", r"\f": "\f"}
RDF_12 = "it has a triple or a text with a direction as its value (RDF 1.2), which is not supported"


def read(
    parser: ox.RdfFormat, opened: Opened, source: Source, sha256: str, base: str, notes: list[Note]
) -> Iterator[Batch]:
    """Batches with the columns subject, predicate, object, datatype, language, graph.

    N-Triples and N-Quads are read line by line: a bad line is rejected, ``rows`` are lines. In
    other formats an error ends the reading and ``rows`` count statements; their blank nodes are
    numbered in order, because unlabelled ones have no name of their own, and a relative IRI is
    taken from the file's name under ``base``.
    """
    genid = f"{GENID}{sha256[:16]}:"
    lined = parser in CANONICAL
    folder = f"{base}file/"
    numbers: dict[str, str] | None = None if lined else {}
    told = _Told(folder)
    if lined:
        parsed = _parse_lines(source, parser)
    else:
        iri = folder + quote(source.name)
        parsed = _parse_document(source, parser, lambda stream: opened(source, stream, notes), iri)
    columns = partial(_columns, named=parser.supports_datasets, genid=genid, numbers=numbers)
    remarks = 0
    if speaks_of_statements(source, parser):
        (lines, rows, rejected), position = joined(parsed)
        frame, remarks = annotated(lines, rows, rejected, columns)
        qualifiers = frame[QUALIFIERS] if remarks else None
        parts = [(frame["line"], frame["row"], frame["hash"], qualifiers, rejected, position)]
    else:
        parts = ((x[0], x[1], x[0].hash(), None, x[2], at) for x, at in parsed)  # type: ignore[assignment]
    for lines, rows, hashes, qualifiers, rejected, position in parts:
        modern = lines.str.contains("<<(", literal=True)
        if modern.any():  # or in a text
            modern &= lines.str.contains(r"^\S+ \S+ <<\(")
        modern |= lines.str.contains(r'"@[A-Za-z0-9-]+--(ltr|rtl)')
        long = (lines.str.len_bytes() > MAX_WRITTEN) & ~modern
        for out, reason in ((modern, RDF_12), (long, f"it is {TOO_LONG}")):
            for i in out.arg_true():
                rejected.append(Rejected(rows[i], reason, lines[i]))
        frame = columns(lines)
        if qualifiers is not None:
            frame = frame.with_columns(qualifiers)
        out = modern | long | told.inferred(frame)
        if out.any():
            lines, rows, hashes = (column.filter(~out) for column in (lines, rows, hashes))
            frame = frame.filter(~out)
        told.look(frame, relative=not lined)
        yield Batch(frame, rows, hashes, lines.__getitem__, rejected, position)
    if remarks:
        notes.append(
            Note(f"{remarks} remarks on statements (RDF 1.2) are kept as qualifiers of these")
        )
    notes += told.notes()


class _Told:
    """Counts what a person should be told about the statements of a file."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._relative = self._schema = self._deprecated = self._inferred = 0

    def inferred(self, frame: pl.DataFrame) -> pl.Series:
        """Boolean ``(n,)``: what reasoning or texts added to a graph that was exported; they do so
        again."""
        found = frame["graph"].is_in([INFERRED_GRAPH, EXTRACTED_GRAPH]).fill_null(False)
        self._inferred += int(found.sum())
        return found

    def look(self, frame: pl.DataFrame, relative: bool) -> None:
        predicates = frame["predicate"]
        self._schema += int(predicates.str.starts_with(SCHEMA_HTTP).sum())
        old = (predicates == DEPRECATED) & frame["object"].is_in(["true", "1"])
        self._deprecated += int(old.sum())
        if relative:
            here = frame["subject"].str.starts_with(self._folder)
            here |= frame["object"].str.starts_with(self._folder) & frame["datatype"].is_null()
            self._relative += int((here | predicates.str.starts_with(self._folder)).sum())

    def notes(self) -> Iterator[Note]:
        if self._relative:
            yield Note(
                f"{self._relative} statements have relative IRIs and no base: they were taken from "
                f"the file's name under {self._folder}",
                warning=True,
            )
        if self._schema:
            yield Note(
                f"{self._schema} statements name relations of {SCHEMA_HTTP}: answers unite them "
                f"with those of {SCHEMA}, exports keep them"
            )
        if self._inferred:
            yield Note(left_inferred(self._inferred))
        if self._deprecated:
            yield Note(f"{self._deprecated} things are marked as deprecated")


_Parsed = tuple[pl.Series, pl.Series, list[Rejected]]


def _parse_document(
    source: Source, parser: ox.RdfFormat, opened: Callable[[ByteStream], Any], iri: str
) -> Iterator[tuple[_Parsed, int]]:
    start = 1
    with source.open() as stream:
        try:
            quads = ox.parse(opened(stream), format=parser, base_iri=iri)
            while text := ox.serialize(islice(quads, QUADS_PER_BATCH), format=ox.RdfFormat.N_QUADS):
                lines = _lines(text)
                yield (lines, _numbered(start, len(lines)), []), stream.position
                start += len(lines)
        except SyntaxError as error:
            if error.lineno is None:
                raise SourceUnreadable(source.path, _reason(error)) from error
            raise SourceSyntaxError(source.path, error.lineno, _reason(error)) from error
        # pyoxigraph's word for a term over 16 MiB, in JSON-LD over 8 MiB
        except MemoryError as error:
            raise SourceUnreadable(source.path, f"one of its terms is {TOO_LONG}") from error


def _parse_lines(source: Source, parser: ox.RdfFormat) -> Iterator[tuple[_Parsed, int]]:
    start = 1
    with source.open() as stream:
        for block in stream.line_blocks():
            texts = block.removesuffix(b"\n")
            count = texts.count(b"\n") + 1
            rows = _numbered(start, count)
            try:
                parsed = _parse_block(block, rows, parser)
            except pl.exceptions.ComputeError:  # some of it is no UTF-8
                parsed = _one_by_one(texts.split(b"\n"), rows, parser)
            yield parsed, stream.position
            start += count


def _parse_block(block: bytes, rows: pl.Series, parser: ox.RdfFormat) -> _Parsed:
    """Lines that are canonical already stand; the others go through the parser."""
    lines = _lines(block)
    canonical = lines.str.contains(CANONICAL[parser])
    if TAGGED_ONLY in block:
        canonical &= ~lines.str.contains(TAGGED_ONLY.decode(), literal=True)
    if canonical.all():
        return lines, rows, []
    odd = ~canonical & ~lines.str.contains(NO_STATEMENT)
    texts, places = lines.filter(odd), rows.filter(odd)
    data = "\n".join(texts).encode()
    try:
        found = _lines(_canonical(data, parser))
        # As many statements as lines: each line is one. Otherwise find them one by one.
        one_by_one = len(found) != len(texts)
    except (SyntaxError, MemoryError):
        one_by_one = True
    rejected: list[Rejected] = []
    if one_by_one:
        raw = [text.encode() for text in texts]
        found, places, rejected = _one_by_one(raw, places, parser)
    all_rows = pl.concat([rows.filter(canonical), places])
    order = all_rows.arg_sort()
    all_lines = pl.concat([lines.filter(canonical), found])
    return all_lines.gather(order), all_rows.gather(order), rejected


def _one_by_one(lines: list[bytes], rows: pl.Series, parser: ox.RdfFormat) -> _Parsed:
    found: list[str] = []
    found_rows: list[int] = []
    rejected: list[Rejected] = []
    for row, line in zip(rows, lines):
        try:
            text = _canonical(line, parser)
        except SyntaxError as error:
            rejected.append(Rejected(row, _reason(error), line.decode(errors="replace")))
            continue
        except MemoryError:
            raw = line[:2000].decode(errors="replace")
            rejected.append(Rejected(row, f"a term is {TOO_LONG}", raw))
            continue
        for statement in text.decode().rstrip("\n").split("\n") if text else ():
            found.append(statement)
            found_rows.append(row)
    return pl.Series(found, dtype=pl.String), pl.Series(found_rows, dtype=pl.UInt32), rejected


def _canonical(data: bytes, parser: ox.RdfFormat) -> bytes:
    """Statements as canonical N-Quads; raises SyntaxError and MemoryError."""
    quads = ox.parse(data, format=parser)
    return ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""


def _reason(error: SyntaxError) -> str:
    return re.sub(r"^Parser error [^:]*: ", "", str(error.msg))


def _lines(text: bytes) -> pl.Series:
    if not text:
        return pl.Series([], dtype=pl.String)
    return pl.read_lines(io.BytesIO(text)).to_series()


def _numbered(start: int, count: int) -> pl.Series:
    return pl.Series(np.arange(start, start + count, dtype=np.uint32))


def _columns(
    lines: pl.Series, named: bool, genid: str, numbers: dict[str, str] | None
) -> pl.DataFrame:
    """Lines of canonical N-Quads to the columns of statements, row numbers left out."""
    # Subjects and predicates hold no space, so two cuts leave object, graph and dot.
    subjects, predicates, rest = lines.str.splitn(" ", 3).struct.unnest()
    objects = rest.str.strip_suffix(" .")
    nothing = pl.repeat(None, len(lines), dtype=pl.String, eager=True)
    graphs = datatypes = languages = nothing
    if named:
        objects, graphs = objects.str.extract_groups(OBJECT_AND_GRAPH).struct.unnest()
    nodes = [_node(terms, genid, numbers) for terms in (subjects, objects, graphs)]
    literal = objects.str.starts_with('"')
    if literal.any():
        literals = objects.zip_with(literal, nothing)
        texts, languages, datatypes = literals.str.extract_groups(LITERAL).struct.unnest()
        nodes[1] = _unescaped(texts).zip_with(literal, nodes[1])
        plain = literal & datatypes.is_null()
        names = languages.is_null().replace_strict({True: XSD_STRING, False: RDF_LANG_STRING})
        datatypes = names.zip_with(plain, datatypes)
    columns = (nodes[0], predicates.str.strip_chars("<>"), nodes[1], datatypes, languages, nodes[2])
    return pl.DataFrame([column.alias(name) for column, name in zip(columns, COLUMNS)])


def _node(terms: pl.Series, genid: str, numbers: dict[str, str] | None) -> pl.Series:
    """``<iri>`` to the IRI, ``_:label`` to a genid; ``numbers`` gives labels new names in order."""
    blank = terms.str.starts_with("_:").fill_null(False)
    iris = terms.str.strip_chars("<>")
    if not blank.any():
        return iris
    labels = terms.str.slice(2)
    if numbers is not None:
        known = numbers
        for label in labels.filter(blank).unique(maintain_order=True):
            known.setdefault(label, f"b{len(known)}")
        labels = labels.replace({label: known[label] for label in labels.filter(blank).unique()})
    return (genid + labels).zip_with(blank, iris)


def _unescaped(texts: pl.Series) -> pl.Series:
    escaped = texts.str.contains("\\", literal=True).fill_null(False)
    if not escaped.any():
        return texts
    simple = texts.str.replace_many(list(ESCAPES), list(ESCAPES.values()))
    # Control characters come as numbers; they are rare enough for Python.
    numbered = texts.filter(texts.str.contains(r"\\[uU]").fill_null(False)).unique()
    exact = {text: _unescape(text) for text in numbered}
    return texts.replace(exact).zip_with(texts.is_in(numbered.implode()), simple)


def _unescape(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else ESCAPES[match[0]]

    return re.sub(r"\\(?:u([0-9A-F]{4})|U([0-9A-F]{8})|.)", plain, text)


def as_it_is(source: Source, stream: ByteStream, notes: list[Note]) -> ByteStream:
    """A document that the parser reads as it is."""
    return stream


def rdf_format(
    parser: ox.RdfFormat,
    recognises: Callable[[bytes], bool],
    opened: Opened = as_it_is,
    endings: tuple[str, ...] = (),
) -> StatementFormat:
    """The record of a format, called by its usual ending.

    Args:
        opened: what the parser reads of a document's bytes. Raises SourceUnreadable.
        endings: of file names, beside the usual one.
    """
    return StatementFormat(
        name=parser.file_extension,
        endings=(f".{parser.file_extension}", *endings),
        media_type=parser.media_type,
        recognises=recognises,
        statements=partial(read, parser, opened),
        rows="line" if parser in CANONICAL else "statement",
    )


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.lstrip().startswith(starts)


def _is_turtle(head: bytes) -> bool:
    return TURTLE_HEAD.match(head) is not None


TURTLE = rdf_format(ox.RdfFormat.TURTLE, _is_turtle, endings=(".owl", ".rdf", ".n3"))
TRIG = rdf_format(ox.RdfFormat.TRIG, _is_turtle)
N_TRIPLES = rdf_format(ox.RdfFormat.N_TRIPLES, _begins(b"<", b"_:"))
N_QUADS = rdf_format(ox.RdfFormat.N_QUADS, _begins(b"<", b"_:"))
