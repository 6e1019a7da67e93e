"""IRIs and labels of everything that has an id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sightline.graph.snapshot.sections.section import File, Section, require_lengths
from sightline.graph.storage.strings import StringTable
from sightline.graph.vocabulary import INVERSE_LABEL, readable_name

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.snapshot.inputs import Inputs


class Names(Section):
    """IRIs, sorted, and labels, aligned with them and never empty."""

    title = "labels"

    entity_iris: StringTable
    entity_labels: StringTable
    relation_iris: StringTable
    relation_labels: StringTable
    class_iris: StringTable
    class_labels: StringTable
    property_iris: StringTable
    property_labels: StringTable

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        labels = _best(inputs.literals, inputs.settings.label_properties)
        said = _best(inputs.literals, (INVERSE_LABEL,)).rows()
        known = set(inputs.tables["relation"])
        manifest["inverse_labels"] = {iri: text for iri, text in said if iri in known}
        plural = {"entity": "entities", "relation": "relations", "class": "classes"}
        for kind, iris in inputs.tables.items():
            if kind in plural:
                manifest["counts"][plural[kind]] = len(iris)
            yield f"{kind}_iris", iris
            yield f"{kind}_labels", _label_column(iris, labels)

    def check(self) -> None:
        for kind in ("entity", "relation", "class", "property"):
            length = len(getattr(self, f"{kind}_iris"))
            require_lengths(length, f"{kind}_labels", of=self)
            if kind == "relation":
                require_lengths(2 * length, "one_rel", of=self)


def _best(literals: pl.DataFrame, properties: Sequence[str]) -> pl.DataFrame:
    """The best text of each subject: by property, then untagged or English, then the text."""
    import polars as pl

    order = {iri: i for i, iri in enumerate(properties)}
    language = pl.col("language").fill_null("")
    return (
        literals.filter(pl.col("predicate").is_in(list(order)) & (pl.col("object") != ""))
        .with_columns(
            priority=pl.col("predicate").replace_strict(order, return_dtype=pl.Int32),
            foreign=(language != "") & ~language.str.starts_with("en"),
        )
        .sort("subject", "priority", "foreign", "language", "object")
        .unique("subject", keep="first", maintain_order=True)
        .select("subject", "object")
    )


def _label_column(iris: list[str], labels: pl.DataFrame) -> list[str]:
    import polars as pl

    frame = pl.DataFrame({"subject": iris}, schema={"subject": pl.String})
    found = frame.join(labels, on="subject", how="left", maintain_order="left")["object"]
    return [label or readable_name(iri) for label, iri in zip(found.to_list(), iris)]
