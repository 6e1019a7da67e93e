"""Entities that identifiers say are one, and what forbids that two are.

Knows columns of statements; compares no records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import polars as pl

from sightline.graph.merging.linkage import MOST_TOGETHER, parts_of
from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.vocabulary import (
    IDENTITY,
    OBO_IN_OWL,
    OWL,
    RDF_TYPE,
    RDFS,
    SAME_AS,
    contract,
    expand,
    mint,
)

XREF = OBO_IN_OWL + "hasDbXref"
EQUAL_NAMES = "equal identifiers"
_LINKS = pl.Schema({"a": pl.Int32(), "b": pl.Int32(), "how": pl.String()})


@dataclass(frozen=True, slots=True)
class Rules:
    """What forbids that two entities are one.

    Attributes:
        apart: pairs that somebody took apart.
        kinds: ``entity`` and ``kind``, its classes and those above; of classes that are disjoint.
        disjoint: pairs of such classes.
        values: ``entity``, ``property`` and ``value`` of properties that have one value.
    """

    apart: pl.DataFrame
    kinds: pl.DataFrame
    disjoint: pl.DataFrame
    values: pl.DataFrame

    def split(self, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Pairs of the columns ``a``, ``b`` and others: those that may be one, and the others."""
        two = pairs.select("a", "b")
        bad = [self.apart, self.apart.select(a="b", b="a")]
        if not self.disjoint.is_empty():
            kinds = two.join(self.kinds, left_on="a", right_on="entity")
            kinds = kinds.join(self.kinds, left_on="b", right_on="entity", suffix="_b")
            found = kinds.join(self.disjoint, left_on=("kind", "kind_b"), right_on=("one", "other"))
            bad.append(found.select("a", "b"))
        if not self.values.is_empty():
            both = two.join(self.values, left_on="a", right_on="entity")
            both = both.join(
                self.values, left_on=("b", "property"), right_on=("entity", "property"), suffix="_b"
            )
            equal = (pl.col("value") == pl.col("value_b")).any()
            conflicting = (
                both.group_by("a", "b", "property").agg(equal=equal).filter(~pl.col("equal"))
            )
            bad.append(conflicting.select("a", "b"))
        forbidden = pl.concat(bad).unique()
        return (
            pairs.join(forbidden, on=("a", "b"), how="anti", maintain_order="left"),
            pairs.join(forbidden, on=("a", "b"), how="semi", maintain_order="left"),
        )


def identified(inputs: Inputs) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Pairs of entities that identifiers make one.

    Two of one source that a third is said to be the same as cannot both be it: such links are left
    out, unless they are ``owl:sameAs``.

    Returns:
        ``a``, ``b`` and ``how``, ``a < b``, as the data says it; all pairs that follow of these;
        and how many links were left out.
    """
    links = pl.concat([_stated(inputs), _xrefs(inputs), _equal_names(inputs), _by_key(inputs)])
    ends = pl.min_horizontal("a", "b"), pl.max_horizontal("a", "b")
    links = links.filter(pl.col("a") != pl.col("b")).with_columns(a=ends[0], b=ends[1])
    links = links.unique(("a", "b"), keep="first", maintain_order=True)
    if links.is_empty():
        return links, links.select("a", "b"), 0
    homes = _homes(inputs)
    for side in ("a", "b"):
        homes_of = homes.rename({"entity": side, "home": f"home_{side}"})
        links = links.join(homes_of, on=side, how="left", maintain_order="left")
    turned = links.rename({"a": "b", "b": "a", "home_a": "home_b", "home_b": "home_a"})
    both = pl.concat([links, turned.select(links.columns)])
    # Of one source several, for one thing of another.
    loose = both.filter((pl.col("how") != SAME_AS) & (pl.col("home_a") != pl.col("home_b")))
    shared = loose.filter(pl.len().over("a", "home_b") > 1)
    shared = shared.select(a=ends[0], b=ends[1]).unique()
    kept = links.join(shared, on=("a", "b"), how="anti", maintain_order="left")
    return kept.select(_LINKS.names()), _closed(kept, homes), shared.height


def _closed(links: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """All pairs that hang together by links, but for two of one source that only a third joins; of
    more than are merged the links alone, as their pairs are without number."""
    parts = parts_of(links).join(homes, on="entity", how="left")
    crowded = pl.len().over("part") > MOST_TOGETHER
    crowd = links.join(parts.filter(crowded), left_on="a", right_on="entity", how="semi")
    parts = parts.filter(~crowded)
    same = parts_of(links.filter(pl.col("how") == SAME_AS)).rename({"part": "same"})
    parts = parts.join(same, on="entity", how="left")
    pairs = parts.join(parts, on="part").filter(pl.col("entity") < pl.col("entity_right"))
    pairs = pairs.rename({"entity": "a", "entity_right": "b"})
    direct = pairs.select("a", "b").join(links, on=("a", "b"), how="left", maintain_order="left")
    allowed = direct["how"].is_not_null()
    allowed |= (pairs["home"] != pairs["home_right"]).fill_null(True)
    allowed |= (pairs["same"] == pairs["same_right"]).fill_null(False)
    pairs = pairs.filter(allowed).select("a", "b")
    return pl.concat([pairs, crowd.select("a", "b")]).sort("a", "b")


def _stated(inputs: Inputs) -> pl.DataFrame:
    """What sources state to be the same."""
    edges = inputs.edges.select(a="head", relation="relation", b="tail").unique(maintain_order=True)
    named = edges.join(inputs.ids["relation"].rename({"iri": "how"}), on="relation")
    found = named.filter(pl.col("how").is_in(IDENTITY)).sort("how", "a", "b")
    return found.select(_LINKS.names())


def _xrefs(inputs: Inputs) -> pl.DataFrame:
    """Cross-references that name an entity of the graph."""
    said = inputs.literals.filter(pl.col("predicate") == XREF).select("subject", "object").unique()
    prefixes = inputs.settings.prefixes
    iris = [expand(text, prefixes) or text for text in said["object"]]
    said = said.with_columns(pl.Series("object", iris, pl.String))
    found = inputs.join(inputs.join(said, "subject", "entity", "a"), "object", "entity", "b")
    edges = inputs.edges.join(
        inputs.ids["relation"].filter(pl.col("iri") == XREF), on="relation"
    ).select(a="head", b="tail")
    both = pl.concat([found.select("a", "b"), edges]).unique().sort("a", "b")
    return both.with_columns(how=pl.lit(XREF))


def _equal_names(inputs: Inputs) -> pl.DataFrame:
    """Entities whose IRIs are one as CURIEs: a raw id ``MONDO:0005148`` and the IRI it stands for,
    an IRI with ``http`` and with ``https``."""
    settings, ids = inputs.settings, inputs.ids["entity"]
    start = mint(settings.base, "entity", "")
    raw = ids.filter(pl.col("iri").str.starts_with(start) & pl.col("iri").str.contains("%3A|_"))
    meant = [_meant(unquote(iri[len(start) :]), settings.prefixes) for iri in raw["iri"]]
    raw = raw.with_columns(pl.Series("iri", meant, pl.String)).drop_nulls()
    secure = ids.filter(pl.col("iri").str.starts_with("http:")).with_columns(
        pl.col("iri").str.replace("http:", "https:", literal=True)
    )
    found = pl.concat([raw, secure]).rename({"entity": "a"}).join(ids, on="iri")
    return found.select("a", b="entity", how=pl.lit(EQUAL_NAMES)).sort("a", "b")


def _meant(local: str, prefixes: Mapping[str, str]) -> str | None:
    iri = expand(local, prefixes) or expand(local.replace("_", ":", 1), prefixes)
    return iri if iri is not None and contract(iri, prefixes) != iri else None


def _by_key(inputs: Inputs) -> pl.DataFrame:
    """Entities that share a value of which an ontology says that it belongs to one."""
    values = _values(inputs, OWL + "InverseFunctionalProperty")
    first = pl.col("entity").first().over("property", "value")
    found = values.sort("property", "value", "entity").with_columns(a=first)
    found = found.filter(pl.col("a") != pl.col("entity"))
    return found.select("a", b="entity", how="property")


def _values(inputs: Inputs, kind: str) -> pl.DataFrame:
    """What properties that are declared so say: ``entity``, ``property`` and ``value``."""
    declared = inputs.schema.filter((pl.col("predicate") == RDF_TYPE) & (pl.col("object") == kind))
    iris = declared["subject"].unique()
    texts = inputs.literals.filter(pl.col("predicate").is_in(iris.implode()))
    texts = inputs.join(texts, "subject", "entity", "entity")
    links = inputs.edges.join(
        inputs.ids["relation"].filter(pl.col("iri").is_in(iris.implode())), on="relation"
    )
    texts = texts.select("entity", property="predicate", value="object")
    return pl.concat(
        [texts, links.select(entity="head", property="iri", value=pl.col("tail").cast(pl.String))]
    ).unique(maintain_order=True)


def rules_of(inputs: Inputs, closed: pl.DataFrame, apart: pl.DataFrame) -> Rules:
    """What forbids that two entities are one.

    Args:
        closed: pairs that identifiers make one: as values, they are.
        apart: pairs that somebody took apart.
    """
    schema = inputs.schema
    said = schema.filter(pl.col("predicate") == OWL + "disjointWith").select(
        one="subject", other="object"
    )
    disjoint = pl.concat([said, said.select(one="other", other="one")]).unique()
    kinds = inputs.join(inputs.types, "subject", "entity", "entity")
    kinds = kinds.select("entity", kind="object").unique()
    above = schema.filter(pl.col("predicate") == RDFS + "subClassOf")
    above = above.select(kind="subject", up="object").unique()
    new = kinds if not disjoint.is_empty() else kinds.clear()
    while not new.is_empty():
        new = new.join(above, on="kind").select("entity", kind="up").unique()
        new = new.join(kinds, on=("entity", "kind"), how="anti")
        kinds = pl.concat([kinds, new])
    kinds = kinds.filter(pl.col("kind").is_in(disjoint["one"].implode()))
    values = _values(inputs, OWL + "FunctionalProperty")
    smallest = closed.group_by("b").agg(pl.col("a").min())
    names = smallest.select(value=pl.col("b").cast(pl.String), same=pl.col("a").cast(pl.String))
    values = values.join(names, on="value", how="left", maintain_order="left")
    values = values.select("entity", "property", value=pl.coalesce("same", "value"))
    return Rules(apart, kinds, disjoint, values)


def _homes(inputs: Inputs) -> pl.DataFrame:
    """Where each entity comes from, ``entity`` and ``home``: the table that is the first to tell of
    it; in RDF, where one file tells of many sources, the namespace of its IRI."""
    texts = inputs.join(
        pl.concat([x.select("subject", "load", "row") for x in (inputs.literals, inputs.types)]),
        *("subject", "entity", "entity"),
    )
    told = pl.concat(
        [
            texts.select("entity", "load", "row"),
            inputs.edges.select("load", "row", entity="head").select("entity", "load", "row"),
        ]
    )
    first = told.sort("entity", "load", "row").unique("entity", keep="first", maintain_order=True)
    homes = inputs.ids["entity"].join(first, on="entity", how="left", maintain_order="left")
    table = np.full(homes.height, -1)
    for at, load in enumerate(inputs.loads):
        starts = [t.first_row for t in load.tables if t.kind != "statement"]
        mine = (homes["load"] == at).fill_null(False).to_numpy()
        rows = homes["row"].fill_null(0).to_numpy()[mine]
        table[mine] = np.searchsorted(starts, rows, side="right") - 1 if starts else -1
    spaces = pl.col("iri").str.replace(r"[^/#:_]*$", "")
    return homes.with_columns(pl.Series("table", table)).select(
        "entity",
        home=pl.when(pl.col("table") < 0)
        .then(spaces)
        .otherwise(pl.format("{} {}", "load", "table")),
    )
