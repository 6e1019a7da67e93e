"""What statements of edges say about themselves: a rating, a year, a publication. A graph without
any has no files of this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Ids
from sightline.graph.snapshot.sections.edges import Edges, distinct_statements, origins_of
from sightline.graph.snapshot.sections.section import File, Section, require_lengths
from sightline.graph.snapshot.statement import Origin
from sightline.graph.storage.strings import StringTable

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Qualifier:
    """What one statement of an edge says about itself."""

    key: str
    value: str
    origin: Origin


class Qualifiers(Edges):
    """Keys and values beside the statements of edges.

    Attributes:
        qualifier_origin: ``(Q,)``, ascending: position of the statement in ``origin_load``.
        qualifier_key, qualifier_value: ``(Q,)`` texts, sorted within a statement.
    """

    title = "qualifiers"

    qualifier_origin: Ids
    qualifier_key: StringTable
    qualifier_value: StringTable

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        said = inputs.qualified()
        if said is None:
            return
        names = ("head", "relation", "tail", "load", "row")
        statements = pl.DataFrame(dict(zip(names, distinct_statements(inputs))))
        placed = inputs.encode(said).join(statements.with_row_index("at"), on=names, how="inner")
        placed = placed.select("at", "key", "value").unique().sort("at", "key", "value")
        manifest["counts"]["qualifiers"] = placed.height
        yield "qualifier_origin", placed["at"].to_numpy().astype(np.int32)
        yield "qualifier_key", placed["key"].to_list()
        yield "qualifier_value", placed["value"].to_list()

    @classmethod
    def map(cls, snapshot: Section) -> None:
        if "qualifiers" in snapshot.manifest["counts"]:
            super().map(snapshot)

    def check(self) -> None:
        if "qualifiers" in self.manifest["counts"]:
            length = len(self.qualifier_origin)
            require_lengths(length, "qualifier_key", "qualifier_value", of=self)

    def qualifiers(self, edge: int) -> list[Qualifier]:
        """What the statements that an edge rests on say about themselves."""
        if "qualifiers" not in self.manifest["counts"]:
            return []
        span = self.origin_indptr[edge : edge + 2]
        found = []
        for i in range(*np.searchsorted(self.qualifier_origin, span)):
            at = self.qualifier_origin[i : i + 1]
            (origin,) = origins_of(self.loads, self.origin_load[at], self.origin_row[at])
            found.append(Qualifier(self.qualifier_key[i], self.qualifier_value[i], origin))
        return found
