"""Duplicates of a workspace, found and written as a load of merges.

Identifiers come first: what sources state to be the same, and names that mean the same. Then
records of one type are compared. A pair is merged where it reaches the threshold and no rule
forbids it, and entities are only merged together where each pair of them does: there are no chains.
The load is listed, explained and taken out like any other, and compiling applies it.

Knows loads; how identifiers and records are compared is in ``identifiers``, ``records`` and
``linkage``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from sightline.graph.arrays import Offsets
from sightline.graph.errors import require_range
from sightline.graph.merging.errors import UnknownMerge
from sightline.graph.merging.identifiers import identified, rules_of
from sightline.graph.merging.linkage import MOST_TOGETHER, PAIRS, compare, require_splink
from sightline.graph.merging.records import records_of
from sightline.graph.progress import Progress, silent
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import (
    Counts,
    Load,
    LoadWriter,
    Note,
    active_loads,
    digest_of,
    load_id,
    now,
    take_out,
)
from sightline.graph.record.merges import Merges
from sightline.graph.record.retractions import take_back
from sightline.graph.record.statements import TERMS
from sightline.graph.snapshot.errors import UnknownClass
from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.snapshot.statement import Statement
from sightline.graph.storage.artifact import is_intact
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import (
    MERGE_METHOD,
    MERGE_PROBABILITY,
    MERGE_REASON,
    MERGES_GRAPH,
    SAME_AS,
    XSD,
    XSD_STRING,
    expand,
    mint,
    readable_name,
)

#: What is done, in the id of a load: another number finds anew.
VERSION = "merges 3"
#: Chance from which two are merged, unless the caller says otherwise.
THRESHOLD = 0.95
#: Entities of a type from which duplicates among them are looked for.
LEAST_OF_TYPE = 20
COMPARED, IDENTIFIED = "compared", "identified"


@dataclass(frozen=True, slots=True)
class Found:
    """What was merged.

    Attributes:
        load: None where nothing was found.
        identified, compared: entities that were merged into another, by how.
        notes: what was compared, left out and capped, in sentences.
    """

    load: Load | None
    identified: int
    compared: int
    notes: tuple[Note, ...]


def find_merges(
    workspace: Workspace,
    *,
    threshold: float = THRESHOLD,
    types: Sequence[str] = (),
    identifiers_only: bool = False,
    progress: Progress = silent,
) -> Found:
    """Write which entities of the active facts are one, in place of what was merged before.

    What was found in the same facts in the same way is not looked for again. What was taken back
    stays apart.

    Args:
        types: only these classes, by IRI, CURIE, raw id or label, as if they were one; none: each
            class by itself.

    Raises:
        OutOfRange, NothingLoaded, NotWritable, DiskFull, WorkspaceLocked
        UnknownClass: with those that there are.
        MissingExtra: splink is not installed, and is needed.
    """
    require_range("threshold", threshold, 0.5, 1)
    if not identifiers_only:
        require_splink()
    with workspace.lock():
        loads = active_loads(workspace)
        inputs = [load for load in loads if load.role in ("facts", "retractions")]
        if not any(load.role == "facts" for load in inputs):
            raise NothingLoaded(workspace.path)
        how = json.dumps([VERSION, threshold, sorted(types), identifiers_only])
        digest = digest_of(inputs, ("facts", "retractions"))
        name = load_id(digest, how, workspace.settings.base, "merges")
        if is_intact(workspace.loads_folder / name):
            workspace.set_retracted(name, False)
            load: Load | None = Load.read(workspace.loads_folder / name)
        else:
            load, notes = _write(
                workspace, name, digest, how, inputs, threshold, types, identifiers_only, progress
            )
        take_out(workspace, loads, "merges", name)
        if load is None:
            return Found(None, 0, 0, tuple(notes))
        merges = Merges.of([load, *inputs])
        method = () if merges is None else merges.said["method"].value_counts().iter_rows()
        counts = dict(method)
        return Found(load, counts.get(IDENTIFIED, 0), counts.get(COMPARED, 0), load.notes)


def _write(
    workspace: Workspace,
    name: str,
    digest: str,
    how: str,
    loads: list[Load],
    threshold: float,
    types: Sequence[str],
    identifiers_only: bool,
    progress: Progress,
) -> tuple[Load | None, list[Note]]:
    started = now()
    for load in loads:
        load.verify()
    progress("merge", 0, None, "reading loads")
    inputs = Inputs.of(loads, workspace.settings, None)
    notes: list[Note] = []
    links, closed, ambiguous = identified(inputs)
    if ambiguous:
        text = f"{ambiguous:,} identifiers join several of one source to one thing; none was merged"
        notes.append(Note(text, True))
    groups = {} if identifiers_only else _groups(inputs, types)
    pairs, copies = _compared(inputs, groups, threshold, notes, progress)
    into, sure, alike = _chosen(inputs, loads, closed, pairs, copies, threshold, notes)
    said = _statements(inputs, into, sure, links, alike)
    progress("merge", 1, 1, "done")
    if said.is_empty():
        return None, notes
    count = said.height
    with LoadWriter(workspace, name, MERGES_GRAPH) as writer:
        writer.write(said)
        load = writer.commit(
            sha256=digest,
            role="merges",
            counts=Counts(count, count, 0, 0, count),
            media_type="application/vnd.apache.parquet",
            started=started,
            mapping=how,
            derived_from=[load.id for load in loads],
            notes=notes,
        )
    return load, notes


def _compared(
    inputs: Inputs,
    groups: Mapping[str, pl.Series],
    threshold: float,
    notes: list[Note],
    progress: Progress,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs of all groups, the surest first, and copies of records; ``notes`` gets what was
    compared by what."""
    scored = [pl.DataFrame(schema=PAIRS)]
    copies = [pl.DataFrame(schema={"entity": pl.Int32, "of": pl.Int32})]
    for done, (title, entities) in enumerate(groups.items()):
        progress("merge", done, len(groups), title)
        found = compare(records_of(inputs, entities), threshold)
        scored.append(found.pairs)
        copies.append(found.copies)
        said = f"{title}: {len(entities):,}"
        if found.titles:
            notes.append(Note(f"{said} compared by {', '.join(found.titles)}"))
        elif len(entities) > 1:
            notes.append(Note(f"{said} were not compared, as no field tells some from others"))
        if found.uncompared:
            text = (
                f"{title}: {found.uncompared:,} were not compared, as too many others share each "
                "of their keys"
            )
            notes.append(Note(text, True))
    pairs = pl.concat(scored).sort("probability", descending=True, maintain_order=True)
    return (
        pairs.unique(("a", "b"), keep="first", maintain_order=True),
        pl.concat(copies).unique("entity", keep="first", maintain_order=True),
    )


def _chosen(
    inputs: Inputs,
    loads: Sequence[Load],
    closed: pl.DataFrame,
    pairs: pl.DataFrame,
    copies: pl.DataFrame,
    threshold: float,
    notes: list[Note],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What goes into what, as rules allow: ``entity`` and ``into``, the pairs and the copies that
    speak for it; ``notes`` gets what is left apart.

    Args:
        closed: pairs that identifiers make one; ``pairs``: that were compared.
    """
    rules = rules_of(inputs, closed, _apart(inputs, loads))
    pairs, against = rules.split(pairs)
    closed, against_closed = rules.split(closed)
    alike, _ = rules.split(copies.select(a="of", b="entity"))
    apart = against.filter(pl.col("probability") >= threshold).height + against_closed.height
    if apart:
        text = f"{apart:,} pairs were left apart, as a rule forbids to merge them"
        notes.append(Note(text, True))
    sure = pairs.filter(pl.col("probability") >= threshold)
    allowed = pl.concat([closed, sure.select("a", "b")]).unique(maintain_order=True)
    into, left = clusters(allowed, _weight(inputs))
    if left:
        text = f"{left:,} hang together with more than {MOST_TOGETHER} others; left apart"
        notes.append(Note(text, True))
    goes = pl.concat([into["entity"], into["into"]]).unique().implode()
    if alone := alike.filter(~pl.col("a").is_in(goes)).height:
        text = (
            f"{alone:,} say the same as two others and are left apart, as nothing but copies is "
            "there twice, which would tell how sure it is that two are one"
        )
        notes.append(Note(text, True))
    return into, sure, alike


def _groups(inputs: Inputs, types: Sequence[str]) -> dict[str, pl.Series]:
    """Entities that are compared with each other, by what their type is called."""
    typed = inputs.join(inputs.types, "subject", "entity", "entity")
    typed = typed.select("entity", "object").unique()
    if types:
        wanted = [_class(inputs, name) for name in types]
        members = typed.filter(pl.col("object").is_in(wanted))["entity"].unique().sort()
        return {" and ".join(map(readable_name, wanted)): members}
    parts = typed.sort("object", "entity").partition_by("object", as_dict=True)
    found: dict[str, pl.Series] = {}
    seen: set[int] = set()
    for (iri,), part in parts.items():
        number = int(part["entity"].hash().sum())
        if part.height >= LEAST_OF_TYPE and number not in seen:  # a class of the same is no other
            seen.add(number)
            found[readable_name(str(iri))] = part["entity"]
    return found


def _class(inputs: Inputs, name: str) -> str:
    classes = inputs.tables["class"]
    settings = inputs.settings
    for iri in (name, expand(name, settings.prefixes), mint(settings.base, "class", name)):
        if iri in classes:
            return str(iri)
    same = [iri for iri in classes if readable_name(iri).lower() == name.lower()]
    if len(same) != 1:
        raise UnknownClass(name, [readable_name(iri) for iri in classes])
    return same[0]


def _apart(inputs: Inputs, loads: Sequence[Load]) -> pl.DataFrame:
    """Pairs that are not one, as somebody took a merge of them back."""
    frames = [
        pl.read_parquet(path, columns=list(TERMS[:3]))
        for load in loads
        if load.role == "retractions"
        for path in load.statements
    ]
    nothing = pl.DataFrame(schema=dict.fromkeys(TERMS[:3], pl.String))
    said = pl.concat([nothing, *frames]).filter(pl.col("predicate") == SAME_AS)
    found = inputs.join(inputs.join(said, "subject", "entity", "a"), "object", "entity", "b")
    return found.select("a", "b").unique()


def _weight(inputs: Inputs) -> Offsets:
    """How many statements are about each entity: int64 ``(N,)``."""
    literals = inputs.join(inputs.literals.select("subject"), "subject", "entity", "entity")
    about = pl.concat([literals["entity"], inputs.edges["head"].rename("entity")])
    return np.bincount(about.to_numpy(), minlength=len(inputs.tables["entity"]))


def clusters(allowed: pl.DataFrame, weight: Offsets) -> tuple[pl.DataFrame, int]:
    """Entities that are merged together, each pair of which is allowed; the surest first.

    Args:
        allowed: ``a`` and ``b``, surest first.
        weight: of two of a cluster the one with the greater stands for it, the first of equals.

    Returns:
        ``entity`` and ``into``; and how many are left as too many hang together.
    """
    schema = {"entity": pl.Int32, "into": pl.Int32}
    if allowed.is_empty():
        return pl.DataFrame(schema=schema), 0
    a, b = allowed["a"].to_numpy(), allowed["b"].to_numpy()
    graph = sparse.coo_array((np.ones(len(a)), (a, b)), (len(weight), len(weight)))
    _, part = sparse.csgraph.connected_components(graph, directed=False)
    size = np.bincount(part)
    ids = np.unique(np.concatenate([a, b]))
    # Two are one as they are; of more it is looked whether each pair may be.
    group = part.astype(np.int64)
    many = np.flatnonzero((size[part[a]] > 2) & (size[part[a]] <= MOST_TOGETHER))
    many = many[np.argsort(part[a[many]], kind="stable")]
    fresh = len(size)
    for edges in np.split(many, np.flatnonzero(np.diff(part[a[many]])) + 1):
        members, flat = np.unique(np.concatenate([a[edges], b[edges]]), return_inverse=True)
        ends = flat.reshape(2, -1)
        may = np.eye(len(members), dtype=np.bool_)
        may[ends[0], ends[1]] = may[ends[1], ends[0]] = True
        cluster = np.arange(len(members))
        for one, other in ends.T:
            mine, yours = cluster == cluster[one], cluster == cluster[other]
            if cluster[one] != cluster[other] and may[np.ix_(mine, yours)].all():
                cluster[yours] = cluster[one]
        group[members] = fresh + cluster
        fresh += len(members)
    too_many = size[part[ids]] > MOST_TOGETHER
    kept = ids[~too_many]
    rank = kept[np.lexsort((kept, -weight[kept], group[kept]))]
    first = np.flatnonzero(np.diff(group[rank], prepend=-1))
    into = np.repeat(rank[first], np.diff(np.append(first, len(rank))))
    other = into != rank
    found = pl.DataFrame({"entity": rank[other], "into": into[other]}, schema)
    return found, int(too_many.sum())


def _statements(
    inputs: Inputs,
    into: pl.DataFrame,
    sure: pl.DataFrame,
    links: pl.DataFrame,
    alike: pl.DataFrame,
) -> pl.DataFrame:
    """The statements that say what is one, with what speaks for each.

    Args:
        into: ``entity`` and ``into``.
        sure: pairs that were compared; ``links``: that identifiers make one.
        alike: copies ``b`` of records ``a`` that say the same.
    """
    ends = pl.min_horizontal("entity", "into"), pl.max_horizontal("entity", "into")
    said = into.with_columns(a=ends[0], b=ends[1])
    said = said.join(links, on=("a", "b"), how="left", maintain_order="left")
    said = said.join(sure, on=("a", "b"), how="left", maintain_order="left")
    compared = pl.col("probability").is_not_null() & pl.col("how").is_null()
    because = pl.coalesce(pl.col("how").replace("", None), pl.lit("identifiers, over others"))
    said = said.select(
        *("entity", "into"),
        probability=pl.when(compared).then("probability").otherwise(1.0),
        method=pl.when(compared).then(pl.lit(COMPARED)).otherwise(pl.lit(IDENTIFIED)),
        reasons=pl.when(compared).then("reasons").otherwise(pl.concat_list(because)),
    )
    # A copy goes where the record goes that it is a copy of, or to it.
    goes = said.select(pl.col("entity").alias("a"), "into", "probability")
    copies = alike.join(goes, on="a", how="left", maintain_order="left")
    stands = pl.concat([said["entity"], said["into"]]).unique().implode()
    copies = copies.filter(pl.col("a").is_in(stands)).select(
        entity="b",
        into=pl.coalesce("into", "a"),
        probability=pl.col("probability").fill_null(1.0),
        method=pl.lit(COMPARED),
        reasons=pl.concat_list(pl.lit("says the same as others that were merged")),
    )
    said = pl.concat([said, copies.join(said, on="entity", how="anti")]).sort("into", "entity")
    for column in ("entity", "into"):
        iris = inputs.ids["entity"].rename({"iri": f"{column}_iri", "entity": column})
        said = said.join(iris, on=column, maintain_order="left")
    parts = [
        _qualifier(MERGE_PROBABILITY, pl.col("probability").cast(pl.String), XSD + "double"),
        _qualifier(MERGE_METHOD, pl.col("method"), XSD_STRING),
    ]
    reasons = pl.col("reasons").list.eval(_qualifier(MERGE_REASON, pl.element(), XSD_STRING))
    nothing = pl.lit(None, pl.String)
    return said.with_row_index("row", 1).select(
        *(nothing.alias("datatype"), nothing.alias("language"), "row"),
        subject="entity_iri",
        predicate=pl.lit(SAME_AS),
        object="into_iri",
        graph=pl.lit(MERGES_GRAPH),
        qualifiers=pl.concat_list(pl.concat_list(parts), reasons),
    )


def _qualifier(key: str, value: pl.Expr, datatype: str) -> pl.Expr:
    return pl.struct(
        key=pl.lit(key),
        value=value,
        datatype=pl.lit(datatype),
        language=pl.lit(None, pl.String),
    )


def undo(workspace: Workspace, ref: str) -> tuple[Load, Statement]:
    """Take one merge back: the entity that is gone is itself again with the next compile, and
    ``find_merges`` leaves it so.

    Args:
        ref: the IRI, CURIE or raw id of the entity that is gone.

    Raises:
        UnknownMerge, NotWritable, DiskFull, WorkspaceLocked
    """
    settings = workspace.settings
    merges = Merges.of(active_loads(workspace))
    names = (ref, expand(ref, settings.prefixes), mint(settings.base, "entity", ref))
    said = pl.DataFrame() if merges is None else merges.said.filter(pl.col("iri").is_in(names))
    if said.is_empty():
        raise UnknownMerge(ref)
    statements = [Statement(iri, SAME_AS, same) for iri, same in said.select("iri", "same").rows()]
    load = take_back(workspace, statements, f"merge of {statements[0].subject}")
    return load, statements[0]
