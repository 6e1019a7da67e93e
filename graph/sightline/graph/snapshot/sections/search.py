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
    """Every label, other name and raw name of an entity; opened when it is asked for."""

    title = "search index"
    share = 6

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        labels = [*inputs.settings.label_properties, RDFS_LABEL]
        of = pl.col("predicate")
        stated = inputs.literals.filter(of.is_in([*labels, *ALTERNATIVE_LABELS]))
        stated = stated.with_columns(label=of.is_in(labels))
        named = inputs.join(stated, "subject", "entity", "entity")
        named = named.select("entity", "object", "label")
        names = [readable_name(iri) for iri in inputs.tables["entity"]]
        columns = {"entity": named.schema["entity"], "object": named.schema["object"]}
        raw = pl.DataFrame({"entity": range(len(names)), "object": names}, schema=columns)
        nameless = ~pl.col("entity").is_in(named.filter("label")["entity"].unique().implode())
        raw = raw.with_columns(label=nameless)
        texts = pl.concat([named, raw]).group_by("entity", "object").agg(pl.col("label").any())
        texts = texts.sort("entity", "object")
        entity, label = (texts[name].to_numpy() for name in ("entity", "label"))
        index = build(texts["object"].to_list(), entity, label)
        for field in fields(index):
            yield f"search_{field.name}", getattr(index, field.name)

    @cached_property
    def search_index(self) -> SearchIndex:
        """The label index, mapped when first used."""
        return SearchIndex.open(self.folder)
