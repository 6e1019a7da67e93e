"""The parts of a snapshot, in the order in which they are written.

To add one, write its class in a module here and add it to ``SECTIONS``, and to the bases of
``Snapshot`` where it has methods. Serving imports these modules too: what only compiling needs is
imported inside ``build``.
"""

from __future__ import annotations

from sightline.graph.snapshot.sections.axioms import Axioms
from sightline.graph.snapshot.sections.copies import Copies
from sightline.graph.snapshot.sections.edges import Edges
from sightline.graph.snapshot.sections.extracted import Extracted
from sightline.graph.snapshot.sections.held_out import HeldOut
from sightline.graph.snapshot.sections.literals import Literals
from sightline.graph.snapshot.sections.merges import Merged
from sightline.graph.snapshot.sections.names import Names
from sightline.graph.snapshot.sections.qualifiers import Qualifiers
from sightline.graph.snapshot.sections.rdf import Rdf
from sightline.graph.snapshot.sections.rules import MinedRules
from sightline.graph.snapshot.sections.search import Search
from sightline.graph.snapshot.sections.section import Section
from sightline.graph.snapshot.sections.types import Types

SECTIONS: tuple[type[Section], ...] = (
    *(Edges, Qualifiers, Types, Axioms, HeldOut),
    *(Extracted, Names, Literals, Merged, Search, Copies, MinedRules, Rdf),
)
