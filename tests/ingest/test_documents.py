"""JSON and Parquet become the same columns as tables have: dotted names, lists, exact texts."""

from __future__ import annotations

import datetime
import gzip
import io
import json
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.record.loads import active_loads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.errors import (
    SourceError,
    SourceSyntaxError,
    SourceUnreadable,
)
from sightline.ingest.formats.json_document import JSON
from sightline.ingest.formats.json_lines import JSON_LINES
from sightline.ingest.formats.parquet import ARROW, PARQUET
from sightline.ingest.source import Selection, Source
from tests.ingest.conftest import discover, facts, quarantined, statements, triples

COUNTRY = {
    "id": "fr",
    "name": "France",
    "eu": True,
    "capital": {"name": "Paris", "at": [48.85, 2.35]},
    "languages": ["French", None, "Breton", ""],
    "king": None,
    "motto": "",
    "empty": [],
}
FACTS = [
    ("entity:c/fr", "rdfs:label", "France"),
    ("entity:c/fr", "property:eu", "true"),
    ("entity:c/fr", "property:capital.name", "Paris"),
    ("entity:c/fr", "property:capital.at", "48.85"),
    ("entity:c/fr", "property:capital.at", "2.35"),
    ("entity:c/fr", "property:languages", "French"),
    ("entity:c/fr", "property:languages", "Breton"),
]


def frame(
    tmp_path, data: str, iterator: str | None = None, lines: bool = False, columns: tuple = ()
) -> pl.DataFrame:
    path = tmp_path / ("a.jsonl" if lines else "a.json")
    path.write_text(data)
    form = JSON_LINES if lines else JSON
    (table,) = form.tables(Source(path, form), Selection(iterator, columns))
    return pl.concat([b.frame for b in table.batches], how="diagonal")


@pytest.mark.parametrize(
    "document", [COUNTRY, [COUNTRY], {"about": {"v": 1}, "data": {"list": [COUNTRY]}}]
)
def test_records_are_found_and_flattened(load: Callable, document: object) -> None:
    (result,) = load({"c.json": json.dumps(document)})
    assert sorted(facts(result.load)) == sorted(FACTS)
    assert set(statements(result.load)["row"]) == {1}


def test_lines_give_the_same_and_rows_are_lines(load: Callable) -> None:
    (result,) = load({"c.jsonl": "\n" + json.dumps(COUNTRY, ensure_ascii=False) + "\r\n\n"})
    assert sorted(facts(result.load)) == sorted(FACTS)
    assert set(statements(result.load)["row"]) == {2}


def test_numbers_keep_their_text(tmp_path) -> None:
    data = '[{"a": 1e5, "b": 1.0, "c": -0, "d": 123456789012345678901234567890, "e": "1"}]'
    row = ("1e5", "1.0", "-0", "123456789012345678901234567890", "1")
    assert frame(tmp_path, data).row(0) == row
    python = json.dumps([{"id": "x", "a": float("nan"), "b": float("inf")}])
    assert frame(tmp_path, python).row(0, named=True) == {"id": "x", "b": "INF"}


def test_a_bad_line_is_set_aside(workspace: Workspace, load: Callable) -> None:
    lines = ['{"id": 1, "name": "a"}', '{"id": 2, "id": 3}', '{"id": 4', "[5]", '{"id": "\\ud800"}']
    lines += [json.dumps({"id": 6, "x": 7}), '{"id": 1, "name": "a"}', '{"id": 8}', "[" * 5000]
    lines += ['{"a":' * 150 + "1" + "}" * 150] + [f'{{"id": 1{i}}}' for i in range(9)]
    (result,) = load({"c.jsonl": "\n".join(lines).encode() + b'\n"\xff"\n'})
    assert [(line, reason) for line, reason, _ in quarantined(workspace, result.load)] == [
        (2, "key 'id' comes twice in an object"),
        (3, "no JSON: Expecting ',' delimiter at 9"),
        (4, "it is no object"),
        (5, "it holds half of a surrogate pair"),
        (9, "it is nested more than 100 deep"),
        (10, "it is nested more than 100 deep"),
        (20, "it is not UTF-8; save the file as UTF-8"),
    ]
    assert quarantined(workspace, result.load)[1][2] == '{"id": 4'
    assert result.load.counts.duplicate == 1


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        ('[\n{"id": 1},\n{"id" 2}\n]', SourceSyntaxError, "line 3: no JSON: Expecting ':'"),
        ("[" * 100_000, SourceUnreadable, "nested more than 100 deep"),
        (
            "[" + ",".join(f'{{"id": 1, "f{i}": 1}}' for i in range(2001)) + "]",
            SourceUnreadable,
            "more than 2000 different fields",
        ),
    ],
)
def test_a_broken_document_is_refused(
    load: Callable, workspace: Workspace, data: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as raised:
        load({"c.json": data})
    assert says in str(raised.value)
    assert active_loads(workspace) == []


def test_a_document_that_is_no_utf8_names_the_line(load: Callable) -> None:
    with pytest.raises(SourceSyntaxError, match="line 2: it is not UTF-8"):
        load({"c.json": b'[{"id": 1},\n{"id": "\xe9"}]'})


@pytest.mark.parametrize(
    ("iterator", "ids"),
    [
        ("$.a.b[*]", ["1", "2"]),
        ("$.a.b", ["1", "2"]),
        ("$.a.b[*].c[*]", ["3", "4"]),
        ("$.m[*]", ["5", "6"]),
        ("$.m.y", ["6"]),
    ],
)
def test_an_iterator_finds_its_records(tmp_path, iterator: str, ids: list[str]) -> None:
    inner = [{"id": 1, "c": [{"id": 3}]}, {"id": 2, "c": [{"id": 4}]}]
    document = {"a": {"b": inner}, "m": {"x": {"id": 5}, "y": {"id": 6}}}
    assert frame(tmp_path, json.dumps(document), iterator)["id"].to_list() == ids
    lines = frame(tmp_path, json.dumps(document) + "\n{}\n", iterator, lines=True)
    assert lines["id"].to_list() == ids


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), values, max_size=4))
def test_every_value_of_any_record_arrives_once(tmp_path_factory, record: dict) -> None:
    def leaves(value: object) -> list[str]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            return [leaf for item in value for leaf in leaves(item)]
        text = value if isinstance(value, str) else json.dumps(value)
        return [] if value in (None, "") and value is not False else [text]

    folder = tmp_path_factory.mktemp("json")
    found = frame(folder, json.dumps([record]), "$[*]", columns=("x",)).row(0)
    flat = [x for cell in found for x in (cell if isinstance(cell, list) else [cell]) if x]
    assert sorted(flat) == sorted(leaves(record))


def parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def arrow(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc(out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["c.arrow", "c.feather", "c"])
def test_arrow_gives_the_same_as_json(load: Callable, name: str) -> None:
    (result,) = load({name: arrow(pl.DataFrame([COUNTRY]))})
    assert sorted(facts(result.load)) == sorted(FACTS)


def test_a_damaged_arrow_file_is_refused(load: Callable, workspace: Workspace) -> None:
    data = arrow(pl.DataFrame({"id": [f"x{i}" for i in range(5000)]}))
    for bad in (data[:-20], data[: len(data) // 2]):
        with pytest.raises(SourceUnreadable, match="no sound Arrow file"):
            load({"t.arrow": bad})
    assert discover([workspace.path.parent / "t.arrow"])[0].format is ARROW


@pytest.mark.parametrize("packed", [False, True])
def test_parquet_gives_the_same_as_json(load: Callable, packed: bool) -> None:
    data = parquet(pl.DataFrame([COUNTRY]))
    name, data = ("c.parquet.gz", gzip.compress(data)) if packed else ("c.parquet", data)
    (result,) = load({name: data})
    assert sorted(facts(result.load)) == sorted(FACTS)


def test_parquet_types_become_plain_text(load: Callable) -> None:
    day = datetime.datetime(2020, 1, 2, 3, 4, 5)
    table = pl.DataFrame(
        {
            "id": ["a", "b", "a"],
            "date": [day.date()] * 3,
            "time": [day] * 3,
            "real": [0.5, float("nan"), 0.5],
            "int": [1, None, 1],
            "flag": [True, False, True],
            "cat": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
            "matrix": [[[1], [2, 3]]] * 3,
            "text": [b"ok", b"", b"ok"],
            "bytes": [b"\xff", None, b"\xff"],
        }
    )
    (result,) = load({"t.parquet": parquet(table)})
    assert result.load.counts.duplicate == 1
    found = {(s, p.partition(":")[2]): o for s, p, o in facts(result.load) if "matrix" not in p}
    assert found == {
        ("entity:t/a", "date"): "2020-01-02",
        ("entity:t/b", "date"): "2020-01-02",
        ("entity:t/a", "time"): "2020-01-02T03:04:05.000000",
        ("entity:t/b", "time"): "2020-01-02T03:04:05.000000",
        ("entity:t/a", "real"): "0.5",
        ("entity:t/a", "int"): "1",
        ("entity:t/a", "flag"): "true",
        ("entity:t/b", "flag"): "false",
        ("entity:t/a", "cat"): "x",
        ("entity:t/b", "cat"): "y",
        ("entity:t/a", "text"): "ok",
        ("entity:t/a", "bytes"): "/w==",
    }
    matrix = [o for s, p, o in triples(result.load) if "matrix" in p and s == "entity:t/a"]
    assert matrix == ["1", "2", "3"]


def test_a_damaged_parquet_file_is_refused(load: Callable, workspace: Workspace) -> None:
    data = parquet(pl.DataFrame({"id": [f"x{i}" for i in range(5000)]}))
    for bad in (data[:-20], data[:20] + b"?" * 200 + data[220:], data[:-9] + b"\xff" * 5 + b"PAR1"):
        with pytest.raises(SourceUnreadable, match="no sound Parquet file"):
            load({"t.parquet": bad})
    assert active_loads(workspace) == []
    assert discover([workspace.path.parent / "t.parquet"])[0].format is PARQUET


@pytest.mark.parametrize("depth", [99, 101, 300, 900, 970, 990, 2000])
@pytest.mark.parametrize("parts", [("[", "]"), ('{"a":', "}")])
def test_no_depth_is_a_crash(load: Callable, depth: int, parts: tuple[str, str]) -> None:
    inner = parts[0] * depth + "1" + parts[1] * depth
    lines = ['{"id": 1, "x": 1}', f'{{"id": 2, "x": {inner}}}', '{"id": 3, "x": 1}']
    (result,) = load({"c.jsonl": "\n".join(lines)})
    assert result.load.counts.rejected == (depth > 99)
    if depth > 99:
        with pytest.raises(SourceError, match="nested more than 100 deep"):
            load({"c.json": f"[{lines[1]}]"})
