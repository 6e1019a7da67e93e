"""The different values of groups of columns, as hashes."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from unittest.mock import patch

from sightline.graph.storage.settings import Settings
from sightline.ingest.formats import delimited
from sightline.ingest.load import look
from sightline.ingest.profile import statistics as counted
from sightline.ingest.profile.statistics import together


def test_all_columns_of_a_table_tell_its_records_apart_and_have_their_values(
    tmp_path: Path,
) -> None:
    rows = [",".join(row) for row in product(*(("x1", "x2", "x3"), ("y1", "y2"), ("z1", "z2")))]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c", *rows, rows[0], ""]))
    with patch.object(delimited, "BLOCK", 60):
        found, _ = look([tmp_path / "t.csv"], Settings().prefixes)
        statistics = found.tables[0].statistics
        assert list(statistics.groups) == [("a", "b", "c")]
        kept = statistics.groups["a", "b", "c"]
        assert kept.count == statistics.records == 12
        again = together(statistics, ("a", "b", "c"))
        assert kept.kept().tolist() == again.kept().tolist()


def test_records_that_say_the_same_in_another_order_are_told_apart_by_no_columns(
    tmp_path: Path,
) -> None:
    cells = [("x1", "y1", "z1"), ("x1", "y2", "z2"), ("x2", "y1", "z2"), ("x2", "y2", "z1")]
    rows = [{"a": a, "b": b, "c": c} for a, b, c in cells]
    rows.append({"c": "z1", "b": "y1", "a": "x1"})
    (tmp_path / "t.jsonl").write_text("\n".join([*map(json.dumps, rows), ""]))
    with patch.object(counted, "SHOWING", 2):  # as far down as no glance at the first ones goes
        found, _ = look([tmp_path / "t.jsonl"], Settings().prefixes)
    assert ("a", "b", "c") not in found.tables[0].statistics.groups


def test_ends_of_edges_are_tried_as_no_key_and_others_are(tmp_path: Path) -> None:
    rows = "".join(f"{a},r,{b}\n" for a, b in product("xyz", "uvw"))
    for header, groups in (
        ("head,relation,tail", set()),
        ("one,relation,other", {("one", "other")}),
    ):
        (tmp_path / "t.csv").write_text(f"{header}\n{rows}")
        statistics = look([tmp_path / "t.csv"], Settings().prefixes)[0].tables[0].statistics
        assert {group for group in statistics.groups if len(group) == 2} == groups
