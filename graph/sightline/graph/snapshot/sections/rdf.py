"""The Oxigraph index, where one is wanted. What reads it is in ``sightline.graph.rdf``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.graph.snapshot.sections.section import Section

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


class Rdf(Section):
    """A folder that Oxigraph writes and reads."""

    title = "RDF index"
    share = 60
    wanted = "rdf"

    @classmethod
    def write(cls, inputs: Inputs, folder: Path, manifest: dict[str, Any]) -> None:
        from sightline.graph.rdf.index import write_rdf_index

        write_rdf_index(folder, inputs.loads, inputs.former)
