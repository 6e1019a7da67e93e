"""The texts by which entities are found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sightline.graph.snapshot.search import SearchIndex, build
from sightline.graph.snapshot.sections.section import File, Section
from sightline.graph.vocabulary import ALTERNATIVE_LABELS, RDFS_LABEL, readable_name

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


class Search(Section):
    """Every label, alternative label and raw name of an entity; opened when it is asked for."""

    title = "search index"
    share = 6

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        labels = [*inputs.settings.label_properties, *ALTERNATIVE_LABELS, RDFS_LABEL]
        stated = inputs.literals.filter(pl.col("predicate").is_in(labels))
        labelled = inputs.join(stated, "subject", "entity", "entity").select("entity", "object")
        names = [readable_name(iri) for iri in inputs.tables["entity"]]
        raw = pl.DataFrame({"entity": range(len(names)), "object": names}, schema=labelled.schema)
        texts = pl.concat([labelled, raw]).unique().sort("entity", "object")
        index = build(texts["object"].to_list(), texts["entity"].to_numpy())
        for field in fields(index):
            yield f"search_{field.name}", getattr(index, field.name)

    @cached_property
    def search_index(self) -> SearchIndex:
        """The label index, mapped when first used."""
        return SearchIndex.open(self.folder)
