"""What ontologies declare of relations and classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sightline.graph.arrays import Ids
from sightline.graph.snapshot.sections.section import File, Section
from sightline.graph.vocabulary import OWL, RDF_TYPE, RDFS

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.snapshot.inputs import Inputs

AxiomKind = Literal[
    "functional",
    "inverse functional",
    "irreflexive",
    "asymmetric",
    "domain",
    "range",
    "disjoint",
    "subclass",
]
#: Types of a relation, and what such a type says. Symmetric ones are in ``one_rel``.
PROPERTIES: dict[AxiomKind, str] = {
    "functional": OWL + "FunctionalProperty",
    "inverse functional": OWL + "InverseFunctionalProperty",
    "irreflexive": OWL + "IrreflexiveProperty",
    "asymmetric": OWL + "AsymmetricProperty",
}
SIGNATURE: dict[AxiomKind, str] = {"domain": RDFS + "domain", "range": RDFS + "range"}
#: What an axiom may say, by number.
AXIOMS: tuple[AxiomKind, ...] = (*PROPERTIES, *SIGNATURE, "disjoint", "subclass")


class Axioms(Section):
    """Axioms about relations and classes that have an id; stated, not inferred.

    Attributes:
        axioms: ``(n, 3)``, sorted: a position in ``AXIOMS``; a relation, or of ``disjoint`` and
            ``subclass`` a class; a class, -1 where the axiom is about a relation alone. The second
            class is the one above.
    """

    title = "axioms"

    axioms: Ids

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        import polars as pl

        stated = inputs.schema.filter(~pl.col("load").is_in(inputs.inferred))
        found = [np.zeros((0, 3), np.int32)]

        def add(axiom: AxiomKind, frame: pl.DataFrame, *kinds: str) -> None:
            """Rows with a subject, and an object where there are two kinds."""
            for column, kind in zip(("subject", "object"), kinds):
                frame = inputs.join(frame, column, kind, f"{column}_id")
            ids = frame.select(f"{c}_id" for c in ("subject", "object")[: len(kinds)]).to_numpy()
            rows = np.full((len(ids), 3), -1, np.int32)
            rows[:, 0], rows[:, 1 : 1 + len(kinds)] = AXIOMS.index(axiom), ids
            found.append(rows)

        def saying(predicate: str) -> pl.DataFrame:
            return stated.filter(pl.col("predicate") == predicate).select("subject", "object")

        types = saying(RDF_TYPE)
        for axiom, iri in PROPERTIES.items():
            add(axiom, types.filter(pl.col("object") == iri), "relation")
        for axiom, iri in SIGNATURE.items():
            add(axiom, saying(iri), "relation", "class")
        add("disjoint", saying(OWL + "disjointWith"), "class", "class")
        add("disjoint", _all_disjoint(stated), "class", "class")
        same = saying(OWL + "equivalentClass")
        add("subclass", saying(RDFS + "subClassOf"), "class", "class")
        add("subclass", same, "class", "class")
        add("subclass", same.rename({"subject": "object", "object": "subject"}), "class", "class")
        yield "axioms", np.unique(np.concatenate(found), axis=0)

    def classes_below(self, class_id: int) -> Ids:
        """A class and what lies below it in any number of steps, as is stated: int32. It is walked
        when it is asked for: the pairs of a deep taxonomy would be billions."""
        from scipy import sparse

        _, below, above = self.axioms[self.axioms[:, 0] == AXIOMS.index("subclass")].T
        if not len(below):
            return np.array([class_id], np.int32)
        size = max(int(below.max()), int(above.max()), class_id) + 1
        down = sparse.csr_array((np.ones(len(below), np.bool_), (above, below)), (size, size))
        found: Ids = sparse.csgraph.breadth_first_order(down, class_id, return_predecessors=False)
        return found

    def check(self) -> None:
        if self.axioms.shape[1:] != (3,):
            raise ValueError(f"axioms is {self.axioms.shape}, not of 3 columns")


def _all_disjoint(stated: pl.DataFrame) -> pl.DataFrame:
    """The pairs of every ``owl:AllDisjointClasses``."""
    import polars as pl

    from sightline.graph.snapshot.derived import members

    lists = stated.filter(pl.col("predicate") == OWL + "members").select(container="object")
    if lists.is_empty():
        return stated.select("subject", "object").clear()
    listed = members(stated).join(lists, on="container").select("container", "object")
    pairs = listed.rename({"object": "subject"}).join(listed, on="container")
    return pairs.filter(pl.col("subject") < pl.col("object")).select("subject", "object")
