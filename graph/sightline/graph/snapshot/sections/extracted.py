"""What texts state and the graph does not hold: facts that are no edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Ids
from sightline.graph.snapshot.sections.edges import origins_of
from sightline.graph.snapshot.sections.section import File, Section, require_lengths
from sightline.graph.snapshot.statement import Origin
from sightline.graph.storage.strings import StringTable
from sightline.graph.vocabulary import CONFIDENCE, METHOD, SUPPORTING_TEXT

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Extraction:
    """A fact that a text states.

    Attributes:
        confidence: share of facts among what was judged so and was not learnt from.
        sentence, method: that say it best, and how it was read.
        origin: where that sentence stands.
    """

    head: int
    relation: int
    tail: int
    confidence: float
    sentence: str
    method: str
    origin: Origin


class Extracted(Section):
    """Facts extracted from texts, by head, relation and tail; in no other array of a snapshot.

    Attributes:
        extracted_head, extracted_relation, extracted_tail: ids, ``(X,)``.
        extracted_confidence: ``(X,)``.
        extracted_load, extracted_row: where the sentence stands.
        extracted_text: the sentences; ``extracted_method`` how they were read.
    """

    title = "facts of texts"
    counted = "extracted"

    extracted_head: Ids
    extracted_relation: Ids
    extracted_tail: Ids
    extracted_confidence: Doubles
    extracted_load: Ids
    extracted_row: npt.NDArray[np.uint32]
    extracted_text: StringTable
    extracted_method: StringTable

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        if inputs.extracted is None:
            return
        frame = inputs.encode(inputs.extracted)
        stated = inputs.edges.select("head", "relation", "tail").unique()
        frame = frame.join(stated, on=("head", "relation", "tail"), how="anti")
        frame = frame.sort("head", "relation", "tail", "source", "place")
        frame = frame.unique(("head", "relation", "tail"), keep="first", maintain_order=True)
        ids = {load.id: position for position, load in enumerate(inputs.loads)}
        load = frame["source"].replace_strict(ids, return_dtype=pl.Int32)
        manifest["counts"]["extracted"] = frame.height
        for name in ("head", "relation", "tail"):
            yield f"extracted_{name}", frame[name].to_numpy()
        said = {
            key: frame["qualifiers"]
            .list.eval(pl.element().filter(pl.element().struct["key"] == key).struct["value"])
            .list.first()
            for key in (CONFIDENCE, SUPPORTING_TEXT, METHOD)
        }
        yield "extracted_confidence", said[CONFIDENCE].cast(pl.Float64).to_numpy()
        yield "extracted_load", load.to_numpy()
        yield "extracted_row", frame["place"].to_numpy()
        yield "extracted_text", said[SUPPORTING_TEXT].to_list()
        yield "extracted_method", said[METHOD].to_list()

    def check(self) -> None:
        names = ("relation", "tail", "confidence", "load", "row", "text", "method")
        length = len(self.extracted_head)
        require_lengths(length, *(f"extracted_{name}" for name in names), of=self)

    @property
    def num_extracted(self) -> int:
        """X, 0 where no text was read."""
        return int(self.manifest["counts"].get("extracted", 0))

    def number_extracted(self, entity: int) -> int:
        """How many extracted facts there are of an entity."""
        if not self.num_extracted:
            return 0
        ends = (self.extracted_head == entity) | (self.extracted_tail == entity)
        return int(np.count_nonzero(ends))

    def extractions(
        self, entity: int | None = None, relation: int | None = None
    ) -> list[Extraction]:
        """What texts state of an entity, of a relation, or at all; the surest first."""
        if not self.num_extracted:
            return []
        chosen = np.ones(self.num_extracted, np.bool_)
        if entity is not None:
            chosen = (self.extracted_head == entity) | (self.extracted_tail == entity)
        if relation is not None:
            chosen = chosen & (self.extracted_relation == relation)
        at = np.flatnonzero(chosen)
        return [
            self.extraction_at(i)
            for i in at[np.argsort(-self.extracted_confidence[at], kind="stable")].tolist()
        ]

    def surest_extractions(self, k: int) -> list[Extraction]:
        """The surest extracted fact of each relation, of at most ``k`` relations; of equals the
        first by head and tail."""
        if not self.num_extracted:
            return []
        order = np.argsort(-self.extracted_confidence, kind="stable")
        first = np.unique(self.extracted_relation[order], return_index=True)[1]
        return [self.extraction_at(i) for i in order[np.sort(first)[:k]].tolist()]

    def extraction(self, head: int, relation: int, tail: int) -> Extraction | None:
        """What a text says of one fact; None where none was read to say it."""
        found = self.extractions(head, relation)
        return next((one for one in found if (one.head, one.tail) == (head, tail)), None)

    def extraction_at(self, i: int) -> Extraction:
        """The fact at a place of the arrays."""
        (origin,) = origins_of(
            self.loads, self.extracted_load[i : i + 1], self.extracted_row[i : i + 1]
        )
        return Extraction(
            int(self.extracted_head[i]),
            int(self.extracted_relation[i]),
            int(self.extracted_tail[i]),
            float(self.extracted_confidence[i]),
            self.extracted_text[i],
            self.extracted_method[i],
            origin,
        )
