"""Which entities others were merged into, and what the sources of facts call them. A graph without
merges has no files of this."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sightline.graph.arrays import Doubles, Ids
from sightline.graph.snapshot.sections.edges import distinct_statements, origins_of
from sightline.graph.snapshot.sections.literals import Literals, sorted_literals
from sightline.graph.snapshot.sections.section import File, require_lengths
from sightline.graph.snapshot.statement import Origin
from sightline.graph.storage.strings import StringTable

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.record.merges import Merges
    from sightline.graph.snapshot.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Merge:
    """One name of an entity that is gone.

    Attributes:
        iri: the name.
        same: what the merge says it is the same as, an IRI that may be gone itself.
        into: the entity that it is now.
        reasons: what speaks for it, in words.
        origin: of the statement that says so.
    """

    iri: str
    same: str
    into: int
    probability: float
    method: str
    reasons: tuple[str, ...]
    origin: Origin


class Merged(Literals):
    """What merges say, by the IRI that is gone; and positions of statements that were about one.

    Attributes:
        merged_iri, merged_same, merged_why: ``(K,)`` sorted; ``merged_why`` is JSON.
        merged_into: ``(K,)`` the entity.
        merged_probability, merged_load, merged_row: ``(K,)``.
        edge_merged: ``(E,)``, ascending: position in ``origin_load``; ``edge_merged_head`` and
            ``edge_merged_tail`` are positions in ``merged_iri``, -1 for none.
        attribute_merged: ``(A,)``, ascending: position among the literals; ``attribute_merged_of``
            is a position in ``merged_iri``.
    """

    title = "merges"
    counted = "merges"

    merged_iri: StringTable
    merged_same: StringTable
    merged_why: StringTable
    merged_into: Ids
    merged_probability: Doubles
    merged_load: Ids
    merged_row: Ids
    edge_merged: Ids
    edge_merged_head: Ids
    edge_merged_tail: Ids
    attribute_merged: Ids
    attribute_merged_of: Ids

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        if inputs.merges is None:
            return
        said = inputs.join(inputs.merges.into, "into", "entity", "into_id")
        said = said.select("iri", into="into_id").join(
            inputs.merges.said.sort("probability", "load", "row", descending=[True, False, False]),
            on="iri",
            how="left",
            maintain_order="left_right",
        )
        # A name that only others are said to be the same as is explained by one of those.
        said = said.unique("iri", keep="first", maintain_order=True).sort("iri")
        manifest["counts"]["merges"] = said.height
        why = zip(said["method"].to_list(), said["reasons"].to_list())
        yield "merged_iri", said["iri"].to_list()
        yield "merged_same", said["same"].fill_null("").to_list()
        yield "merged_why", [json.dumps(pair, ensure_ascii=False) for pair in why]
        yield "merged_into", said["into"].to_numpy()
        yield "merged_probability", said["probability"].fill_null(1.0).to_numpy()
        yield "merged_load", said["load"].fill_null(-1).cast(pl.Int32).to_numpy()
        yield "merged_row", said["row"].fill_null(0).cast(pl.Int32).to_numpy()
        before = inputs.before_merges().with_row_index("before")
        gone = said.select("iri").with_row_index("gone").with_columns(pl.col("gone").cast(pl.Int32))
        edges = _edges(inputs, inputs.merges, before, gone)
        yield "edge_merged", edges["at"].to_numpy()
        yield "edge_merged_head", edges["head_was"].to_numpy()
        yield "edge_merged_tail", edges["tail_was"].to_numpy()
        literals = _literals(inputs, inputs.merges, before, gone)
        yield "attribute_merged", literals["at"].to_numpy()
        yield "attribute_merged_of", literals["gone"].to_numpy()

    def check(self) -> None:
        names = ("same", "why", "into", "probability", "load", "row")
        require_lengths(len(self.merged_iri), *(f"merged_{n}" for n in names), of=self)
        require_lengths(len(self.edge_merged), "edge_merged_head", "edge_merged_tail", of=self)
        require_lengths(len(self.attribute_merged), "attribute_merged_of", of=self)

    @property
    def has_merges(self) -> bool:
        """Whether any entity was merged into another."""
        return Merged.is_in(self.manifest)

    def merged(self, iri: str) -> int | None:
        """The entity that a name which is gone stands for."""
        found = self.merged_iri.find(iri)
        return None if found is None else int(self.merged_into[found])

    def merge(self, at: int) -> Merge:
        """What is said of one position in ``merged_iri``."""
        method, reasons = json.loads(self.merged_why[at])
        load, row = int(self.merged_load[at]), int(self.merged_row[at])
        origins = origins_of(self.loads, [load], [row]) if load >= 0 else (Origin("", "", 0, ""),)
        return Merge(
            self.merged_iri[at],
            self.merged_same[at],
            int(self.merged_into[at]),
            float(self.merged_probability[at]),
            method or "",
            tuple(reasons or ()),
            origins[0],
        )

    def merges_into(self, entity: int, most: int | None = None) -> list[Merge]:
        """The names that an entity had beside its own, the least certain first, or ``most`` of
        them: a million copies of one record may be one entity."""
        if not self.has_merges:
            return []
        found = np.flatnonzero(self.merged_into == entity)
        order = np.argsort(self.merged_probability[found], kind="stable")[:most]
        return [self.merge(at) for at in found[order].tolist()]

    def before_merges(
        self, kind: Literal["edge", "attribute"], at: int, found: tuple[Origin, ...]
    ) -> tuple[Origin, ...]:
        if not self.has_merges:
            return found
        changed = self.edge_merged if kind == "edge" else self.attribute_merged
        low, high = np.searchsorted(changed, [at, at + len(found)])
        out = list(found)
        for i in range(low, high):
            places = (
                (self.edge_merged_head[i], self.edge_merged_tail[i])
                if kind == "edge"
                else (self.attribute_merged_of[i],)
            )
            names = tuple(self.merged_iri[int(p)] for p in places if p >= 0)
            place = int(changed[i]) - at
            out[place] = replace(out[place], merged_from=names)
        return tuple(out)


def _edges(
    inputs: Inputs, merges: Merges, before: pl.DataFrame, gone: pl.DataFrame
) -> pl.DataFrame:
    import polars as pl

    names = ("head", "relation", "tail", "load", "row")
    places = pl.DataFrame(dict(zip(names, distinct_statements(inputs)))).with_row_index("at")
    links = before.filter(pl.col("datatype").is_null())
    now = inputs.encode(merges.applied(links)).select("before", *names)
    found = now.join(places, on=names).join(
        links.select("before", "subject", "object"), on="before"
    )
    for column, name in (("subject", "head_was"), ("object", "tail_was")):
        renamed = gone.rename({"iri": column, "gone": name})
        found = found.join(renamed, on=column, how="left")
    found = found.with_columns(pl.col("head_was", "tail_was").fill_null(-1))
    # Statements of one record that differed by names alone are one now.
    return found.unique("at", keep="first").sort("at").with_columns(pl.col("at").cast(pl.Int32))


def _literals(
    inputs: Inputs, merges: Merges, before: pl.DataFrame, gone: pl.DataFrame
) -> pl.DataFrame:
    import polars as pl

    frame, datatypes, languages = sorted_literals(inputs)
    places = frame.with_row_index("at").with_columns(
        datatype=pl.lit(datatypes).gather(pl.col("datatype")),
        language=pl.lit(languages).gather(pl.col("language")),
    )
    texts = before.filter(pl.col("datatype").is_not_null())
    found = merges.applied(texts.join(gone, left_on="subject", right_on="iri"))
    found = inputs.join(found, "subject", "entity", "entity")
    found = inputs.join(found, "predicate", "property", "property")
    on = ("entity", "property", "object", "datatype", "language", "load", "row")
    found = places.join(found, on=on, nulls_equal=True)
    return found.unique("at", keep="first").sort("at").with_columns(pl.col("at").cast(pl.Int32))
