"""What the graph holds of entities of one type, as a table that duplicates can be looked for in:
a row for each entity, a column for each property and each link that tells them apart.

Knows columns of statements; knows no linkage and no load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Literal

import polars as pl

from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.vocabulary import LABEL_PROPERTIES, NUMBERS, readable_name

#: A column is used that so many of the entities have.
LEAST_COVERAGE = 0.2
#: A column follows from another where it is equal in such a share of the records that are two
#: things and share the other's value, of at least so many.
FOLLOWS, LEAST_SHARING = 0.5, 20
#: Columns are one where they say the same of so many entities.
SAME = 0.9
#: Values of a link, beside more of which it tells little.
MOST_VALUES = 1.5
#: Columns of short names hold each other's values in so many rows where some are swapped.
SWAPPED = 0.03
#: Columns that are compared, those that tell most entities apart.
MOST_COLUMNS = 12
#: Before the name of a site or the number of a paper, as it is written or not.
ADDRESS = r"^(?:https?://)?(?:www\.)?(?:(?:dx\.)?doi\.org/)?(?:doi:\s*)?"
DATE = r"^[12]\d{3}-\d{1,2}-\d{1,2}$"

#: ``names``, ``codes``: two columns of such, some of which are swapped.
Kind = Literal["name", "names", "text", "code", "codes", "date", "number", "category"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of entities.

    Attributes:
        fields: names of it in the frame; two of ``names`` and ``codes``.
        title: what people call it.
        label: whether it says what the entity is called.
    """

    fields: tuple[str, ...]
    title: str
    kind: Kind
    label: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """Entities of one type.

    Attributes:
        frame: ``entity``, an id, ascending, and a column of texts for each field: numbers as such.
    """

    frame: pl.DataFrame
    columns: tuple[Column, ...]


def records_of(inputs: Inputs, entities: pl.Series) -> Records:
    """The table of some entities, by id."""
    frame = pl.DataFrame({"entity": entities.cast(pl.Int32).unique().sort()})
    found: list[tuple[str, Kind]] = []
    for title, values in (*_properties(inputs, frame), *_links(inputs, frame)):
        name = f"c{len(found)}"
        kind = _kind(values["value"], values["numeric"].all())
        column = values.select("entity", _plain(kind).alias(name))
        frame = frame.join(column, on="entity", how="left", maintain_order="left")
        if (title, kind) in found:  # what one source states as a text another one links
            first = f"c{found.index((title, kind))}"
            frame = frame.with_columns(pl.coalesce(first, name).alias(first)).drop(name)
        else:
            found.append((title, kind))
    return Records(frame, _chosen(frame, found))


def _properties(inputs: Inputs, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Literals by property: the first value of each entity, of no language or English ones."""
    said = inputs.join(inputs.literals, "subject", "entity", "entity")
    said = said.join(frame, on="entity", how="semi")
    foreign = pl.col("language").fill_null("en").str.starts_with("en").not_()
    said = said.select(
        *("entity", "predicate"),
        foreign.alias("foreign"),
        value=pl.col("object").str.strip_chars(),
        numeric=pl.col("datatype").is_in(NUMBERS),
    )
    said = said.filter(pl.col("value") != "").sort("predicate", "entity", "foreign", "value")
    once = said.unique(("predicate", "entity"), keep="first", maintain_order=True)
    yield from _covering(once, frame.height)


def _links(inputs: Inputs, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Links to others, by the label of the other, where an entity has about one."""
    edges = inputs.edges.select("head", "relation", "tail").unique()
    edges = edges.join(frame.select(head="entity"), on="head", how="semi")
    counts = edges.group_by("relation").agg(pl.len(), entities=pl.col("head").n_unique())
    few = counts.filter(pl.col("len") <= MOST_VALUES * pl.col("entities"))
    edges = edges.join(few, on="relation", how="semi")
    order = {iri: place for place, iri in enumerate(LABEL_PROPERTIES)}
    labels = inputs.literals.filter(pl.col("predicate").is_in(list(order)))
    labels = labels.with_columns(
        place=pl.col("predicate").replace_strict(order, return_dtype=pl.Int32)
    )
    labels = labels.sort("place", "object").unique("subject", keep="first", maintain_order=True)
    iris = inputs.ids["entity"].join(
        edges.select(entity="tail").unique(), on="entity", how="semi", maintain_order="left"
    )
    named = iris.join(
        labels.select(iri="subject", label="object"), on="iri", how="left", maintain_order="left"
    )
    readable = pl.col("iri").map_elements(readable_name, pl.String)
    named = named.select(tail="entity", value=pl.coalesce("label", readable))
    said = edges.join(named, on="tail").join(
        inputs.ids["relation"].rename({"iri": "predicate"}), on="relation"
    )
    said = said.select(
        entity="head", predicate="predicate", value="value", numeric=pl.lit(False)
    ).sort("predicate", "entity", "value")
    once = said.unique(("predicate", "entity"), keep="first", maintain_order=True)
    yield from _covering(once, frame.height)


def _covering(said: pl.DataFrame, size: int) -> Iterator[tuple[str, pl.DataFrame]]:
    for (predicate,), part in said.partition_by(
        "predicate", as_dict=True, maintain_order=True
    ).items():
        if part.height >= LEAST_COVERAGE * size and part["value"].n_unique() > 1:
            yield readable_name(str(predicate)), part


def _kind(values: pl.Series, numeric: bool) -> Kind:
    """What values are, by most of them."""
    v = pl.col("v")
    shares = values.to_frame("v").select(
        date=v.str.contains(DATE).mean(),
        words=v.str.count_matches(r"\S+").mean(),
        digits=(v.str.contains(r"\d") & ~v.str.contains(r"\S\s+\S+\s+\S")).mean(),
        mail=v.str.contains("@", literal=True).mean(),
        distinct=v.n_unique() / pl.len(),
    )
    is_date, words, digits, mail, distinct = shares.row(0)
    if is_date >= 0.8:
        return "date"
    if numeric:
        return "number"
    if max(digits, mail) >= 0.5:
        return "code"
    if words >= 4:
        return "text"
    return "category" if distinct < 0.05 else "name"


def _plain(kind: Kind) -> pl.Expr:
    """Values without what is written in two ways."""
    v = pl.col("value")
    if kind == "number":
        return v.cast(pl.Float64, strict=False)
    if kind == "date":
        return v
    v = v.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    v = v.str.replace(ADDRESS, "")
    if kind == "code":
        v = v.str.replace_all(r"[^\p{L}\p{N}@]", "")
    else:
        v = v.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    if kind in ("name", "text"):  # names are written in either order
        v = v.str.split(" ").list.unique().list.sort().list.join(" ")
    return pl.when(v != "").then(v)


def _chosen(frame: pl.DataFrame, found: Sequence[tuple[str, Kind]]) -> tuple[Column, ...]:
    """The columns that are compared: none that another one says already, and no numbering."""
    of = {f"c{i}": title_and_kind for i, title_and_kind in enumerate(found)}
    distinct = {name: frame[name].drop_nulls().n_unique() for name in of}
    names = [
        name
        for name in sorted(of, key=lambda n: -distinct[n])
        if of[name][1] not in ("code", "number") or distinct[name] < frame[name].drop_nulls().len()
    ]
    kept: list[str] = []
    for name in names:
        others = [other for other in names if other != name]
        said = any(_same(frame, name, other) for other in kept) or _spelt_out(frame, name, others)
        if not said and len(kept) < MOST_COLUMNS:
            kept.append(name)
    columns: list[Column] = []
    used: set[str] = set()
    both: dict[Kind, Kind] = {"name": "names", "code": "codes"}
    for one, other in combinations([n for n in kept if of[n][1] in both], 2):
        (title, kind), (second, like) = of[one], of[other]
        if kind == like and not used & {one, other} and _swapped(frame, one, other):
            used |= {one, other}
            columns.append(Column((one, other), f"{title} and {second}", both[kind]))
    rest = [n for n in kept if n not in used and not _inside(frame, n, kept, of)]
    labels = {readable_name(iri) for iri in LABEL_PROPERTIES}
    columns += [
        Column((n,), *of[n], label=of[n][0] in labels)
        for n in _independent(frame, {n: of[n][1] for n in rest})
    ]
    return tuple(columns)


def _independent(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> list[str]:
    """Columns without those that follow from another one, as a city does from a street: that two
    records agree on both says no more than that they agree on one."""
    sharing = {n: _sharing(frame, n) for n in kinds}
    telling = sorted(kinds, key=lambda n: (sharing[n].height < LEAST_SHARING, sharing[n].height))
    kept: list[str] = []
    for name in kinds:
        for other in kept:
            rest = [n for n in telling if n not in (name, other)][:3]
            if len(rest) < 2:  # nothing tells which pairs are about two things
                continue
            pairs = sharing[other]
            a, b = (frame[pairs[side]] for side in ("a", "b"))
            close = pl.DataFrame([_close(a[n], b[n], kinds[n]).alias(n) for n in rest])
            # What differs wherever records differ most is about two things.
            apart = ~close.select(pl.any_horizontal(pl.all().fill_null(False))).to_series()
            apart &= close.select(pl.sum_horizontal(pl.all().is_not_null()) >= 2).to_series()
            equal = (a[name] == b[name]).filter(apart).drop_nulls()
            enough = equal.len() >= max(LEAST_SHARING, pairs.height / 3)
            if enough and equal.sum() >= FOLLOWS * equal.len():
                break
        else:
            kept.append(name)
    return kept


def _close(a: pl.Series, b: pl.Series, kind: Kind) -> pl.Series:
    """Where values are alike, roughly; null where one is not known."""
    if kind == "number":
        return (a - b).abs() <= 0.1 * pl.select(pl.max_horizontal(a.abs(), b.abs())).to_series()
    if kind == "text":
        both = pl.DataFrame({"a": a.str.split(" "), "b": b.str.split(" ")})
        shared = pl.col("a").list.set_intersection("b").list.len()
        least = pl.min_horizontal(pl.col("a", "b").list.len())
        return both.select(2 * shared >= least).to_series()
    return a.str.slice(0, 3) == b.str.slice(0, 3)


def _sharing(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of neighbours among records that share a value: ``a``, ``b``."""
    rows = frame.select(name).with_row_index("a").drop_nulls().sort(name, "a")
    rows = rows.with_columns(b=pl.col("a").shift(-1), same=pl.col(name).shift(-1) == pl.col(name))
    return rows.filter("same").select("a", "b")


def _same(frame: pl.DataFrame, one: str, other: str) -> bool:
    """Whether columns hold the same values nearly everywhere."""
    a, b = pl.col(one).cast(pl.String), pl.col(other).cast(pl.String)
    equal = frame.select((a == b).mean()).item()
    return equal is not None and equal >= SAME


def _spelt_out(frame: pl.DataFrame, name: str, others: Sequence[str]) -> bool:
    """Whether the words of a column are those of several others together, as a full name's are."""
    texts = [n for n in others if frame[n].dtype == pl.String]
    rows = frame.filter(pl.col(name).cast(pl.String).str.contains(" ", literal=True))
    if len(texts) < 2 or rows.height < SAME * frame[name].drop_nulls().len():
        return False
    words = [pl.col(n).fill_null("").str.split(" ") for n in texts]
    own = pl.col(name).str.split(" ")
    left = own.list.set_difference(reduce(lambda x, y: x.list.concat(y), words))
    return bool(rows.select((left.list.len() == 0).mean()).item() >= SAME)


def _inside(
    frame: pl.DataFrame, name: str, others: Sequence[str], of: Mapping[str, tuple[str, Kind]]
) -> bool:
    """Whether a text has the words of a column in it, as that of a product has its brand."""
    if of[name][1] not in ("name", "category"):
        return False
    words = pl.col(name).str.split(" ")
    for other in others:
        if of[other][1] == "text":
            left = words.list.set_difference(pl.col(other).str.split(" ")).list.len()
            if (frame.select((left == 0).mean()).item() or 0) >= FOLLOWS:
                return True
    return False


def _swapped(frame: pl.DataFrame, one: str, other: str) -> bool:
    """Whether columns hold each other's values now and then."""
    a, b = frame[one].drop_nulls(), frame[other].drop_nulls()
    shares = (x.is_in(y.unique().implode()).cast(pl.Float64).mean() for x, y in ((a, b), (b, a)))
    return all(isinstance(share, float) and share >= SWAPPED for share in shares)
