"""RDF files to columns: pyoxigraph parses, N-Quads are split in bulk.

Knows N-Quads syntax and blank nodes; knows no table. Writing quads out as N-Quads and splitting
the text in columns is faster than touching every term in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import numpy as np
import polars as pl
import pyoxigraph as ox

from sightline.graph.errors import SourceSyntaxError, SourceUnreadable
from sightline.graph.vocabulary import GENID, RDF_LANG_STRING, XSD_STRING
from sightline.ingest.batch import Batch, Rejected
from sightline.ingest.sources import Source

PARSERS = {
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "ttl": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
}
QUADS_PER_BATCH = 200_000
#: Object, then the named graph if there is one. No quote can follow the closing one of a literal.
OBJECT_AND_GRAPH = r'^(<[^>]*>|_:[^ ]+|".*"(?:@[^ ]+|\^\^<[^>]*>)?)(?: (<[^>]*>|_:[^ ]+))?$'
LITERAL = r'^"(.*)"(?:@(.+)|\^\^<(.*)>)?$'
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\b": "\b", r"\f": "\f"}
RDF_12 = "it uses RDF 1.2 (a triple term or a base direction), which is not supported"


def read_rdf(source: Source, sha256: str, position: list[int]) -> Iterator[Batch]:
    """Batches with the columns subject, predicate, object, datatype, language, graph.

    N-Triples and N-Quads are read line by line: a bad line is rejected, ``rows`` are lines. In
    Turtle and TriG an error ends the reading and ``rows`` count statements; their blank nodes are
    numbered in order, because unlabelled ones have no name of their own.

    Args:
        sha256: of the source; blank nodes are named after it.
        position: its one element becomes the number of bytes read so far.

    Raises:
        SourceSyntaxError, SourceUnreadable
    """
    genid = f"{GENID}{sha256[:16]}:"
    parse = _parse_lines if source.format in ("nt", "nq") else _parse_document
    named = source.format in ("nq", "trig")
    numbers: dict[str, str] | None = {} if parse is _parse_document else None
    for lines, rows, rejected in parse(source, position):
        modern = lines.str.contains("<<(", literal=True) & lines.str.contains(r"^\S+ \S+ <<\(")
        modern |= lines.str.contains(r'"@[A-Za-z0-9-]+--(ltr|rtl)')
        for i in modern.arg_true():
            rejected.append(Rejected(rows[i], RDF_12, lines[i]))
        lines, rows = lines.filter(~modern), rows.filter(~modern)
        frame = _columns(lines, named, genid, numbers)
        yield Batch(frame, rows, lines.hash(), lines.__getitem__, rejected)


_Parsed = tuple[pl.Series, pl.Series, list[Rejected]]


def _parse_document(source: Source, position: list[int]) -> Iterator[_Parsed]:
    start = 1
    with source.open() as stream:
        try:
            quads = ox.parse(stream, format=PARSERS[source.format])  # type: ignore[arg-type]
            while text := ox.serialize(islice(quads, QUADS_PER_BATCH), format=ox.RdfFormat.N_QUADS):
                lines = _lines(text)
                position[0] = stream.position
                yield lines, _numbered(start, len(lines)), []
                start += len(lines)
        except SyntaxError as error:
            raise SourceSyntaxError(source.path, error.lineno or 0, _reason(error)) from error
        except MemoryError as error:  # pyoxigraph's word for a term over 16 MiB
            raise SourceUnreadable(source.path, "one of its terms is longer than 16 MiB") from error


def _parse_lines(source: Source, position: list[int]) -> Iterator[_Parsed]:
    start = 1
    parser = PARSERS[source.format]
    with source.open() as stream:
        for block in stream.line_blocks():
            position[0] = stream.position
            count = block.count(b"\n") + (not block.endswith(b"\n"))
            try:
                text = ox.serialize(ox.parse(block, format=parser), format=ox.RdfFormat.N_QUADS)
                lines = _lines(text or b"")
                # As many statements as lines: each line is one. Otherwise find them one by one.
                one_by_one = len(lines) != count
            except (SyntaxError, MemoryError):
                one_by_one = True
            if one_by_one:
                yield _one_by_one(block, start, parser)
            else:
                yield lines, _numbered(start, count), []
            start += count


def _one_by_one(block: bytes, start: int, parser: ox.RdfFormat) -> _Parsed:
    lines: list[str] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    for row, line in enumerate(block.split(b"\n"), start):
        try:
            text = ox.serialize(ox.parse(line, format=parser), format=ox.RdfFormat.N_QUADS) or b""
        except SyntaxError as error:
            rejected.append(Rejected(row, _reason(error), line.decode(errors="replace")))
            continue
        except MemoryError:
            rejected.append(Rejected(row, "a term is longer than 16 MiB", line[:2000].decode()))
            continue
        for statement in text.decode().rstrip("\n").split("\n") if text else ():
            lines.append(statement)
            rows.append(row)
    return pl.Series(lines, dtype=pl.String), pl.Series(rows, dtype=pl.UInt32), rejected


def _reason(error: SyntaxError) -> str:
    return re.sub(r"^Parser error at line .*?: ", "", str(error.msg))


def _lines(text: bytes) -> pl.Series:
    if not text:
        return pl.Series([], dtype=pl.String)
    return pl.Series([text.decode().removesuffix("\n")]).str.split("\n").explode()


def _numbered(start: int, count: int) -> pl.Series:
    return pl.Series(np.arange(start, start + count, dtype=np.uint32))


def _columns(
    lines: pl.Series, named: bool, genid: str, numbers: dict[str, str] | None
) -> pl.DataFrame:
    """Lines of canonical N-Quads to the columns of statements, row numbers left out."""
    # Subjects and predicates hold no space, so two cuts leave object and graph.
    frame = lines.str.strip_suffix(" .").str.splitn(" ", 3).struct.unnest()
    frame.columns = ["subject", "predicate", "object"]
    if named:
        groups = pl.col("object").str.extract_groups(OBJECT_AND_GRAPH).struct
        frame = frame.with_columns(object=groups.field("1"), graph=groups.field("2"))
    else:
        frame = frame.with_columns(graph=pl.lit(None, pl.String))
    literal = pl.col("object").str.starts_with('"')
    groups = pl.when(literal).then(pl.col("object")).str.extract_groups(LITERAL).struct
    frame = frame.with_columns(
        object=pl.when(~literal).then(pl.col("object")),
        text=groups.field("1"),
        language=groups.field("2"),
        datatype=groups.field("3"),
    )
    tagged, is_text = pl.col("language").is_not_null(), pl.col("text").is_not_null()
    typed = pl.when(is_text).then(pl.col("datatype").fill_null(XSD_STRING))
    nodes = [_node(frame[name], genid, numbers) for name in ("subject", "object", "graph")]
    return frame.select(
        nodes[0],
        pl.col("predicate").str.strip_chars("<>"),
        nodes[1].zip_with(nodes[1].is_not_null(), _unescaped(frame["text"])),
        pl.when(tagged).then(pl.lit(RDF_LANG_STRING)).otherwise(typed).alias("datatype"),
        "language",
        nodes[2],
    )


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
    return (genid + labels).rename(terms.name).zip_with(blank, iris)


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
