"""Which classes each entity has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Flags, Ids, Offsets
from sightline.graph.snapshot.sections.section import File, Section, indptr, require_lengths

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


class Types(Section):
    """Classes of entities.

    Attributes:
        type_indptr: ``(N + 1,)`` into the two below.
        type_class: class ids, ascending within an entity.
        type_inferred: no load states it.
    """

    title = "types"

    type_indptr: Offsets
    type_class: Ids
    type_inferred: Flags

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        frame = inputs.join(inputs.types, "subject", "entity", "entity")
        frame = inputs.join(frame, "object", "class", "class")
        inferred = pl.col("load").is_in(inputs.inferred).all().alias("inferred")
        frame = frame.group_by("entity", "class").agg(inferred).sort("entity", "class")
        yield "type_indptr", indptr(frame["entity"].to_numpy(), len(inputs.tables["entity"]))
        yield "type_class", frame["class"].to_numpy()
        yield "type_inferred", frame["inferred"].to_numpy()

    def check(self) -> None:
        require_lengths(self.num_entities + 1, "type_indptr", of=self)
        require_lengths(int(self.type_indptr[-1]), "type_class", "type_inferred", of=self)

    def types_of(self, entity: int) -> Ids:
        """Class ids of an entity."""
        return self.type_class[self.type_indptr[entity] : self.type_indptr[entity + 1]]

    @cached_property
    def rarest_type(self) -> Offsets:
        """The class of each entity that fewest have, the first of several: int64 ``(N,)``; -1 for
        one without."""
        rarest = np.full(self.num_entities, -1, np.int64)
        owner = np.repeat(np.arange(self.num_entities), np.diff(self.type_indptr))
        members = np.bincount(self.type_class)[self.type_class]
        order = np.lexsort((members, owner))[::-1]
        # Of several the last that is written stays.
        rarest[owner[order]] = self.type_class[order]
        return rarest

    def members(self, *classes: int) -> Flags:
        """Which entities have a class, or one of several: bool ``(N,)``."""
        members = np.flatnonzero(np.isin(self.type_class, classes))
        owners = np.searchsorted(self.type_indptr, members, side="right") - 1
        allowed = np.zeros(self.num_entities, np.bool_)
        allowed[owners] = True
        return allowed
