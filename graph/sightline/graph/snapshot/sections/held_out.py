"""What a benchmark keeps aside: facts with ids that are no edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Ids
from sightline.graph.snapshot.sections.section import File, Section

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


class HeldOut(Section):
    """A file for each role of which there are facts, opened when it is asked for."""

    title = "held-out facts"

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        for role, statements in inputs.held_out.items():
            if not statements.is_empty():
                manifest["counts"][role] = statements.height
                triples = inputs.encode(statements).select("head", "relation", "tail").unique()
                yield f"held_out_{role}", triples.sort("head", "relation", "tail").to_numpy()

    def held_out(self, role: str) -> Ids:
        """Triples of a benchmark's other files (``valid``, ``test``, ``..._negatives``).

        Returns:
            int32 ``(n, 3)``; empty where the workspace has none.
        """
        path = self.folder / f"held_out_{role}.npy"
        return np.load(path, mmap_mode="r") if path.exists() else np.zeros((0, 3), np.int32)
