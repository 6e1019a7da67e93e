"""Merges: which entities are one, found, applied when a graph is compiled, and taken back."""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sightline.graph.errors import MissingExtra, OutOfRange
from sightline.graph.merging import linkage
from sightline.graph.merging.errors import UnknownMerge
from sightline.graph.merging.identifiers import identified
from sightline.graph.merging.linkage import MOST_SHARING, MOST_TOGETHER, compare
from sightline.graph.merging.merge import clusters, find_merges, undo
from sightline.graph.merging.records import Column, Records, _plain, records_of
from sightline.graph.rdf.index import open_store
from sightline.graph.reasoning.reason import reason
from sightline.graph.record.loads import Counts, LoadWriter, active_loads, now, retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import (
    MERGE_PROBABILITY,
    MERGES_GRAPH,
    OWL,
    RDF_TYPE,
    SAME_AS,
    SKOS,
)
from sightline.insights.ask import Sightline
from sightline.insights.kinds.merges import MergesQuestion, merges
from tests.graph.conftest import BASE, add_load, fact, label, literal, typed

E = f"{BASE}entity:"


def stated(subject: str, predicate: str, object: str, row: int = 9) -> dict[str, object]:
    full = (name if ":" in name else E + name for name in (subject, object))
    one, other = full
    return {"subject": one, "predicate": predicate, "object": other, "row": row}


def workspace_of(folder: Path, *loads: list[dict[str, object]]) -> Workspace:
    workspace = Workspace.create(folder)
    for number, rows in enumerate(loads):
        add_load(workspace, rows, name=f"source{number}")
    return workspace


TWO = (
    [
        fact(("ann", "knows", "bo"), 1),
        label("ann", "Ann"),
        literal("ann", f"{BASE}property:likes", "tea", row=2),
        literal("ann", f"{BASE}property:likes", "rice", row=2),
        typed("ann", "P"),
        fact(("bo", "in", "x"), 3),
    ],
    [
        fact(("cy", "knows", "ann2"), 4),
        label("ann2", "Ann B."),
        typed("ann2", "Q"),
        literal("ann2", f"{BASE}property:age", "7", row=6),
        stated("ann2", SKOS + "exactMatch", "ann"),
    ],
)


def arrays_of(snapshot: Snapshot) -> dict[str, bytes]:
    """Every array and text of a snapshot; what is in them of loads is said by id."""
    found = {}
    ids = [load["id"] for load in snapshot.loads]
    for path in sorted(snapshot.folder.glob("*.npy")):
        array = np.load(path)
        if path.stem.endswith("_load"):
            array = np.array([ids[i] for i in array])
        found[path.name] = array.tobytes()
    return found | {
        p.name: p.read_bytes() for p in snapshot.folder.glob("*iris*") if p.suffix != ".npy"
    }


def test_entities_that_a_source_says_are_one_become_one(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "ws", *TWO)
    found = find_merges(workspace, identifiers_only=True)
    s = compile_snapshot(workspace)
    assert (found.identified, found.compared, s.manifest["counts"]["merges"]) == (1, 0, 1)
    ann = s.resolve_entity(E + "ann2")
    assert (
        ann == s.resolve_entity("ann") == s.resolve_entity("entity:ann2") == s.resolve_entity("Ann")
    )
    # The link that only said that they are one is none; all others are of the one.
    assert sorted(zip(s.head.tolist(), s.tail.tolist())) == sorted(
        (s.resolve_entity(a), s.resolve_entity(b))
        for a, b in (("ann", "bo"), ("bo", "x"), ("cy", "ann"))
    )
    assert len(s.types_of(ann)) == 2
    (merge,) = s.merges_into(ann)
    assert (merge.iri, merge.same, merge.probability) == (E + "ann2", E + "ann", 1.0)
    assert (merge.method, merge.reasons) == ("identified", (SKOS + "exactMatch",))
    # What the sources say is told apart still.
    names = {a.value: [o.merged_from for o in a.origins] for a in s.attributes(ann)}
    assert names == {
        "tea": [()],
        "rice": [()],
        "Ann": [()],
        "Ann B.": [(E + "ann2",)],
        "7": [(E + "ann2",)],
    }
    was = {int(s.head[e]): [o.merged_from for o in s.origins(e)] for e in range(s.num_edges)}
    assert was == {ann: [()], s.resolve_entity("bo"): [()], s.resolve_entity("cy"): [(E + "ann2",)]}


def test_sparql_has_one_name_and_the_merges_in_a_graph_of_their_own(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "ws", *TWO)
    find_merges(workspace, identifiers_only=True)
    store = open_store(compile_snapshot(workspace).folder)
    ask = f"SELECT ?x WHERE {{ GRAPH ?g {{ ?x <{BASE}relation:knows> ?y }} FILTER(?y = <{E}ann>) }}"
    assert [row[0].value for row in store.query(ask)] == [E + "cy"]
    ask = f"SELECT ?x ?y WHERE {{ GRAPH <{MERGES_GRAPH}> {{ ?x <{SAME_AS}> ?y }} }}"
    assert [(x.value, y.value) for x, y in store.query(ask)] == [(E + "ann2", E + "ann")]


def test_what_is_undone_is_as_it_was_and_stays_so(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "ws", *TWO)
    before = compile_snapshot(workspace, rdf=False)
    assert not before.has_merges
    assert not list(before.folder.glob("*merged*"))
    was = arrays_of(before)
    load = find_merges(workspace, identifiers_only=True).load
    assert load is not None
    merged = compile_snapshot(workspace, rdf=False)
    assert merged.num_entities == before.num_entities - 1
    undone, one = undo(workspace, "entity:ann2")
    assert (one.subject, one.object) == (E + "ann2", E + "ann")
    after = compile_snapshot(workspace, rdf=False)
    assert after.id != merged.id
    assert arrays_of(after) == was
    # What was taken back is not found again; what is brought back is one again.
    assert find_merges(workspace, identifiers_only=True).load is None
    retract(workspace, undone.id)
    again = find_merges(workspace, identifiers_only=True)
    assert again.load is not None
    assert again.load.id == load.id
    assert compile_snapshot(workspace, rdf=False).id == merged.id
    # Without the load everything is as it was, the id of the snapshot too.
    retract(workspace, load.id)
    assert compile_snapshot(workspace, rdf=False).id == before.id
    with pytest.raises(UnknownMerge, match="sightline merges"):
        undo(workspace, "ann2")


def test_reasoning_sees_one_entity(tmp_path: Path) -> None:
    transitive = {
        "subject": f"{BASE}relation:in",
        "predicate": RDF_TYPE,
        "object": OWL + "TransitiveProperty",
        "row": 8,
    }
    rows = [
        fact(("a", "in", "b"), 1),
        fact(("b2", "in", "c"), 2),
        stated("b2", SAME_AS, "b"),
        transitive,
    ]
    workspace = workspace_of(tmp_path / "ws", rows)
    reason(workspace)
    assert compile_snapshot(workspace, rdf=False).edge_inferred.sum() == 0
    find_merges(workspace, identifiers_only=True)
    s = compile_snapshot(workspace, rdf=False)
    (edge,) = np.flatnonzero(s.edge_inferred)
    assert (s.entity_iris[s.head[edge]], s.entity_iris[s.tail[edge]]) == (E + "a", E + "c")


@pytest.mark.parametrize(
    ("rows", "merged"),
    [
        # Cross-references, and names that are one.
        (
            [
                stated("MONDO%3A0005148", f"{BASE}relation:r", "x"),
                stated("http://purl.obolibrary.org/obo/MONDO_0005148", f"{BASE}relation:r", "y"),
            ],
            1,
        ),
        (
            [
                stated("http://a.b/c", f"{BASE}relation:r", "x"),
                stated("https://a.b/c", f"{BASE}relation:r", "x"),
            ],
            1,
        ),
        (
            [
                literal("a", "http://www.geneontology.org/formats/oboInOwl#hasDbXref", "DOID:9"),
                stated("http://purl.obolibrary.org/obo/DOID_9", f"{BASE}relation:r", "y"),
            ],
            1,
        ),
        # Two of one source cannot both be a third; they can where owl:sameAs says so.
        (
            [
                stated("http://v/1", SKOS + "exactMatch", "http://w/1"),
                stated("http://v/2", SKOS + "exactMatch", "http://w/1"),
            ],
            0,
        ),
        (
            [
                stated("http://v/1", SAME_AS, "http://w/1"),
                stated("http://v/2", SAME_AS, "http://w/1"),
            ],
            2,
        ),
        # A chain that comes back to the source of its beginning ends before.
        (
            [
                stated("http://v/1", SKOS + "exactMatch", "http://w/1"),
                stated("http://w/1", SKOS + "exactMatch", "http://u/1"),
                stated("http://u/1", SKOS + "exactMatch", "http://v/2"),
            ],
            2,
        ),
        # Disjoint types, by what is above them too.
        (
            [
                stated("a", SAME_AS, "b"),
                typed("a", "Cat"),
                typed("b", "Dog"),
                stated(
                    f"{BASE}class:Cat",
                    "http://www.w3.org/2000/01/rdf-schema#subClassOf",
                    f"{BASE}class:Pet",
                ),
                stated(f"{BASE}class:Pet", OWL + "disjointWith", f"{BASE}class:Dog"),
            ],
            0,
        ),
        # Two values of what has one.
        (
            [
                stated("a", SAME_AS, "b"),
                literal("a", f"{BASE}property:born", "1900"),
                literal("b", f"{BASE}property:born", "1901"),
                stated(f"{BASE}property:born", RDF_TYPE, OWL + "FunctionalProperty"),
            ],
            0,
        ),
        (
            [
                stated("a", SAME_AS, "b"),
                literal("a", f"{BASE}property:born", "1900"),
                literal("b", f"{BASE}property:born", "1900"),
                stated(f"{BASE}property:born", RDF_TYPE, OWL + "FunctionalProperty"),
            ],
            1,
        ),
        # One value that is of one alone.
        (
            [
                literal("a", f"{BASE}property:isbn", "1"),
                literal("b", f"{BASE}property:isbn", "1"),
                stated(f"{BASE}property:isbn", RDF_TYPE, OWL + "InverseFunctionalProperty"),
            ],
            1,
        ),
    ],
)
def test_identifiers_and_what_forbids_a_merge(
    tmp_path: Path, rows: list[dict[str, object]], merged: int
) -> None:
    workspace = workspace_of(tmp_path / "ws", rows)
    found = find_merges(workspace, identifiers_only=True)
    assert found.identified == merged
    if not merged:
        assert any(note.warning for note in found.notes)


def test_there_are_no_chains(tmp_path: Path) -> None:
    weight = np.array([1, 5, 1, 1, 9, 9, 1])
    pairs = pl.DataFrame(
        {"a": [0, 1, 3, 3, 4], "b": [1, 2, 4, 5, 5]}, {"a": pl.Int32, "b": pl.Int32}
    )
    into, left = clusters(pairs, weight)
    # 0 and 1 come first, and 2 is not like 0; 3, 4 and 5 are like each other.
    assert (sorted(into.rows()), left) == ([(0, 1), (3, 4), (5, 4)], 0)
    star = pl.DataFrame(
        {"a": [0] * (MOST_TOGETHER + 1), "b": range(1, MOST_TOGETHER + 2)},
        {"a": pl.Int32, "b": pl.Int32},
    )
    into, left = clusters(star, np.ones(MOST_TOGETHER + 2, np.int64))
    assert (into.height, left) == (0, MOST_TOGETHER + 2)


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[tuple[str, str]]]:
    """A workspace of customers of whom some are there twice, and who these are."""
    folder = tmp_path_factory.mktemp("customers")
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        from duplicates import plant
    finally:
        sys.path.pop(0)
    files, truth = plant(folder, "people", 300, 3)
    loads = []
    for path in files:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        loads.append(
            [
                one
                for number, row in enumerate(rows)
                for name, value in row.items()
                if value
                for one in (
                    [typed(row["id"], "Customer")]
                    if name == "id"
                    else [literal(row["id"], f"{BASE}property:{name}", value, row=number + 2)]
                )
            ]
        )
    workspace_of(folder / "ws", *loads)
    return folder / "ws", truth


def test_duplicates_are_found_by_what_is_said_of_them(
    customers: tuple[Path, set[tuple[str, str]]],
) -> None:
    pytest.importorskip("splink")
    workspace = Workspace.open(customers[0])
    found = find_merges(workspace, types=["customer"])
    s = compile_snapshot(workspace, rdf=False)
    groups: dict[int, set[str]] = {}
    for iri, into in zip(s.merged_iri, s.merged_into.tolist()):
        groups.setdefault(into, {s.entity_iris[into]}).add(iri)
    pairs = {
        (a.removeprefix(E), b.removeprefix(E))
        for group in groups.values()
        for a in group
        for b in group
        if a < b
    }
    assert found.compared == len(s.merged_iri)
    assert len(pairs & customers[1]) >= 0.9 * len(customers[1])
    assert len(pairs - customers[1]) <= 0.01 * len(pairs)
    merge = s.merge(0)
    assert merge.method == "compared"
    assert 0.95 <= merge.probability <= 1
    assert any(reason.startswith("email: ") and "bits" in reason for reason in merge.reasons)
    assert any(note.text.startswith("Customer: ") for note in found.notes)
    # The same facts give the same load.
    assert find_merges(workspace, types=["customer"]).load == found.load


def test_copies_of_a_record_are_compared_once_and_blocks_are_capped(
    customers: tuple[Path, set[tuple[str, str]]],
) -> None:
    pytest.importorskip("splink")
    names = [f"name {i % 7}" for i in range(300)]
    columns = (Column(("c0",), "name", "name"), Column(("c1",), "code", "code"))
    same = pl.DataFrame(
        {"entity": range(300), "c0": names, "c1": ["same"] * 300},
        schema_overrides={"entity": pl.Int32},
    )
    found = compare(Records(same, columns), 0.95)
    assert found.copies.height == 300 - 2 * 7
    apart = same.with_columns(c1=pl.format("same{}", "entity"), c0=pl.lit("name"))
    assert MOST_SHARING < 300
    assert compare(Records(apart, columns), 0.95).uncompared == 300


def test_what_texts_and_codes_have_in_common_has_a_level() -> None:
    duckdb = pytest.importorskip("duckdb")

    def level(column: Column, one: dict[str, str | None], other: dict[str, str | None]) -> str:
        cases = " ".join(f"WHEN {x.condition} THEN '{x.says}'" for x in linkage._levels(column))
        sides = (
            (f"{field}{side}", values.get(field))
            for side, values in (("_l", one), ("_r", other))
            for field in column.fields
        )
        names, values = zip(*sides)
        asked = ", ".join(f"CAST(? AS VARCHAR) AS {name}" for name in names)
        sql = f"SELECT CASE {cases} ELSE 'different' END FROM (SELECT {asked})"
        return str(duckdb.connect().execute(sql, list(values)).fetchone()[0])

    def text(one: str, other: str) -> str:
        return level(Column(("t",), "title", "text", label=True), {"t": one}, {"t": other})

    assert text("a longer title of iron", "iron of title longer a") == "the same words"
    assert text("on iron and its ores", "on iron and its ores ii") == "another part or edition"
    assert text("on iron and its ores 1", "on iron and its ores 2") == "another part or edition"
    longer = "on iron and its ores a review"
    assert text("on iron and its ores", longer) == "one has all words of the other"
    assert text("on iron and its ores", "on iron and its oers") == "the same words but for a slip"
    assert text("acme 382 black lamp", "acme 38 black lamp") != "another part or edition"
    assert text("on iron ii", "the history of all roads") == "different"
    assert text("john lee mary may smith", "j lee m may smith") == "the same words but for initials"
    assert text("john lee", "j may") == "different"

    def name(one: str, other: str) -> str:
        return level(Column(("t",), "name", "name", label=True), {"t": one}, {"t": other})

    assert name("kinase somatin 2", "kinase somatin 3") == "another of a row"
    assert name("kinase somatin 2", "kinase somatn 2") == "alike"

    def codes(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> str:
        both = Column(("s", "t"), "symbol and synonym", "codes")
        return level(both, dict(zip("st", one)), dict(zip("st", other)))

    assert codes(("tp53", "p53"), ("p53", "tp53")) == "swapped"
    assert codes(("tp53", "p53"), ("p53", None)) == "one is equal"
    assert codes(("tp53", "p53"), ("tp54", None)) == "different"


def test_an_address_is_what_it_leads_to() -> None:
    written = ["10.1/Ab.5", "doi:10.1/ab.5", "https://doi.org/10.1/AB.5", "http://www.a.org/x1/"]
    plain = pl.DataFrame({"value": [*written, "a.org/x1"]}).select(_plain("code")).to_series()
    assert plain.to_list() == ["101ab5"] * 3 + ["aorgx1"] * 2
    sites = pl.DataFrame({"value": ["https://www.acme.example", "acme.example"]})
    assert sites.select(_plain("name")).to_series().n_unique() == 1


def test_parts_of_one_work_are_two_though_all_else_is_the_same() -> None:
    """Half of the papers have a second part by the same authors: the model alone takes them for
    duplicates."""
    pytest.importorskip("splink")
    draw = random.Random(0)

    def words(count: int) -> str:
        return " ".join(sorted("".join(draw.choices("aeioubdgklmnrst", k=6)) for _ in range(count)))

    rows = [(words(4), words(2), words(1)) for _ in range(100)]
    rows += [(f"{title} ii", *rest) for title, *rest in rows[:50]] + rows[50:]
    frame = pl.DataFrame(rows, ("c0", "c1", "c2"), orient="row").with_row_index("entity")
    frame = frame.with_columns(
        pl.col("entity").cast(pl.Int32),
        # A letter less in those that are there twice, so that they are no copies.
        c1=pl.when(pl.col("entity") < 150).then("c1").otherwise(pl.col("c1").str.slice(1)),
    )
    columns = (
        Column(("c0",), "title", "text", label=True),
        Column(("c1",), "authors", "name"),
        Column(("c2",), "journal", "name"),
    )
    pairs = compare(Records(frame, columns), 0.95).pairs.filter(pl.col("probability") >= 0.95)
    assert set(pairs.select("a", "b").rows()) == {(i, i + 100) for i in range(50, 100)}


def test_entities_of_which_nothing_is_said_are_compared_with_none() -> None:
    pytest.importorskip("splink")
    frame = pl.DataFrame({"entity": range(30)}, schema={"entity": pl.Int32})
    assert compare(Records(frame, ()), 0.95).pairs.is_empty()


def test_what_one_source_links_and_another_one_states_is_one_column(tmp_path: Path) -> None:
    people = [
        row for i in range(40) for row in (typed(f"p{i}", "Person"), label(f"p{i}", f"Name{i}"))
    ]
    town = f"{BASE}property:town"
    stated = [literal(f"p{i}", town, f"Town{i % 7}") for i in range(20)]
    linked = [fact((f"p{i}", "town", f"Town{i % 7}")) for i in range(20, 40)]
    workspace = workspace_of(tmp_path / "ws", [*people, *stated, *linked])
    inputs = Inputs.of(active_loads(workspace), workspace.settings, None)
    typed_ids = inputs.join(inputs.types, "subject", "entity", "entity")["entity"]
    found = records_of(inputs, typed_ids)
    (column,) = (c for c in found.columns if c.title == "town")
    assert found.frame[column.fields[0]].null_count() == 0


def test_a_share_that_few_pairs_drive_to_nothing_ends_nothing() -> None:
    pytest.importorskip("splink")
    names = [
        "luis",
        "eduardo",
        "alexandre",
        "roberto",
        "fernanda",
        "mark",
        "jennifer",
        "frank",
        "jack",
        "richard",
        "patrick",
        "julia",
        "robert",
        "francois",
        "edward",
        "martha",
        "aaron",
        "ellie",
        "joao",
    ]
    lands = ["brazil"] * 5 + ["canada"] * 2 + ["usa"] * 5 + ["canada"] * 6 + ["portugal"]
    helped = [
        ("jane peacock", "margaret park", "johnson steve")[int(i)] for i in "0120120121120002101"
    ]
    frame = pl.DataFrame(
        {"entity": range(19), "c0": names, "c1": lands, "c2": helped},
        schema_overrides={"entity": pl.Int32},
    )
    columns = tuple(Column((field,), field, "name") for field in ("c0", "c1", "c2"))
    assert compare(Records(frame, columns), 0.95).pairs["probability"].max() < 0.95


def test_a_table_of_two_columns_keeps_both(tmp_path: Path) -> None:
    workspace = workspace_of(
        tmp_path / "ws",
        [
            row
            for i in range(40)
            for row in (
                typed(f"p{i}", "Person"),
                label(f"p{i}", f"Name{i % 20}"),
                literal(f"p{i}", f"{BASE}property:town", f"Town{i % 20}"),
            )
        ],
    )
    inputs = Inputs.of(active_loads(workspace), workspace.settings, None)
    entities = inputs.ids["entity"]["entity"]
    assert len(records_of(inputs, entities).columns) == 2


def test_what_cannot_be_done_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_of(tmp_path / "ws", *TWO)
    with pytest.raises(OutOfRange, match="threshold"):
        find_merges(workspace, threshold=0.2)
    monkeypatch.setattr("sightline.graph.merging.linkage.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"sightline\[link\]"):
        find_merges(workspace)


def test_numbered_names_are_names_of_several() -> None:
    pytest.importorskip("splink")
    first, town = ["bob", "ann", "eve", "tom", "ida"], ["york", "bern", "oslo", "rome", "kiel"]
    rows = [(f"{first[i % 5]}{i // 5}", f"{5551000 + i}", town[i % 5]) for i in range(400)]
    rows += [("max copy", "5559999", "york")] * 2
    frame = pl.DataFrame(rows, ("c0", "c1", "c2"), orient="row").with_row_index("entity")
    columns = (
        Column(("c0",), "label", "name", label=True),
        Column(("c1",), "phone", "code"),
        Column(("c2",), "town", "category"),
    )
    frame = frame.with_columns(pl.col("entity").cast(pl.Int32))
    found = compare(Records(frame, columns), 0.95).pairs
    assert found.filter(pl.col("probability") >= 0.95).is_empty()


def test_what_gives_no_key_is_compared_with_none() -> None:
    pytest.importorskip("splink")
    frame = pl.DataFrame({"entity": range(9), "c0": ["york", "bern", "oslo"] * 3})
    frame = frame.with_columns(pl.col("entity").cast(pl.Int32))
    assert compare(Records(frame, (Column(("c0",), "town", "category"),)), 0.95).pairs.is_empty()


def test_of_more_than_are_merged_no_pair_is_made_that_is_not_stated(tmp_path: Path) -> None:
    rows = [stated(f"x{row}", SAME_AS, "hub", row) for row in range(1, MOST_TOGETHER + 2)]
    workspace = workspace_of(tmp_path / "ws", rows)
    _, closed, _ = identified(Inputs.of(active_loads(workspace), workspace.settings, None))
    assert closed.height == len(rows)
    found = find_merges(workspace, identifiers_only=True)
    assert found.load is None
    assert f"{len(rows) + 1:,} hang together with more than" in found.notes[-1].text


def test_of_many_names_the_least_certain_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    names = [f"{E}a{row}" for row in range(1, 4)]
    said = pl.DataFrame(
        {
            "subject": names,
            "object": [E + "ann"] * 3,
            "row": [1, 2, 3],
            "qualifiers": [
                [{"key": MERGE_PROBABILITY, "value": p, "datatype": None, "language": None}]
                for p in ("1.0", "0.9", "0.95")
            ],
        }
    ).with_columns(
        predicate=pl.lit(SAME_AS),
        graph=pl.lit(MERGES_GRAPH),
        row=pl.col("row").cast(pl.UInt32),
        datatype=pl.lit(None, pl.String),
        language=pl.lit(None, pl.String),
    )
    workspace = workspace_of(tmp_path / "ws", [fact(("ann", "knows", "bo"), 1)])
    with LoadWriter(workspace, "0" * 64, MERGES_GRAPH) as writer:
        writer.write(said)
        writer.commit(
            sha256="0" * 64,
            role="merges",
            counts=Counts(3, 3, 0, 0, 3),
            media_type="application/vnd.apache.parquet",
            started=now(),
        )
    sight = Sightline(compile_snapshot(workspace, rdf=False), None)
    answer = merges(sight, MergesQuestion(limit=2))
    assert answer.total == 3
    (one,) = answer.merges
    assert one.names == 3
    assert [was.iri for was in one.merged_from] == [names[1], names[2]]
    entity = sight.entity("ann")
    assert [was.iri for was in sight.names.merged_from(entity)] == [names[1], names[2], names[0]]


def test_copies_that_nothing_else_speaks_for_are_left_apart_and_counted(tmp_path: Path) -> None:
    rows = [
        row
        for i in range(40)
        for name in (f"p{i}",)
        for row in (
            typed(name, "Person"),
            label(name, "Ann Lee" if i < 30 else f"Bo {'abcdefghij'[i - 30] * 4}"),
            literal(name, "street", "1 Elm Street" if i < 30 else f"{i} Oak {i}"),
        )
    ]
    found = find_merges(workspace_of(tmp_path, rows))

    assert found.load is None
    assert [note.text.split(" say ")[0] for note in found.notes if note.warning] == ["28"]
