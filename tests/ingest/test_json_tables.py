"""JSON as people have it: which tables are in a document, and how they refer to one another."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sightline.ingest.errors import MappingError
from sightline.ingest.formats.json_document import JSON
from sightline.ingest.formats.json_lines import JSON_LINES
from sightline.ingest.formats.objects import _Cells
from sightline.ingest.formats.parquet import ARROW, PARQUET
from sightline.ingest.formats.paths import path_of, steps_of
from sightline.ingest.source import Selection, Source
from tests.ingest.conftest import facts, remarks, triples

Tables = dict[str, list[dict[str, Any]]]


def tables(tmp_path: Path, document: Any, path: str | None = None, *columns: str) -> Tables:
    """The records of each table; a list of documents is JSON Lines if it is a tuple."""
    form, name = (JSON_LINES, "d.jsonl") if isinstance(document, tuple) else (JSON, "d.json")
    text = "\n".join(map(json.dumps, document)) if form is JSON_LINES else json.dumps(document)
    (tmp_path / name).write_text(text)
    found: Tables = {}
    for table in form.tables(Source(tmp_path / name, form), Selection(path, columns)):
        frames = pl.concat([batch.frame for batch in table.batches], how="diagonal_relaxed")
        rows = frames.rows(named=True)
        found[table.name] = [{k: v for k, v in row.items() if v is not None} for row in rows]
    return found


def notes(tmp_path: Path, document: Any) -> list[str]:
    (tmp_path / "d.json").write_text(json.dumps(document))
    return [
        note.text
        for table in JSON.tables(Source(tmp_path / "d.json", JSON), Selection())
        for note in table.notes
    ]


LINE = {"product": "p1", "count": 2}
ORDER = {"id": "o1", "customer": {"id": "c1", "name": "Ann"}, "lines": [LINE, {"product": "p2"}]}
SECOND = {"id": "o2", "customer": {"id": "c1", "name": "Ann"}, "lines": [LINE]}
SHOP: Tables = {
    "orders": [{"id": "o1", "customer.id": "c1"}, {"id": "o2", "customer.id": "c1"}],
    "orders.customer": [{"id": "c1", "name": "Ann"}, {"id": "c1", "name": "Ann"}],
    "orders.lines": [
        {"product": "p1", "count": "2", "orders.id": "o1"},
        {"product": "p2", "orders.id": "o1"},
        {"product": "p1", "count": "2", "orders.id": "o2"},
    ],
}


@pytest.mark.parametrize("write", ["write_parquet", "write_ipc"])
def test_structures_of_columns_are_the_tables_that_they_are_as_json(
    write: str, tmp_path: Path
) -> None:
    form = {"write_parquet": PARQUET, "write_ipc": ARROW}[write]
    orders = [ORDER, {"id": "o3", "customer": None, "lines": None}, SECOND]
    getattr(pl.DataFrame(orders, strict=False), write)(tmp_path / "orders")
    found = {}
    for table in form.tables(Source(tmp_path / "orders", form), Selection()):
        frame = pl.concat([batch.frame for batch in table.batches], how="diagonal_relaxed")
        rows = ({k: v for k, v in row.items() if v is not None} for row in frame.to_dicts())
        found[table.name] = list(filter(None, rows))
    assert found == {
        "orders": [SHOP["orders"][0], {"id": "o3"}, SHOP["orders"][1]],
        "customer": SHOP["orders.customer"],
        "lines": SHOP["orders.lines"],
    }


def test_a_structure_without_fields_says_nothing(tmp_path: Path) -> None:
    nothing = pl.Series([{}, {}], dtype=pl.Struct([]))
    pl.DataFrame({"none": nothing, "id": ["a", "b"]}).write_ipc(tmp_path / "a")
    (table,) = ARROW.tables(Source(tmp_path / "a", ARROW), Selection())
    assert next(iter(table.batches)).frame.to_dicts() == [{"id": "a"}, {"id": "b"}]


def test_arrays_of_objects_are_tables_that_keep_their_pairing(tmp_path: Path) -> None:
    assert tables(tmp_path, {"orders": [ORDER, SECOND]}) == SHOP


def test_lines_hold_the_same_tables(tmp_path: Path) -> None:
    renamed = (
        json.dumps(SHOP).replace("orders.id", "d.id").replace("orders.", "").replace("orders", "d")
    )
    assert tables(tmp_path, (ORDER, SECOND)) == json.loads(renamed)


def test_equal_records_of_two_parents_are_two(load: Callable) -> None:
    text = """
mappings:
  lines:
    sources: [["d.json~jsonpath", "$.orders[*].lines[*]"]]
    s: entity:$(orders.id)-$(product)
    po: [[property:count, $(count)], [property:customer, $(orders.customer.name)]]
"""
    (result,) = load({"d.json": json.dumps({"orders": [ORDER, SECOND]})}, text)
    assert result.load.counts.duplicate == 0
    assert triples(result.load) == [
        ("entity:o1-p1", "property:count", "2"),
        ("entity:o2-p1", "property:count", "2"),
        *((f"entity:{x}", "property:customer", "Ann") for x in ("o1-p1", "o1-p2", "o2-p1")),
    ]


def test_records_without_an_id_are_referred_to_by_their_number(tmp_path: Path) -> None:
    document = [{"a": 1, "of": [{"x": 1}]}, {"a": 1, "of": [{"x": 2}, {"x": 3}]}]
    both = {
        "d": [{"a": "1", "row": "1"}, {"a": "1", "row": "2"}],
        "d.of": [
            {"x": "1", "d.row": "1"},
            {"x": "2", "d.row": "2"},
            {"x": "3", "d.row": "2"},
        ],
    }
    assert tables(tmp_path, document) == both
    assert tables(tmp_path, document, "$[*].of[*]", "d.row", "x") == {"d.of": both["d.of"]}
    lines = tables(tmp_path, tuple(document))
    assert lines["of"] == both["d.of"]


def test_several_arrays_are_several_tables_and_what_is_beside_them_is_said(tmp_path: Path) -> None:
    document = {"v": 1, "a": [{"id": 1}], "in": {"b": [{"id": 2}], "w": [3]}, "none": []}
    assert tables(tmp_path, document) == {"a": [{"id": "1"}], "b": [{"id": "2"}]}
    assert notes(tmp_path, document) == ["left out, beside its tables: $.v, $.in.w, $.none"]


@pytest.mark.parametrize(
    ("document", "records"),
    [
        ({"Q1": {"name": "a"}, "Q2": {"name": "b"}}, [("Q1", "a"), ("Q2", "b")]),
        (
            {"items": {f"Q{i}": {"name": "a"} for i in (1, 2, 3)}},
            [(f"Q{i}", "a") for i in (1, 2, 3)],
        ),
        ({"Q1": {"id": "Q1", "name": "a"}, "Q2": {"name": "b"}}, [("Q1", "a"), ("Q2", "b")]),
    ],
)
def test_dictionaries_of_records_are_records(tmp_path: Path, document: Any, records: list) -> None:
    (found,) = tables(tmp_path, document).values()
    assert [(row["id"], row["name"]) for row in found] == records
    assert any("the keys of $" in note for note in notes(tmp_path, document))


def test_a_key_beside_an_id_of_another_kind_stays(tmp_path: Path) -> None:
    document = {"a": {"id": 1}, "b": {"id": 2}}
    assert tables(tmp_path, document)["d"] == [{"key": "a", "id": "1"}, {"key": "b", "id": "2"}]
    assert tables(tmp_path, document, "$[*]", "id") == tables(tmp_path, document)


def test_objects_that_differ_are_one_record(tmp_path: Path) -> None:
    document = {"id": 7, "at": {"x": 1}, "by": {"name": "n"}}
    assert tables(tmp_path, document) == {"d": [{"id": "7", "at.x": "1", "by.name": "n"}]}
    assert notes(tmp_path, document) == ["the document is one record"]


def test_open_keys_are_left_out_and_hit_no_limit(tmp_path: Path) -> None:
    record = {"id": 1, "index": {f"w{i}": [i] for i in range(3000)}, "n": {"a": 1}}
    assert tables(tmp_path, [record]) == {"d": [{"id": "1", "n.a": "1"}]}
    assert notes(tmp_path, [record]) == [
        "$[*].index is left out: its 3000 keys are data and no fields"
    ]
    few = tuple({"id": i, "index": {f"w{i}{j}": 1 for j in range(5)}} for i in range(10))
    assert tables(tmp_path, few) == {"d": [{"id": str(i)} for i in range(10)]}
    same = tuple({"id": i, "n": {f"w{j}": 1 for j in range(40)}} for i in range(3))
    assert len(tables(tmp_path, same)["d"][0]) == 41, "many fields that all have are fields"
    (mapped,) = tables(tmp_path, (record,), None, "id", "index.w7").values()
    assert mapped == [{"id": "1", "index.w7": ["7"]}]


def test_open_keys_with_objects_are_a_table(tmp_path: Path) -> None:
    record = {"id": 1, "by": {f"u{i}": {"stars": i} for i in range(250)}}
    found = tables(tmp_path, [record])
    assert found["d"] == [{"id": "1"}]
    assert found["d.by"][7] == {"id": "u7", "stars": "7", "d.id": "1"}


def test_an_object_that_only_has_an_id_is_a_value(tmp_path: Path) -> None:
    assert tables(tmp_path, [{"id": 1, "licence": {"id": "MIT"}}]) == {
        "d": [{"id": "1", "licence.id": "MIT"}]
    }


@pytest.mark.parametrize(
    ("rows", "records"),
    [
        ([["id", "x"], ["a", 1], ["b", 2]], [{"id": "a", "x": "1"}, {"id": "b", "x": "2"}]),
        (
            [["a", 1], ["b", 2]],
            [{"column_1": "a", "column_2": "1"}, {"column_1": "b", "column_2": "2"}],
        ),
    ],
)
def test_an_array_of_rows_is_a_table_and_that_is_said(
    tmp_path: Path, rows: list, records: list
) -> None:
    assert tables(tmp_path, rows) == {"d": records}
    assert "its rows are arrays; their columns are taken to be" in notes(tmp_path, rows)[0]


@pytest.mark.parametrize(
    ("document", "index"),
    [
        ({"name": {"0": "Ann", "1": "Bob"}, "of": {"0": "x", "1": None}}, []),
        ({"columns": ["name", "of"], "index": [0, 1], "data": [["Ann", "x"], ["Bob", None]]}, []),
        ({"columns": ["name", "of"], "data": [["Ann", "x"], ["Bob", None]]}, []),
        ({"columns": ["name", "of"], "rows": [["Ann", "x"], ["Bob", None]]}, []),
        (
            {"columns": ["name", "of"], "index": ["k", "l"], "data": [["Ann", "x"], ["Bob", None]]},
            ["k", "l"],
        ),
        (
            {
                "schema": {"fields": [{"name": "name"}], "pandas_version": "1.4.0"},
                "data": [{"index": 0, "name": "Ann", "of": "x"}, {"index": 1, "name": "Bob"}],
            },
            [],
        ),
    ],
)
def test_tables_by_columns_and_by_rows_beside_their_names_are_records(
    tmp_path: Path, document: Any, index: list[str]
) -> None:
    records = [{"name": "Ann", "of": "x"}, {"name": "Bob"}]
    wanted = [{"index": name, **one} for name, one in zip(index, records)] or records
    assert tables(tmp_path, document) == {"d": wanted}
    assert notes(tmp_path, document)[0].startswith("it is a table by its columns: ")


def test_lists_of_one_length_are_columns_and_others_are_values(tmp_path: Path) -> None:
    lists = {"name": ["Ann", "Bob", "Cid"], "age": [1, 2, 3]}
    assert tables(tmp_path, lists)["d"][2] == {"name": "Cid", "age": "3"}
    for other in (
        {"name": ["Ann", "Bob", "Cid"], "age": [1, 2]},
        {"a": ["x", "y"], "b": ["z", "u"]},
    ):
        assert len(tables(tmp_path, other)["d"]) == 1
    people = {"0": {"name": "Ann", "of": 1}, "1": {"name": "Bob", "of": 2}}
    assert tables(tmp_path, people)["d"][0] == {"id": "0", "name": "Ann", "of": "1"}


def test_keys_that_say_only_that_there_are_records_name_no_table(load: Callable) -> None:
    refunds = {"has_more": False, "data": [{"id": "re_1", "amount": 2}]}
    charges = {"data": [{"id": "ch_1", "customer": "c2", "refunds": refunds}]}
    customers = {"data": [{"id": "c1", "name": "Ann"}, {"id": "c2", "name": "Bob"}]}
    files = {"charges.json": json.dumps(charges), "customers.json": json.dumps(customers)}
    results = load(files)
    found = [one for result in results for one in facts(result.load)]
    assert ("entity:charge/ch_1", "relation:customer", "entity:customer/c2") in found
    assert ("entity:charges_refund/re_1", "relation:charge", "entity:charge/ch_1") in found


def test_labels_of_a_record_are_things_of_its_kind(load: Callable) -> None:
    issues = [{"id": "i1", "labels": [{"id": "1", "name": "bug"}, {"id": "2", "name": "docs"}]}]
    (result,) = load({"issues.json": json.dumps(issues)})
    assert ("entity:issues_label/1", "rdf:type", "class:Label") in triples(result.load)
    assert ("entity:issues_label/1", "relation:issue", "entity:issue/i1") in facts(result.load)


def test_an_object_of_an_id_and_a_type_stands_for_the_record_that_has_both(load: Callable) -> None:
    author = {"author": {"data": {"id": "9", "type": "people"}}}
    articles = [{"type": "articles", "id": "1", "title": "A", "relationships": author}]
    people = [{"type": "people", "id": i, "name": f"N{i}"} for i in ("9", "10")]
    (result,) = load({"a.json": json.dumps({"data": articles, "included": people})})
    to = "relation:relationships_author_data"
    assert ("entity:a/1", to, "entity:included/9") in facts(result.load)
    for one in people:
        one["type"] = "robots"
    (result,) = load({"b.json": json.dumps({"data": articles, "included": people})})
    assert ("entity:b/1", to, "entity:included/9") not in facts(result.load)


def test_ends_of_edges_that_have_keys_are_nodes(load: Callable) -> None:
    nodes = [{"key": f"n{i}", "attributes": {"label": f"N{i}"}} for i in range(3)]
    edges = [{"key": f"e{i}", "source": f"n{i}", "target": "n2"} for i in range(2)]
    (result,) = load({"net.json": json.dumps({"nodes": nodes, "edges": edges})})
    assert ("entity:edge/e1", "relation:source", "entity:n1") in facts(result.load)
    assert ("entity:edge/e1", "relation:target", "entity:n2") in facts(result.load)
    objects = [
        {"type": "malware", "id": "malware--1", "name": "Evil"},
        {"type": "uses", "id": "uses--3", "source_ref": "bear--2", "target_ref": "malware--1"},
        {"type": "bear", "id": "bear--2", "name": "Bear"},
    ]
    (result,) = load({"bundle.json": json.dumps({"objects": objects})})
    assert ("entity:object/uses--3", "relation:target", "entity:object/malware--1") in facts(
        result.load
    )


def test_relationships_of_spdx_are_edges_between_what_has_ids_of_spdx(load: Callable) -> None:
    packages = [{"name": name, "SPDXID": f"SPDXRef-{name}"} for name in ("app", "pad")]
    edge = {"spdxElementId": "SPDXRef-app", "relatedSpdxElement": "SPDXRef-pad"}
    document = {"packages": packages, "relationships": [{**edge, "relationshipType": "CONTAINS"}]}
    (result,) = load({"s.json": json.dumps(document)})
    assert ("entity:SPDXRef-app", "relation:CONTAINS", "entity:SPDXRef-pad") in facts(result.load)
    assert ("entity:SPDXRef-pad", "rdfs:label", "pad") in facts(result.load)


def test_values_keep_their_order_and_what_a_bad_record_alone_has_is_no_column(
    tmp_path: Path,
) -> None:
    records = (
        {"id": "a", "cast": [{"n": "u"}, {"n": ["v", "w"]}, {"n": []}, {"n": "x"}]},
        {"other": 1, "id": "b", "cast": {"n": "y"}},
        {"id": "\ud800", "bad": "z", "cast": [["v"]]},
        {"id": "c", "none": None, "of": [[1, "p"], ["2"]]},
    )
    assert tables(tmp_path, records, "$")["d"] == [
        {"id": "a", "cast.n": ["u", "v", "w", "x"]},
        {"id": "b", "cast.n": ["y"], "other": "1"},
        {"id": "c", "of": ["1", "p", "2"]},
    ]


def test_columns_are_added_to_as_often_for_many_records_as_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[int] = []
    add = _Cells.add
    monkeypatch.setattr(_Cells, "add", lambda cells, *more: (added.append(1), add(cells, *more)))
    times = []
    for count in (2, 30):
        added.clear()
        inner = [{"n": f"x{i}"} for i in range(count)]
        assert len(tables(tmp_path, [{"id": "a", "of": inner}])["d.of"]) == count
        times.append(len(added))
    assert times[0] == times[1]


def test_half_a_character_around_a_record_refuses_it(tmp_path: Path) -> None:
    documents = [{"id": half, "of": [{"n": "x"}, {"n": "y"}]} for half in ("\ud800", "b")]
    inner = tables(tmp_path, documents)["d.of"]
    assert inner == [{"n": "x", "d.id": "b"}, {"n": "y", "d.id": "b"}]


def test_a_link_that_some_records_lack_does_not_take_what_else_they_say(load: Callable) -> None:
    people = [{"given": "Ann", "account_id": "x1"}, {"given": "Bob"}]
    works = [{"DOI": "10.1/a", "author": people}, {"DOI": "10.1/b", "author": people[:1]}]
    (result,) = load({"works.json": json.dumps(works)})
    assert result.load.counts.rejected == 0
    assert "Bob" in [o for _, _, o in facts(result.load)]


def test_ids_that_are_texts_beside_numbers_make_things_of_inner_objects(load: Callable) -> None:
    tweets = [
        {"id_str": "1", "text": "hi", "user": {"id_str": "9", "screen_name": "ann"}},
        {"id_str": "2", "text": "re", "user": {"id_str": "8", "screen_name": "bob"}},
    ]
    (result,) = load({"tweets.json": json.dumps(tweets)})
    assert ("entity:tweet/1", "relation:user", "entity:tweets_user/9") in facts(result.load)
    assert ("entity:tweets_user/9", "rdfs:label", "ann") in facts(result.load)


def test_geometries_are_one_text_unless_a_mapping_asks_for_what_is_in_them(load: Callable) -> None:
    shapes = {
        "Point": ([7.45, 46], "POINT (7.45 46)"),
        "LineString": ([[1, 2], [3, 4]], "LINESTRING (1 2, 3 4)"),
        "Polygon": ([[[1, 2], [3, 4], [1, 2]]], "POLYGON ((1 2, 3 4, 1 2))"),
    }
    features = [
        {
            "type": "Feature",
            "properties": {"name": kind},
            "geometry": {"type": kind, "coordinates": c},
        }
        for kind, (c, _) in shapes.items()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (result,) = load({"places.geojson": text})
    found = {o for _, p, o in facts(result.load) if p.startswith("property:geometry")}
    assert found == {text for _, text in shapes.values()}
    mapping = """
mappings:
  place:
    sources: [[places.geojson~jsonpath, '$.features[*]']]
    s: entity:$(properties.name)
    po: [[property:lon, '$(geometry.coordinates[0])'], [property:kind, $(geometry.type)]]
"""
    (result,) = load({"places.geojson": text}, mapping)
    assert ("entity:Point", "property:lon", "7.45") in facts(result.load)
    assert ("entity:Point", "property:kind", "Point") in facts(result.load)
    other = [{"id": "a", "where": {"type": "Point", "coordinates": {"x": 1}}}]
    (result,) = load({"o.json": json.dumps(other)})
    assert ("entity:o/a", "property:where.coordinates.x", "1") in facts(result.load)


def test_a_byte_order_mark_and_blank_lines_are_nothing(load: Callable) -> None:
    lines = b'\xef\xbb\xbf{"id": 1, "name": "a"}\n\n  \n{"id": 2, "name": "b"}\n'
    results = load({"a.ndjson": lines, "b.json": b'\xef\xbb\xbf[{"id": 3, "name": "c"}]'})
    assert [o for r in results for _, p, o in triples(r.load) if p == "rdfs:label"] == [
        "a",
        "b",
        "c",
    ]
    assert [r.load.counts.rejected for r in results] == [0, 0]


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("$(a[0].b)", "1"),
        ("$($.a[-1].b)", "2"),
        ("$(['k.ey'].x)", "3"),
        ("$($['k.ey']['x'])", "3"),
        ("$(m[1][0])", "6"),
        ("$(a[*].c[1])", "9"),
    ],
)
@pytest.mark.parametrize("path", ["$.r[0]", "$['r'][*]", "$.r", '$["r"].*'])
def test_paths_have_indexes_and_keys(load: Callable, reference: str, value: str, path: str) -> None:
    record = {"id": 1, "a": [{"b": 1, "c": [8, 9]}, {"b": 2}], "k.ey": {"x": 3}, "m": [[4, 5], [6]]}
    text = f"""
mappings:
  r:
    sources: [["d.json~jsonpath", {json.dumps(path)}]]
    s: entity:$(id)
    po: [[property:p, {json.dumps(reference)}]]
"""
    (result,) = load({"d.json": json.dumps({"r": [record]})}, text)
    assert triples(result.load) == [("entity:1", "property:p", value)]
    (again,) = load({"d.jsonl": json.dumps({"r": [record]})}, text.replace("d.json", "d.jsonl"))
    assert triples(again.load) == [("entity:1", "property:p", value)]


def test_a_mapping_that_leaves_the_table_open_is_asked_which(load: Callable) -> None:
    text = "mappings: {m: {sources: [d.json], s: 'entity:$(id)', po: [[property:p, $(x)]]}}"
    document = {"a": [{"id": 1, "x": 2}], "b": [{"id": 2}]}
    with pytest.raises(
        MappingError, match=r"several tables \(\$\.a\[\*\], \$\.b\[\*\]\); say which"
    ):
        load({"d.json": json.dumps(document)}, text)


def test_a_path_is_written_as_it_is_read() -> None:
    for path in ("$", "$.a[*].b", "$['k.ey'][0]", r"$['it\'s']", "$[*][-1]"):
        assert path_of(steps_of(path)) == path
    assert steps_of('$["a"].*') == ("a", None)


def test_no_depth_and_no_number_of_tables_is_a_crash(tmp_path: Path) -> None:
    deep: Any = {"id": 1}
    for _ in range(90):
        deep = {"id": 1, "a": [deep]}
    assert tables(tmp_path, [deep])["d"] == [], "its only record is too deep"
    many = [{"id": 1, **{f"t{i}": [{"x": 1}] for i in range(500)}}]
    assert len(tables(tmp_path, many)) == 200


def test_a_document_of_several_dictionaries_of_records_is_several_tables(load: Callable) -> None:
    document = {
        "people": {"p1": {"name": "Ann", "city": "c1"}, "p2": {"name": "Bo", "city": "c1"}},
        "cities": {"c1": {"name": "Bern"}},
    }
    (found,) = load({"all.json": json.dumps(document)})
    assert sorted(facts(found.load)) == [
        ("entity:city/c1", "rdfs:label", "Bern"),
        ("entity:person/p1", "rdfs:label", "Ann"),
        ("entity:person/p1", "relation:city", "entity:city/c1"),
        ("entity:person/p2", "rdfs:label", "Bo"),
        ("entity:person/p2", "relation:city", "entity:city/c1"),
    ]
    # Two objects without a field in common are two parts of one record.
    (one,) = load({"one.json": '{"place": {"name": "Ash"}, "size": {"area": 3}}'})
    assert ("property:size.area", "3") in {(p, o) for _, p, o in facts(one.load)}


def test_objects_in_arrays_whose_ids_come_again_are_the_same_things(load: Callable) -> None:
    topic = {"id": "t1", "name": "Botany"}
    works = [
        {"id": "w1", "topics": [{**topic, "score": 0.9}]},
        {"id": "w2", "topics": [{**topic, "score": 0.4}, {"id": "t2", "name": "Soil", "score": 1}]},
    ]
    (result,) = load({"works.json": json.dumps(works)})
    found = facts(result.load)
    assert found.count(("entity:works_topic/t1", "rdfs:label", "Botany")) >= 1
    assert {o for s, p, o in found if s == "entity:works_topic/t1" and p == "relation:work"} == {
        "entity:work/w1",
        "entity:work/w2",
    }
    scores = [(key, value) for one in remarks(result.load) for key, value, _ in one]
    assert sorted(scores) == [("property:score", value) for value in ("0.4", "0.9", "1")]


def test_objects_with_the_same_fields_are_of_one_kind_wherever_they_are(load: Callable) -> None:
    ann, bo, cy = (
        {"id": i, "login": n, "url": f"u{i}"} for i, n in ((7, "ann"), (8, "bo"), (9, "cy"))
    )
    issues = [
        {"id": 1, "title": "A", "user": ann, "assignees": [bo, cy]},
        {"id": 2, "title": "B", "user": bo, "assignees": [cy]},
    ]
    (result,) = load({"issues.json": json.dumps(issues)})
    found = facts(result.load)
    assert {(s, o) for s, p, o in found if p == "relation:assignee"} == {
        ("entity:issue/1", "entity:issues_user/8"),
        ("entity:issue/1", "entity:issues_user/9"),
        ("entity:issue/2", "entity:issues_user/9"),
    }
    assert ("entity:issue/1", "relation:user", "entity:issues_user/7") in found
    assert ("entity:issues_user/9", "rdfs:label", "cy") in found
    kinds = {o for s, p, o in triples(result.load) if p == "rdf:type" and "user/9" in s}
    assert kinds == {"class:User"}


def test_no_object_is_no_bad_record(load: Callable) -> None:
    ann = {"id": 7, "login": "ann"}
    issues = [{"id": i, "assignee": who} for i, who in enumerate((None, ann, "", ann))]
    (result,) = load({"issues.json": json.dumps(issues)})
    assert result.load.counts.rejected == 0
    assert sum(p == "relation:assignee" for _, p, _ in facts(result.load)) == 2


def test_a_code_in_a_system_is_one_thing_wherever_it_stands(load: Callable) -> None:
    def coded(code: str, display: str) -> dict:
        return {"coding": [{"system": "http://x.org/s", "code": code, "display": display}]}

    records = [
        {"id": "c1", "code": coded("7", "Asthma"), "category": coded("9", "Diagnosis")},
        {"id": "c2", "code": coded("7", "Asthma"), "category": coded("7", "Asthma")},
    ]
    (result,) = load({"conditions.json": json.dumps(records)})
    found = facts(result.load)
    seven, nine = (f"entity:coding/http%3A%2F%2Fx.org%2Fs/{code}" for code in "79")
    links = {(s[-2:], p, o) for s, p, o in found if p in ("relation:code", "relation:category")}
    assert links == {
        ("c1", "relation:code", seven),
        ("c2", "relation:code", seven),
        ("c1", "relation:category", nine),
        ("c2", "relation:category", seven),
    }
    assert (seven, "rdfs:label", "Asthma") in found


@pytest.mark.parametrize(("name", "kinds"), [("u2", {"User"}), ("x2", {"User", "Assignee"})])
def test_two_fields_that_say_the_same_of_the_same_ids_are_of_one_kind(
    load: Callable, name: str, kinds: set[str]
) -> None:
    users = [{"id": i, "login": f"u{i}"} for i in (1, 2, 3)]
    assignees = [{"id": 1, "login": "u1"}, {"id": 2, "login": name}]
    issues = [{"id": i + 10, "user": users[i], "assignees": assignees[:i]} for i in range(3)]
    (result,) = load({"issues.json": json.dumps(issues)})
    classes = {o.partition(":")[2] for _, p, o in triples(result.load) if p == "rdf:type"}
    assert classes - {"Issue"} == kinds


def test_one_id_that_two_kinds_share_by_chance_makes_them_no_kind(load: Callable) -> None:
    users = [{"id": i, "login": f"u{i}"} for i in (1, 2, 3)]
    issues = [{"id": i + 10, "user": users[i], "assignees": users[:1] * i} for i in range(3)]
    (result,) = load({"issues.json": json.dumps(issues)})
    classes = {o.partition(":")[2] for _, p, o in triples(result.load) if p == "rdf:type"}
    assert classes == {"Issue", "User", "Assignee"}


def test_the_items_of_an_order_are_no_orders(load: Callable) -> None:
    orders = [{"no": "A1", "items": [{"sku": "x1", "qty": 2}, {"sku": "x2", "qty": 1}]}]
    orders += [{"no": "A2", "items": [{"sku": "x1", "qty": 5}]}]
    (result,) = load({"orders.json": json.dumps({"orders": orders})})
    of_class = Counter(o for _, p, o in triples(result.load) if p == "rdf:type")
    assert of_class == {"class:Order": 2, "class:Item": 3}


def test_the_only_object_with_an_id_beside_arrays_is_a_record_too(load: Callable) -> None:
    books = [{"id": "b1", "author": {"ref": "a1"}}, {"id": "b2", "author": {"ref": "a1"}}]
    document = {"book": books, "person": {"id": "a1", "name": "Ada"}, "meta": {"at": "2024"}}
    (result,) = load({"library.json": json.dumps(document)})
    assert ("entity:person/a1", "rdfs:label", "Ada") in triples(result.load)
    left = [note.text for note in result.load.notes if "left out" in note.text]
    assert left == ["left out, beside its tables: $.meta"]


def test_packages_that_a_package_needs_are_packages_in_a_version(load: Callable) -> None:
    app = {"name": "app", "version": "1.0.0", "dependencies": {"kit": "^2.1.0", "lodash": "*"}}
    kit = {"name": "kit", "version": "2.1.3", "devDependencies": {"jest": "workspace:*"}}
    results = load({"a/package.json": json.dumps(app), "b/package.json": json.dumps(kit)})
    found = {fact for one in results for fact in facts(one.load)}
    assert {(s, p, o) for s, p, o in found if p.startswith("relation:")} == {
        ("entity:package/app", "relation:dependency", "entity:package/kit"),
        ("entity:package/app", "relation:dependency", "entity:package/lodash"),
        ("entity:package/kit", "relation:devdependency", "entity:package/jest"),
    }
    said = [value for one in results for said in remarks(one.load) for _, value, _ in said]
    assert sorted(said) == ["*", "^2.1.0", "workspace:*"]
    assert {o for s, p, o in found if p == "property:version"} == {"1.0.0", "2.1.3"}
    assert ("entity:package/lodash", "rdfs:label", "lodash") in found


def test_what_has_the_same_name_in_several_records_is_one_thing(load: Callable) -> None:
    drug = {"name": "Metformin", "kind": "drug"}
    studies = [
        {
            "of": {"nct": "N1"},
            "given": [{**drug, "how": "daily"}, {"name": "Placebo", "kind": "drug", "how": "x"}],
        },
        {"of": {"nct": "N2"}, "given": [{**drug, "how": "weekly"}]},
    ]
    (result,) = load({"studies.json": json.dumps(studies)})
    found = facts(result.load)
    assert (
        sum(s == "entity:studies_given/Metformin" and p == "relation:study" for s, p, _ in found)
        == 2
    )
    said = [(key, value) for one in remarks(result.load) for key, value, _ in one]
    assert sorted(said) == [("property:how", how) for how in ("daily", "weekly", "x")]


def test_what_each_of_few_things_says_in_every_record_is_no_thing_of_its_own(
    load: Callable,
) -> None:
    labels = [
        {"id": i, "name": f"n{i}", "color": f"red {i}", "team": f"k{i % 2}"} for i in range(6)
    ]
    issues = [{"id": i, "labels": [labels[i % 6], labels[i % 5]]} for i in range(12)]
    (result,) = load({"issues.json": json.dumps(issues)})
    linked = {p for _, p, o in facts(result.load) if o.startswith("entity:")}
    assert linked == {"relation:issue", "relation:team"}


def test_records_inside_others_refer_to_them_by_place_and_no_number_is_a_fact(
    load: Callable,
) -> None:
    works = [
        {"title": "A", "DOI": "10.1/a", "by": [{"given": "Ann"}, {"given": "Bo"}]},
        {"title": "B", "DOI": "10.1/b", "by": [{"given": "Ann"}]},
    ]
    (result,) = load({"works.json": json.dumps(works)})
    found = facts(result.load)
    assert sum(o == "entity:work/10.1%2Fa" for _, p, o in found if p == "relation:work") == 2
    inner = {"x": 1, "in": [{"y": 2}]}
    (result,) = load({"nameless.json": json.dumps([{"n": 1, "by": [inner, {**inner, "z": 3}]}])})
    assert not any("row" in p for _, p, _ in facts(result.load))
    assert any(n.warning and "it is no link" in n.text for n in result.load.notes)


def test_what_mongodb_writes_as_objects_are_values(load: Callable) -> None:
    people = [
        {
            "_id": {"$oid": "64a1f0c2d1e8a94b5c7d0001"},
            "name": "Ann",
            "friends": [{"$oid": "64a1f0c2d1e8a94b5c7d0002"}],
        },
        {"_id": {"$oid": "64a1f0c2d1e8a94b5c7d0002"}, "name": "Bo", "n": {"$numberLong": "5"}},
    ]
    (result,) = load({"people.json": json.dumps(people)})
    found = facts(result.load)
    link = (
        "entity:person/64a1f0c2d1e8a94b5c7d0001",
        "relation:friend",
        "entity:person/64a1f0c2d1e8a94b5c7d0002",
    )
    assert link in found
    assert ("entity:person/64a1f0c2d1e8a94b5c7d0002", "property:n", "5") in found


PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Moss"}]}
VISITS = [
    {"resourceType": "Encounter", "id": f"e{i}", "subject": {"reference": "Patient/p1"}}
    for i in range(4)
]
FINDINGS = [
    {"resourceType": "Condition", "id": f"c{i}", "encounter": {"reference": f"Encounter/e{i % 4}"}}
    for i in range(6)
]


def test_references_of_fhir_are_links_in_bundles(load: Callable) -> None:
    entries = [{"resource": one} for one in (PATIENT, *VISITS, *FINDINGS)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (result,) = load({"bundle.json": json.dumps(bundle)})
    visit, own = "entity:bundle_resource/Encounter%2Fe1", "entity:bundle_resource/Condition%2Fc1"
    assert (visit, "relation:subject", "entity:bundle_resource/Patient%2Fp1") in facts(result.load)
    assert (own, "relation:encounter", visit) in facts(result.load)
    assert (visit, "rdf:type", "class:Encounter") in triples(result.load)


def test_references_of_fhir_are_links_across_files(load: Callable) -> None:
    # The names of a patient are a table of their own with the keys of patients.
    patients = [PATIENT | {"id": f"p{i}"} for i in range(4)]
    visits = [one | {"subject": {"reference": f"Patient/p{i % 3}"}} for i, one in enumerate(VISITS)]
    files = {"Encounter": visits, "Patient": patients}
    results = load({f"{n}.ndjson": "\n".join(map(json.dumps, x)) for n, x in files.items()})
    visit = "entity:encounter/Encounter%2Fe1"
    assert (visit, "relation:subject", "entity:patient/Patient%2Fp1") in facts(results[0].load)


def test_the_empty_key_of_a_lock_file_is_the_package_itself(load: Callable) -> None:
    packages = {"": {"name": "shop", "version": "1.0"}, "node_modules/a": {"version": "2.1.35"}}
    (result,) = load(
        {"package-lock.json": json.dumps({"packages": packages | {"b": packages[""]}})}
    )
    found = facts(result.load)
    assert ("entity:package/shop", "property:version", "1.0") in found
    # and a version is no day of 2035
    assert ("entity:package/node_modules%2Fa", "property:version", "2.1.35") in found


def test_inner_objects_with_an_address_are_the_same_each_time(load: Callable) -> None:
    videos = [
        {"title": f"Video {i}", "by": [{"name": "A", "url": f"https://x.org/c{i % 2}"}]}
        for i in range(6)
    ]
    (result,) = load({"history.json": json.dumps(videos)})
    heads = [s for s, p, _ in triples(result.load) if p == "relation:history"]
    assert sorted(heads) == ["https://x.org/c0"] * 3 + ["https://x.org/c1"] * 3
