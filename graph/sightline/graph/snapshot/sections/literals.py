"""Literals of entities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Ids, Offsets
from sightline.graph.snapshot.sections.edges import Edges, origins_of
from sightline.graph.snapshot.sections.section import File, indptr, require_lengths
from sightline.graph.snapshot.statement import Origin
from sightline.graph.storage.strings import StringTable

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.snapshot.inputs import Inputs

_COLUMNS = ("property", "datatype", "language", "load", "row")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A literal of an entity. ``property`` is an id of ``Snapshot.property_iris``."""

    property: int
    value: str
    datatype: str
    language: str | None
    origins: tuple[Origin, ...]


class Literals(Edges):
    """Literals, sorted by entity, property and value; one that several rows state is there several
    times.

    Attributes:
        attribute_indptr: ``(N + 1,)`` into all the others.
        attribute_property: an id; ``attribute_datatype`` and ``attribute_language`` are positions
            in the manifest's lists.
        attribute_value: the texts.
        attribute_load, attribute_row: the statement.
    """

    title = "literals"

    attribute_indptr: Offsets
    attribute_property: Ids
    attribute_datatype: Ids
    attribute_language: Ids
    attribute_load: Ids
    attribute_row: npt.NDArray[np.uint32]
    attribute_value: StringTable

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        frame, datatypes, languages = sorted_literals(inputs)
        manifest |= {"datatypes": datatypes.to_list(), "languages": languages.to_list()}
        yield "attribute_indptr", indptr(frame["entity"].to_numpy(), len(inputs.tables["entity"]))
        for name in _COLUMNS:
            yield f"attribute_{name}", frame[name].to_numpy()
        yield "attribute_value", frame["object"].to_list()

    def check(self) -> None:
        require_lengths(self.num_entities + 1, "attribute_indptr", of=self)
        names = (f"attribute_{name}" for name in (*_COLUMNS, "value"))
        require_lengths(int(self.attribute_indptr[-1]), *names, of=self)

    def attributes(self, entity: int) -> list[Attribute]:
        """The literals of an entity, by property and value; each once, with all its origins."""
        start, end = self.attribute_indptr[entity : entity + 2]
        columns = [getattr(self, f"attribute_{name}")[start:end] for name in _COLUMNS]
        merged: dict[tuple[int, str, str, str | None], list[Origin]] = {}
        for i, (prop, datatype, language, load, row) in enumerate(zip(*columns)):
            key = (
                int(prop),
                self.attribute_value[int(start) + i],
                self.manifest["datatypes"][datatype],
                self.manifest["languages"][language],
            )
            origins = origins_of(self.loads, [load], [row])
            origins = self.before_merges("attribute", int(start) + i, origins)
            merged.setdefault(key, []).extend(origins)
        return [Attribute(*key, origins=tuple(found)) for key, found in merged.items()]


def sorted_literals(inputs: Inputs) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """Literals of entities in the order of the arrays, with numbers for datatypes and languages;
    and what these numbers stand for."""
    import polars as pl

    literals = inputs.literals
    frame = inputs.join(literals, "subject", "entity", "entity")
    frame = inputs.join(frame, "predicate", "property", "property")
    datatypes = literals["datatype"].unique().sort()
    languages = pl.concat([pl.Series([None], dtype=pl.String), literals["language"]])
    languages = languages.unique().sort(nulls_last=False)
    number = pl.col("datatype").cast(pl.Enum(datatypes)).to_physical().cast(pl.Int32)
    language = pl.col("language").cast(pl.Enum(languages.drop_nulls())).to_physical()
    columns = ("entity", "property", "object", "datatype", "language", "load", "row")
    frame = frame.with_columns(datatype=number, language=language.cast(pl.Int32).fill_null(-1) + 1)
    return frame.select(columns).sort(columns), datatypes, languages
