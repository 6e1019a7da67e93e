"""What a snapshot is compiled from: statements by what they become, and the ids of their terms.

Knows the columns of loads; knows no array of a snapshot and no query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from sightline.graph.record.loads import HELD_OUT, Load, Role
from sightline.graph.record.merges import Merges
from sightline.graph.record.statements import (
    EVIDENCE,
    QUALIFIERS,
    TERMS,
    scan_statements,
    statement_schema,
)
from sightline.graph.snapshot import derived
from sightline.graph.snapshot.derived import united
from sightline.graph.storage.settings import Settings
from sightline.graph.vocabulary import (
    ALTERNATIVE_LABELS,
    OWL,
    RDF,
    RDF_TYPE,
    RDFS,
    SCHEMA_CLASSES,
    SCHEMA_PREDICATES,
    SKOS,
)

#: Columns of a statement that becomes an edge.
LINK = ("subject", "predicate", "object", "load", "row")
#: No statement, with all columns that are read.
_NOTHING = pl.DataFrame(schema={**statement_schema(), "load": pl.Int32()}).drop("graph")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Statements, with the position of their load in ``loads`` as ``load``.

    Attributes:
        former: an intact snapshot with an Oxigraph index, of other loads, if there is any.
        inferred: positions of the loads of what was inferred.
        statements: how many were read.
        edges: head, relation and tail as ids, load and row of the statements that become edges.
            Members of lists and classes of ontologies are linked directly, so that some stand for
            others.
        types, schema, literals: the other statements, by what they become.
        held_out: statements that are no edges, by role.
        qualified: a row for each qualifier of a statement, with ``QUALIFIER`` beside the statement;
            None where there are none.
        merges: which entities are one; None where none are.
        extracted: what texts state, with its qualifiers, and the load and row of the sentence as
            ``source`` and ``place``; None where no text was read.
        tables: sorted IRIs of entities, relations, classes and properties; an id is a position.
        ids: the same as frames with the columns ``iri`` and, as int32, the name of the kind.
    """

    loads: list[Load]
    settings: Settings
    former: Path | None
    inferred: list[int]
    statements: int
    edges: pl.DataFrame
    types: pl.DataFrame
    schema: pl.DataFrame
    literals: pl.DataFrame
    held_out: dict[Role, pl.DataFrame]
    qualified: pl.DataFrame | None
    merges: Merges | None
    extracted: pl.DataFrame | None
    tables: dict[str, list[str]]
    ids: dict[str, pl.DataFrame]

    @classmethod
    def of(cls, loads: list[Load], settings: Settings, former: Path | None) -> Inputs:
        """Read the loads, and give every term its id."""
        merges = Merges.of(loads)
        held_out = {role: _concat(_files(loads, merges, role)) for role in HELD_OUT}
        literal = pl.col("datatype").is_not_null()
        is_schema = pl.col("predicate").is_in(SCHEMA_PREDICATES)
        ignored = pl.col("predicate").is_in(settings.ignored_relations)
        typed = pl.col("predicate") == RDF_TYPE
        describes_schema = pl.col("object").is_in(SCHEMA_CLASSES)
        kinds = {
            "linking": ~literal & ~is_schema & ~ignored,
            "types": ~literal & typed & ~describes_schema,
            "schema": ~literal & is_schema & (~typed | describes_schema),
            "literals": literal,
            "lists": pl.col("predicate").str.starts_with(RDF) & ~typed,
        }
        parts: dict[str, list[pl.DataFrame]] = {kind: [] for kind in kinds}
        total = 0
        # Texts of all statements at once would take twice the memory.
        for facts in _files(loads, merges, "facts", "inferred"):
            total += facts.height
            for kind, chosen in kinds.items():
                part = facts.filter(chosen)
                parts[kind].append(part.select(LINK) if kind == "linking" else part)
        linking = pl.concat([_NOTHING.select(LINK), *parts.pop("linking")])
        types, schema, literals, lists = (_concat(parts.pop(kind)) for kind in tuple(parts))
        contained = derived.members(lists)
        linking, literals = derived.opened(linking, literals, contained)
        # What reasoning adds to a hierarchy follows from its steps, which are edges.
        inferred = [i for i, load in enumerate(loads) if load.role == "inferred"]
        stated = schema.filter(~pl.col("load").is_in(inferred))
        texts = (*settings.label_properties, *ALTERNATIVE_LABELS)
        labelled = literals.filter(pl.col("predicate").is_in(texts))["subject"].unique()
        classes = derived.described_classes(stated, labelled)
        found = derived.class_edges(stated, classes, contained)
        linking = pl.concat([linking, *(frame.filter(~ignored).select(LINK) for frame in found)])
        # A class that nothing is an instance of is a thing itself, as those of ontologies are.
        alone = classes.filter(
            classes.is_in(labelled.implode()) & ~classes.is_in(types["object"].unique().implode())
        )
        qualified = _qualified(loads, merges)
        keys = [] if qualified is None else [qualified["key"]]
        properties = _unique(literals["predicate"], *keys)
        columns = _terms([linking, *held_out.values()], types, schema, literals, alone, properties)
        ids = {
            kind: pl.DataFrame({"iri": iris, kind: np.arange(len(iris), dtype=np.int32)})
            for kind, iris in columns.items()
        }
        tables = {kind: iris.to_list() for kind, iris in columns.items()}
        edges = _encoded(linking, ids)
        about = (loads, settings, former, inferred, total)
        frames = (edges, types, schema, literals)
        read = _extracted(loads)
        return cls(*about, *frames, held_out, qualified, merges, read, tables, ids)

    def join(self, frame: pl.DataFrame, column: str, kind: str, name: str) -> pl.DataFrame:
        """Add the int32 column ``name``: ids of ``column``. Rows without one are dropped."""
        ids = self.ids[kind].rename({"iri": column, kind: name})
        return frame.join(ids, on=column, how="inner", maintain_order="left")

    def encode(self, statements: pl.DataFrame) -> pl.DataFrame:
        """The int32 columns ``head, relation, tail`` instead of subject, predicate and object. Rows
        that lack one are dropped."""
        return _encoded(statements, self.ids)

    def before_merges(self) -> pl.DataFrame:
        """The statements that are about an entity which was merged into another, as their sources
        have them."""
        if self.merges is None:
            return _NOTHING
        gone = self.merges.into["iri"].implode()
        about = pl.col("subject").is_in(gone)
        about |= pl.col("datatype").is_null() & pl.col("object").is_in(gone)
        frames = (frame.filter(about) for frame in _files(self.loads, None, "facts", "inferred"))
        return _concat(frames)

    def inverse_relations(self) -> list[tuple[int, int]]:
        """Relations of which one is declared the inverse of the other."""
        said = self.schema.filter(pl.col("predicate") == OWL + "inverseOf")
        usual = {"subject": SKOS + "broader", "object": SKOS + "narrower"}
        said = pl.concat([said.select("subject", "object"), pl.DataFrame(usual)])
        said = self.join(self.join(said, "subject", "relation", "a"), "object", "relation", "b")
        return [(a, b) for a, b in said.select("a", "b").rows()]

    def symmetric_relations(self) -> list[int]:
        """Relations that are declared their own inverse."""
        typed = pl.col("predicate") == RDF_TYPE
        said = self.schema.filter(typed & (pl.col("object") == OWL + "SymmetricProperty"))
        return self.join(said, "subject", "relation", "a")["a"].unique().sort().to_list()


def _encoded(statements: pl.DataFrame, ids: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """See ``Inputs.encode``."""
    made = []
    for column, name, kind in (
        ("subject", "head", "entity"),
        ("predicate", "relation", "relation"),
        ("object", "tail", "entity"),
    ):
        one = statements.select(iri=column)
        found = one.join(ids[kind], on="iri", how="left", maintain_order="left")
        made.append(found[kind].alias(name))
    frame = statements.drop("subject", "predicate", "object").with_columns(made)
    return frame.drop_nulls(["head", "relation", "tail"])


def _files(loads: Sequence[Load], merges: Merges | None, *roles: Role) -> Iterator[pl.DataFrame]:
    """The statements of one file after the other."""
    for index, frame in scan_statements(loads, *roles):
        columns = (name for name in _NOTHING.columns if name != "load")
        found = united(frame.select(*columns, load=pl.lit(index, pl.Int32)).collect())
        yield found if merges is None else merges.applied(found)


def _concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([_NOTHING, *frames])


def _qualified(loads: Sequence[Load], merges: Merges | None) -> pl.DataFrame | None:
    frames = [
        frame.filter(pl.col("datatype").is_null() & (pl.col(QUALIFIERS).list.len() > 0))
        .with_columns(load=pl.lit(index, pl.Int32))
        .collect()
        for index, frame in scan_statements(loads, "facts", "inferred", qualifiers=True)
        if QUALIFIERS in frame.collect_schema()
    ]
    if not frames:
        return None
    statements = united(pl.concat(frames))
    if merges is not None:
        statements = merges.applied(statements)
    statements = statements.drop("datatype", "language", "graph")
    return united(statements.explode(QUALIFIERS).unnest(QUALIFIERS), ("key", "value"))


def _extracted(loads: Sequence[Load]) -> pl.DataFrame | None:
    frames = []
    for index, frame in scan_statements(loads, "extracted", qualifiers=True):
        evidence = pl.read_parquet(loads[index].folder / EVIDENCE)
        places = evidence.select("statement", source="load", place="row")
        found = frame.select(*TERMS[:4], QUALIFIERS, "row").collect()
        frames.append(found.join(places, left_on="row", right_on="statement"))
    return united(pl.concat(frames)) if frames else None


def _terms(
    edges: list[pl.DataFrame],
    types: pl.DataFrame,
    schema: pl.DataFrame,
    literals: pl.DataFrame,
    things: pl.Series,
    properties: pl.Series,
) -> dict[str, pl.Series]:
    """Sorted IRIs of each kind. ``things`` are entities whatever else they are."""
    relations = _unique(*(e["predicate"] for e in edges))
    subclass = schema.filter(pl.col("predicate") == RDFS + "subClassOf")
    declared = schema.filter(
        (pl.col("predicate") == RDF_TYPE) & pl.col("object").is_in([OWL + "Class", RDFS + "Class"])
    )
    classes = _unique(types["object"], subclass["subject"], subclass["object"], declared["subject"])
    # Something that only carries literals is an entity, unless it describes the schema.
    described = _unique(literals["subject"], types["subject"])
    describing = _unique(relations, properties, classes, schema["subject"])
    in_edges = _unique(*(e[c] for e in edges for c in ("subject", "object")))
    alone = described.filter(~described.is_in(describing.implode()))
    return {
        "entity": _unique(in_edges, alone, things),
        "relation": relations,
        "class": classes,
        "property": properties,
    }


def _unique(*columns: pl.Series) -> pl.Series:
    return pl.concat([c.rename("iri").unique() for c in columns]).unique().sort()
