"""What statements of edges say about themselves: a rating, a year, a publication. A graph without
any has no files of this."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids, expand_csr
from sightline.graph.snapshot.sections.edges import Edges, distinct_statements, origins_of
from sightline.graph.snapshot.sections.section import File, require_lengths
from sightline.graph.snapshot.statement import Origin
from sightline.graph.storage.strings import StringTable
from sightline.graph.vocabulary import NUMBERS, XSD_STRING

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.snapshot.inputs import Inputs

#: Whole numbers up to this are exact as JSON is read; larger ones stay texts.
EXACT = 2**53
#: A text that is a number as well, and no code such as 007.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
PLAIN = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_DISTINCT = ("property", "number", "value", "datatype", "language")


@dataclass(frozen=True, slots=True)
class Qualifier:
    """What one statement of an edge says about itself.

    Attributes:
        property: an id of ``Snapshot.property_iris``.
        value: a number where the datatype is one of numbers.
        datatype: None where the value is an IRI.
    """

    property: int
    value: str | int | float
    datatype: str | None
    language: str | None
    origin: Origin


class Qualifiers(Edges):
    """What is said beside the statements of edges; the same values are there once.

    Attributes:
        qualifier_origin: ``(Q,)``, ascending: position of the statement in ``origin_load``.
        qualifier_said: ``(Q,)`` what it says, a position in the four others, ascending within a
            statement.
        qualifier_property, qualifier_number, qualifier_term: ``(D,)``, sorted by property, number
            and value: an id; the number that the value is, NaN for none; position of datatype and
            language in the manifest's list ``qualifier_terms``.
        qualifier_value: ``(D,)`` texts.
    """

    title = "qualifiers"
    counted = "qualifiers"

    qualifier_origin: Ids
    qualifier_said: Ids
    qualifier_property: Ids
    qualifier_number: Doubles
    qualifier_term: Ids
    qualifier_value: StringTable

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        if inputs.qualified is None:
            return
        names = ("head", "relation", "tail", "load", "row")
        statements = pl.DataFrame(dict(zip(names, distinct_statements(inputs))))
        placed = inputs.encode(inputs.qualified)
        placed = placed.join(statements.with_row_index("origin"), on=names, how="inner")
        placed = inputs.join(placed, "key", "property", "property").with_columns(number=_number())
        placed = placed.select("origin", *_DISTINCT).unique()
        distinct = placed.select(_DISTINCT).unique().sort(_DISTINCT, nulls_last=True)
        terms = distinct.select("datatype", "language").unique().sort("datatype", "language")
        on = ("property", "value", "datatype", "language")
        said = placed.join(distinct.with_row_index("said"), on=on, nulls_equal=True)
        said = said.select("origin", "said").sort("origin", "said").cast(pl.Int32)
        distinct = distinct.join(
            terms.with_row_index("term"),
            on=("datatype", "language"),
            nulls_equal=True,
            maintain_order="left",
        )
        manifest["counts"]["qualifiers"] = said.height
        manifest["qualifier_terms"] = [list(row) for row in terms.rows()]
        yield "qualifier_origin", said["origin"].to_numpy()
        yield "qualifier_said", said["said"].to_numpy()
        yield "qualifier_property", distinct["property"].to_numpy()
        yield "qualifier_number", distinct["number"].fill_null(float("nan")).to_numpy()
        yield "qualifier_term", distinct["term"].cast(pl.Int32).to_numpy()
        yield "qualifier_value", distinct["value"].to_list()

    def check(self) -> None:
        require_lengths(len(self.qualifier_origin), "qualifier_said", of=self)
        names = ("qualifier_number", "qualifier_term", "qualifier_value")
        require_lengths(len(self.qualifier_property), *names, of=self)

    @property
    def qualified(self) -> bool:
        """Whether any statement says something about itself."""
        return Qualifiers.is_in(self.manifest)

    def qualifying(self) -> list[int]:
        """The properties that statements say of themselves, ascending."""
        return np.unique(self.qualifier_property).tolist() if self.qualified else []

    def qualifiers(self, edge: int) -> list[Qualifier]:
        """What the statements that an edge rests on say about themselves."""
        if not self.qualified:
            return []
        span = self.origin_indptr[edge : edge + 2]
        found = []
        for i in range(*np.searchsorted(self.qualifier_origin, span)):
            at, said = self.qualifier_origin[i : i + 1], int(self.qualifier_said[i])
            (origin,) = origins_of(self.loads, self.origin_load[at], self.origin_row[at])
            datatype, language = self.manifest["qualifier_terms"][self.qualifier_term[said]]
            number = float(self.qualifier_number[said])
            value: str | int | float = self.qualifier_value[said]
            if datatype in NUMBERS and abs(number) <= EXACT:
                value = int(number) if number.is_integer() else number
            prop = int(self.qualifier_property[said])
            found.append(Qualifier(prop, value, datatype, language, origin))
        return found

    def saying(self, edges: Ids, conditions: Sequence[Flags]) -> Flags:
        """Which of some edges rest on a statement that meets every condition: bool ``(n,)``.

        Args:
            conditions: bool ``(D,)`` each: what a statement may say to meet it.
        """
        owner, statement = expand_csr(self.origin_indptr, edges)
        met = np.ones(len(statement), np.bool_)
        both = np.stack([statement, statement + 1]).astype(np.int32)
        ends = np.searchsorted(self.qualifier_origin, both)
        count = ends[1] - ends[0]
        of = np.repeat(np.arange(len(statement)), count)
        before = np.repeat(ends[1] - np.cumsum(count), count)
        said = self.qualifier_said[np.arange(len(of)) + before]
        for allowed in conditions:
            met &= np.bincount(of[allowed[said]], minlength=len(met)) > 0
        return np.bincount(owner[met], minlength=len(edges)) > 0

    def edges_saying(self, conditions: Sequence[Flags]) -> Flags:
        """The same of all edges and at least one condition: bool ``(M,)``."""
        first, *others = (
            self.qualifier_origin[allowed[self.qualifier_said]] for allowed in conditions
        )
        met = reduce(np.intersect1d, others, first)
        edges = np.zeros(self.num_edges, np.bool_)
        edges[np.searchsorted(self.origin_indptr, met, side="right") - 1] = True
        return edges

    def numbers_of(self, prop: int) -> Doubles:
        """The numbers that edges say under a property, ``(M,)``: the mean over the statements of
        each, NaN where none says a finite one."""
        said = self.qualifier_number[self.qualifier_said]
        counts = (self.qualifier_property[self.qualifier_said] == prop) & np.isfinite(said)
        edge = np.searchsorted(self.origin_indptr, self.qualifier_origin[counts], side="right") - 1
        times = np.bincount(edge, minlength=self.num_edges)
        total = np.bincount(edge, said[counts], minlength=self.num_edges)
        mean = np.full(self.num_edges, np.nan)
        np.divide(total, times, out=mean, where=times > 0)
        return mean

    def values_of(self, prop: int) -> range:
        """Where the values of a property are: numbers, ascending, then the others, by text."""
        return range(
            bisect_left(self.qualifier_property.data, prop),
            bisect_right(self.qualifier_property.data, prop),
        )


def _number() -> pl.Expr:
    """What a value is as a number; null for none."""
    import polars as pl

    value, datatype = pl.col("value"), pl.col("datatype")
    number = datatype.is_in(list(NUMBERS)) & value.str.contains(_NUMBER)
    number |= (datatype == XSD_STRING) & value.str.contains(PLAIN)
    return pl.when(number).then(value).cast(pl.Float64, strict=False)
