"""What statements say between the things that people ask about: members of lists, classes.

RDF says "the authors are A and B" with a cell for each, and OWL says "every leaf vein is part of a
leaf" with a class that has no name. Here both become edges between A, B and the classes. They are
made when a snapshot is compiled; the record and its exports keep what the source said.

Knows columns of statements; knows no id. A frame of statements has the columns subject, predicate,
object, datatype, language, load, row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sightline.graph.vocabulary import (
    GENID,
    OWL,
    RDF,
    RDF_NIL,
    RDF_TYPE,
    RDFS,
    SCHEMA,
    SCHEMA_HTTP,
)

SUBCLASS, EQUIVALENT = RDFS + "subClassOf", OWL + "equivalentClass"
CLASSES = (OWL + "Class", RDFS + "Class")
FIRST, REST = RDF + "first", RDF + "rest"
MEMBERSHIP = rf"^{RDF}_[0-9]+$"
#: Lists in lists are opened so deep.
DEEPEST = 8


def united(
    statements: pl.DataFrame, columns: Sequence[str] = ("subject", "predicate", "object")
) -> pl.DataFrame:
    """The statements with one name for each term of schema.org, that with ``https``.

    Args:
        columns: that hold terms; the last one holds literals too, where ``datatype`` is not null.
    """
    for column in columns:
        old = statements[column].str.starts_with(SCHEMA_HTTP)
        if column == columns[-1]:
            old &= statements["datatype"].is_null()
        if old.any():
            new = statements[column].str.replace(SCHEMA_HTTP, SCHEMA, literal=True)
            statements = statements.with_columns(new.zip_with(old, statements[column]))
    return statements


def members(facts: pl.DataFrame) -> pl.DataFrame:
    """The members of every ``rdf:List``, and of every Seq, Bag and Alt without a name.

    Args:
        facts: all statements with a predicate of RDF; others do not matter.

    Returns:
        ``container`` and the columns object, datatype, language, load, row.
    """
    predicates = facts["predicate"].unique()
    numbered = predicates.filter(predicates.str.contains(MEMBERSHIP))
    said = facts.filter(pl.col("predicate").is_in([FIRST, *numbered]))
    first = pl.col("predicate") == FIRST
    kept = said.filter(first | pl.col("subject").str.starts_with(GENID))
    rest = facts.filter((pl.col("predicate") == REST) & (pl.col("object") != RDF_NIL))
    iris = pl.concat([kept["subject"], rest["subject"], rest["object"].rename("subject")])
    iris = iris.unique().sort()
    place = pl.DataFrame({"iri": iris, "at": np.arange(len(iris))})
    cells, followers = (
        rest.select(iri=name).join(place, on="iri", maintain_order="left")["at"].to_numpy()
        for name in ("subject", "object")
    )
    head = np.arange(len(iris))
    head[followers] = cells
    for _ in range(len(iris).bit_length()):  # each round doubles the distance that is seen
        head = head[head]
    at = kept.select(iri="subject").join(place, on="iri", maintain_order="left")["at"].to_numpy()
    return kept.select(
        iris.gather(pl.Series(head[at])).alias("container"),
        *("object", "datatype", "language", "load", "row"),
    )


def opened(
    edges: pl.DataFrame, literals: pl.DataFrame, contained: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Edges to lists become edges, or literals, to what is in them; an empty list is none.

    Args:
        edges: without datatype and language.
    """
    edges = edges.filter(pl.col("object") != RDF_NIL)
    if contained.is_empty():
        return edges, literals
    cell = pl.col("subject").str.starts_with(GENID)
    structure = cell & pl.col("predicate").str.contains(rf"^{RDF}(first$|_[0-9]+$)")
    edges, literals = edges.filter(~structure), literals.filter(~structure)
    containers = contained["container"].unique().implode()
    for _ in range(DEEPEST):
        to_list = pl.col("object").is_in(containers)
        found = edges.filter(to_list).select("subject", "predicate", container="object")
        if found.is_empty():
            break
        found = found.join(contained, on="container", maintain_order="left_right")
        plain = pl.col("datatype").is_null() & (pl.col("object") != RDF_NIL)
        edges = pl.concat([edges.filter(~to_list), found.filter(plain).select(edges.columns)])
        more = found.filter(pl.col("datatype").is_not_null()).select(literals.columns)
        literals = pl.concat([literals, more])
    return edges, literals


def described_classes(schema: pl.DataFrame, labelled: pl.Series) -> pl.Series:
    """Classes with a name that are declared to be some, or have a label.

    Args:
        labelled: IRIs of what has a label.
    """
    declared = schema.filter((pl.col("predicate") == RDF_TYPE) & pl.col("object").is_in(CLASSES))
    ordered = schema.filter(pl.col("predicate") == SUBCLASS)
    ends = pl.concat([ordered["subject"], ordered["object"].rename("subject")])
    ends = ends.filter(ends.is_in(labelled.implode()))
    found = pl.concat([declared["subject"], ends]).unique()
    return found.filter(~found.str.starts_with(GENID) & ~found.str.starts_with(OWL))


def class_edges(
    schema: pl.DataFrame, classes: pl.Series, contained: pl.DataFrame
) -> Sequence[pl.DataFrame]:
    """What the definitions of classes say of other classes.

    A superclass or an equivalent class that is described is one edge. A restriction
    (``part_of some Leaf``, ``in value Rome``) is an edge of its property, whether it is a
    superclass itself or a part of an intersection.
    """
    known = classes.implode()
    above = schema.filter(
        pl.col("predicate").is_in([SUBCLASS, EQUIVALENT]) & pl.col("subject").is_in(known)
    )
    if above.is_empty():
        return [above]
    lists = schema.filter(pl.col("predicate") == OWL + "intersectionOf")
    lists = lists.select(node="subject", container="object")
    parts = lists.join(contained.select("container", part="object"), on="container")
    inner = above.join(parts, left_on="object", right_on="node", maintain_order="left")
    inner = inner.with_columns(object=pl.col("part"), predicate=pl.lit(SUBCLASS))
    above = pl.concat([above, inner.select(above.columns)])
    properties = schema.filter(pl.col("predicate") == OWL + "onProperty")
    properties = properties.select(node="subject", property="object")
    some = pl.col("predicate") == OWL + "someValuesFrom"
    value = pl.col("predicate") == OWL + "hasValue"
    fillers = schema.filter((some & pl.col("object").is_in(known)) | value)
    fillers = fillers.select(node="subject", filler="object")
    restricted = properties.join(fillers, on="node")
    restricted = restricted.filter(~pl.col("property").str.starts_with(GENID))
    found = above.join(restricted, left_on="object", right_on="node", maintain_order="left")
    found = found.with_columns(predicate="property", object="filler").select(above.columns)
    return [above.filter(pl.col("object").is_in(known)), found]
