"""What a snapshot states and infers, as columns of numbers that shapes are checked with.

The statements are those of the loads that the snapshot was compiled from, as they are, since the
arrays of a snapshot leave out what is no edge, type or literal of an entity. A term's number is a
hash of 64 bits of what it says: among 10 million terms two have the same with a chance of 3 in a
million. Knows loads; knows no shape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from sightline.graph.record.loads import Load
from sightline.graph.record.merges import Merges
from sightline.graph.record.statements import TERMS, scan_statements, statement_schema
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import EXTRACTED_GRAPH, GENID, MERGES_GRAPH, RDF_LANG_STRING

if TYPE_CHECKING:
    import rdflib

#: What is not checked: what texts say, and the record of which entities are one.
LEFT_OUT = (EXTRACTED_GRAPH, MERGES_GRAPH)
#: Odd numbers, by which the parts of a literal count.
_DATATYPE, _LANGUAGE = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F


@dataclass(frozen=True)
class Facts:
    """Statements, and those of one predicate.

    Attributes:
        statements: ``TERMS``, and the UInt64 columns ``s`` and ``o``: numbers of the terms.
    """

    statements: pl.DataFrame
    _pairs: dict[str, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, predicates: Collection[str] | None = None) -> Facts:
        """The facts of a snapshot, or those of some predicates.

        Raises:
            DamagedLoad: a load that the snapshot was compiled from is gone, or damaged.
        """
        folder = Workspace(snapshot.folder.parents[1]).loads_folder
        loads = [Load.read(folder / load["id"]) for load in snapshot.loads]
        merges = Merges.of(loads)
        checked = pl.col("graph").is_null() | ~pl.col("graph").is_in(LEFT_OUT)
        if predicates is not None:
            checked &= pl.col("predicate").is_in(list(predicates))
        frames = [pl.LazyFrame(schema=statement_schema()).select(TERMS)]
        for _, frame in scan_statements(loads, "facts", "inferred"):
            chosen = frame.filter(checked).select(TERMS)
            frames.append(chosen if merges is None else merges.applied(chosen))
        return cls.made(pl.concat(frames))

    @classmethod
    def made(cls, statements: pl.LazyFrame) -> Facts:
        """The facts of statements with the columns ``TERMS``."""
        numbers = pl.col("subject").hash().alias("s"), _number().alias("o")
        return cls(statements.with_columns(numbers).collect())

    def pairs(self, predicate: str) -> pl.DataFrame:
        """Subjects and objects of a predicate, each row once: the columns ``focus``, ``value``."""
        found = self._pairs.get(predicate)
        if found is None:
            of_it = self.statements.filter(pl.col("predicate") == predicate)
            found = of_it.select(focus="s", value="o").unique()
            self._pairs[predicate] = found
        return found

    @cached_property
    def terms(self) -> pl.DataFrame:
        """Every term once: ``id``, ``text``, ``datatype`` (null of an IRI or blank node) and
        ``language``, in lower case."""
        said = self.statements.select("datatype", "language", id="o", text="object").unique("id")
        subjects = self.statements.select(id="s", text="subject").unique("id")
        subjects = subjects.join(said, on="id", how="anti")
        return pl.concat([said.with_columns(language()), subjects], how="diagonal")

    def graph(self) -> rdflib.Graph:
        """The same for rdflib. Blank nodes are called by their genid."""
        import rdflib

        said = self.terms.select("id", "text", "datatype", "language").iter_rows()
        terms = {number: term(*parts) for number, *parts in said}
        out = rdflib.Graph()
        rows = self.statements.select("s", "predicate", "o").iter_rows()
        for s, predicate, o in rows:
            out.add((terms[s], rdflib.URIRef(predicate), terms[o]))
        return out


def numbers_of(terms: Sequence[rdflib.term.Node]) -> pl.DataFrame:
    """Terms of rdflib as ``Facts.terms`` has them, in their order."""
    rows = list(map(_parts, terms))
    schema = dict.fromkeys(("object", "datatype", "language"), pl.String)
    frame = pl.DataFrame(rows, schema, orient="row")
    return frame.select("datatype", language(), id=_number(), text="object")


def term(text: str, datatype: str | None, language: str | None) -> rdflib.term.Node:
    """A term for rdflib, as it is written: ``01`` stays another integer than ``1``."""
    import rdflib

    if datatype is None:
        return rdflib.BNode(text) if text.startswith(GENID) else rdflib.URIRef(text)
    if language:
        return rdflib.Literal(text, lang=language)
    plain = datatype == str(rdflib.XSD.string)
    return rdflib.Literal(
        text, datatype=None if plain else rdflib.URIRef(datatype), normalize=False
    )


def language() -> pl.Expr:
    """Language tags, of which case says nothing."""
    return pl.col("language").str.to_lowercase()


def _number() -> pl.Expr:
    """The number of an object."""
    text, datatype = pl.col("object").hash(), pl.col("datatype").hash()
    of_language = language().fill_null("").hash()
    literal = text + datatype * pl.lit(_DATATYPE, pl.UInt64)
    literal += of_language * pl.lit(_LANGUAGE, pl.UInt64)
    return pl.when(pl.col("datatype").is_null()).then(text).otherwise(literal)


def _parts(node: rdflib.term.Node) -> tuple[str, str | None, str | None]:
    import rdflib

    if not isinstance(node, rdflib.Literal):
        return str(node), None, None
    if node.language:
        return str(node), RDF_LANG_STRING, node.language
    return str(node), str(node.datatype or rdflib.XSD.string), None


def rows_of(frame: pl.DataFrame) -> Iterator[rdflib.term.Node]:
    """Terms of ``Facts.terms`` for rdflib, in their order."""
    rows = frame.select("text", "datatype", "language").iter_rows()
    return (term(*parts) for parts in rows)
