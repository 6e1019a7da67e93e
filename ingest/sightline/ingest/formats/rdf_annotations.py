"""RDF 1.2: what a document says about its own statements becomes qualifiers of them.

``:m :won :prize {| :year 1903 |}`` and its like come from the parser as a triple, a reifier of it
(``_:r rdf:reifies <<( :m :won :prize )>>``) and the reifier's own triples. The reifier becomes the
statement once more, with its own triples as qualifiers.

Knows lines of canonical N-Quads. Reads such a document as a whole: what a reifier says may stand
anywhere in it. Other documents are only looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl
import pyoxigraph as ox

from sightline.graph.record.statements import QUALIFIER, QUALIFIERS
from sightline.ingest.batch import Rejected
from sightline.ingest.source import Source
from sightline.ingest.streams import BLOCK

#: What a document must hold to speak of its own statements.
MARKS = {
    ox.RdfFormat.N_TRIPLES: (b"rdf-syntax-ns#reifies>",),
    ox.RdfFormat.N_QUADS: (b"rdf-syntax-ns#reifies>",),
    ox.RdfFormat.TURTLE: (b"<<", b"{|", b"reifies"),
    ox.RdfFormat.TRIG: (b"<<", b"{|", b"reifies"),
    ox.RdfFormat.RDF_XML: (b"reifies", b'"Triple"', b"'Triple'", b"annotation"),
}
REIFIES = (
    r"^(?<by>\S+) <[^>]*/22-rdf-syntax-ns#reifies> "
    r"<<\( (?<triple>.*) \)>>(?<graph>(?: (?:<[^>]*>|_:\S+))?) \.$"
)
UNSTATED = "it speaks of a triple that the file does not state; state the triple, too"
NESTED = "it speaks of a triple that speaks of a triple, which is not supported"

_Parsed = tuple[pl.Series, pl.Series, list[Rejected]]


def speaks_of_statements(source: Source, parser: ox.RdfFormat) -> bool:
    """Whether a source may hold reifiers, told by its bytes."""
    marks = MARKS.get(parser, ())
    tail = b""
    with source.open() as stream:
        while marks and (block := stream.read(BLOCK)):
            if any(mark in block or mark in tail + block[:32] for mark in marks):
                return True
            tail = block[-32:]
    return False


def joined(parsed: Iterable[tuple[_Parsed, int]]) -> tuple[_Parsed, int]:
    """All batches of a source as one."""
    lines, rows = [pl.Series(dtype=pl.String)], [pl.Series(dtype=pl.UInt32)]
    rejected: list[Rejected] = []
    position = 0
    for (some, places, bad), position in parsed:  # noqa: B007
        lines.append(some)
        rows.append(places)
        rejected += bad
    return (pl.concat(lines), pl.concat(rows), rejected), position


def annotated(
    lines: pl.Series,
    rows: pl.Series,
    rejected: list[Rejected],
    columns: Callable[[pl.Series], pl.DataFrame],
) -> tuple[pl.DataFrame, int]:
    """The statements of a document, those of reifiers among them.

    Args:
        rejected: takes reifiers of what is not stated, and what they say.
        columns: lines to the columns of statements.

    Returns:
        ``line``, ``row``, ``hash`` and ``QUALIFIERS``, which is null where there are none; how many
        remarks became qualifiers.
    """
    found = lines.str.extract_groups(REIFIES).struct.unnest()
    frame = found.with_columns(
        line=lines,
        row=rows,
        subject=lines.str.extract(r"^(\S+) "),
        base=pl.format("{}{} .", "triple", "graph"),
        deep=pl.col("triple").str.contains("<<(", literal=True),
    )
    reifier = pl.col("by").is_not_null()
    stated = reifier & ~pl.col("deep") & pl.col("base").is_in(lines.implode())
    heard = pl.col("subject").is_in(frame.filter(stated)["by"].implode())
    unheard = pl.col("subject").is_in(frame.filter(reifier)["by"].implode()) & ~heard
    bad = (reifier & ~stated) | (~reifier & unheard)
    for row, line, deep in frame.filter(bad).select("row", "line", "deep").rows():
        rejected.append(Rejected(row, NESTED if deep else UNSTATED, line))
    # A remark whose value is a triple is none that a qualifier can hold.
    remark = ~reifier & heard & ~pl.col("line").str.contains(r"^\S+ \S+ <<\(")
    said = frame.filter(remark)
    terms = columns(said["line"]).rename({"predicate": "key", "object": "value"})
    terms = terms.select(*QUALIFIER, by=said["subject"])
    lists = terms.group_by("by", maintain_order=True).agg(pl.struct(QUALIFIER).alias(QUALIFIERS))
    kept = frame.filter(~bad & ~remark).with_columns(hash=pl.col("line").hash())
    kept = kept.join(lists, on="by", how="left", maintain_order="left")
    line = pl.when(stated).then("base").otherwise("line").alias("line")
    return kept.select(line, "row", "hash", QUALIFIERS), said.height
