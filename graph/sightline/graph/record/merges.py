"""Which entities are one, as loads of merges say it: ``owl:sameAs`` statements that can be listed,
explained and taken back, and that change the names of terms when loads are read.

Knows columns of statements; knows neither how duplicates are found nor ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sightline.graph.record.statements import QUALIFIERS, scan_statements
from sightline.graph.vocabulary import (
    IDENTITY,
    MERGE_METHOD,
    MERGE_PROBABILITY,
    MERGE_REASON,
)

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.record.loads import Load

    Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


@dataclass(frozen=True, slots=True)
class Merges:
    """The merges of some loads.

    Attributes:
        said: a row for each statement: ``iri``, ``same`` (the IRIs), ``load`` (its position),
            ``row``, ``probability``, ``method`` and ``reasons``, a list of texts.
        into: ``iri``, sorted, and ``into``, the IRI that stands for it since.
    """

    said: pl.DataFrame
    into: pl.DataFrame

    @classmethod
    def of(cls, loads: Sequence[Load]) -> Merges | None:
        """Those that no retraction among ``loads`` takes back; None where there are none."""
        import polars as pl

        frames = [
            frame.with_columns(load=pl.lit(index, pl.Int32))
            for index, frame in scan_statements(loads, "merges", qualifiers=True)
        ]
        if not frames:
            return None
        key, value = (pl.element().struct.field(name) for name in ("key", "value"))

        def values(name: str) -> pl.Expr:
            return pl.col(QUALIFIERS).list.eval(value.filter(key == name))

        said = pl.concat(frames).select(
            *("load", "row"),
            iri="subject",
            same="object",
            probability=values(MERGE_PROBABILITY).list.first().cast(pl.Float64),
            method=values(MERGE_METHOD).list.first(),
            reasons=values(MERGE_REASON),
        )
        found = said.sort("load", "row").collect()
        return None if found.is_empty() else cls(found, _united(found))

    def applied(self, statements: Frame) -> Frame:
        """Statements with the names that terms have since; without those that only said that two
        names are one."""
        import polars as pl

        old, new = self.into["iri"].implode(), self.into["into"].implode()
        subject = pl.col("subject").replace(old, new)
        object = (
            pl.when(pl.col("datatype").is_null())
            .then(pl.col("object").replace(old, new))
            .otherwise("object")
        )
        said = pl.col("predicate").is_in(IDENTITY) & (subject == object)
        said &= pl.col("subject") != pl.col("object")
        return statements.filter(~said).with_columns(subject, object.alias("object"))


def _united(said: pl.DataFrame) -> pl.DataFrame:
    """One IRI for each that another stands for: of those that are one the first that is only ever
    pointed at."""
    import numpy as np
    import polars as pl
    from scipy import sparse

    iris = pl.concat([said["iri"], said["same"].rename("iri")]).unique().sort()
    place = pl.DataFrame({"iri": iris, "at": np.arange(len(iris))})
    ends = [
        said.select(iri=name).join(place, on="iri", maintain_order="left")["at"].to_numpy()
        for name in ("iri", "same")
    ]
    links = sparse.coo_array((np.ones(len(said)), tuple(ends)), (len(iris), len(iris)))
    _, part = sparse.csgraph.connected_components(links, directed=False)
    points = np.zeros(len(iris), np.bool_)
    points[ends[0]] = True
    rank = np.lexsort((np.arange(len(iris)), points, part))
    first = rank[np.flatnonzero(np.diff(part[rank], prepend=-1))]
    into = iris.gather(pl.Series(first[part]))
    return pl.DataFrame({"iri": iris, "into": into}).filter(pl.col("iri") != pl.col("into"))
