"""A format is one record in one tuple; nothing else knows which formats there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import polars as pl
import pytest

from sightline.ingest.batch import Batch
from sightline.ingest.errors import MappingError
from sightline.ingest.formats import known
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat
from tests.ingest.conftest import facts, statements, triples

#: A workbook of text: ``# name``, then ``key value`` lines.
BOOK = "# people\n1 Ann\n2 Bob\n# towns\n1 Ann\n3 York\n"


def tables(source: Source, selection: Selection) -> Iterator[Table]:
    with source.open() as stream:
        parts = stream.read().decode().split("# ")[1:]
    sheets = {name: lines for name, _, lines in (part.partition("\n") for part in parts)}
    if selection.table is not None and selection.table not in sheets:
        raise NoSuchTable(f"no sheet {selection.table!r}, only: {', '.join(sheets)}")
    for name, lines in sheets.items():
        if selection.table in (None, name):
            yield Table(name, iter([batch(lines)]))


def batch(lines: str) -> Batch:
    cells = [line.split(" ") for line in lines.splitlines()]
    frame = pl.DataFrame(cells, schema=["id", "label"], orient="row")
    rows = pl.Series(range(1, len(cells) + 1), dtype=pl.UInt32)
    return Batch(frame, rows, frame.hash_rows(), lambda i: " ".join(cells[i]))


TOY = TableFormat(
    name="toy",
    endings=(".toy",),
    media_type="text/x-toy",
    recognises=lambda head: head.startswith(b"# "),
    tables=tables,
    formulations=("toy",),
    selector=re.compile(r"\w+"),
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "FORMATS", (TOY, *known.FORMATS))


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("name", ["book.toy", "book"])
def test_a_declared_format_is_recognised_read_and_loaded(load: Callable, name: str) -> None:
    (result,) = load({name: BOOK})
    assert result.load.media_type == "text/x-toy"
    assert facts(result.load) == [
        ("entity:person/1", "rdfs:label", "Ann"),
        ("entity:person/2", "rdfs:label", "Bob"),
        ("entity:town/1", "rdfs:label", "Ann"),
        ("entity:town/3", "rdfs:label", "York"),
    ]
    assert statements(result.load)["row"].unique().to_list() == [1, 2, 3, 4]
    assert result.load.counts.duplicate == 0, "equal records of two tables are two"


MAPPING = """
mappings:
  towns:
    sources: [[book.toy~toy, SHEET]]
    s: entity:$(id)
    po: [[relation:named, $(label)]]
"""


@pytest.mark.usefixtures("toy")
def test_a_mapping_selects_a_table_of_a_declared_format(load: Callable) -> None:
    (result,) = load({"book.toy": BOOK}, MAPPING.replace("SHEET", "towns"))
    assert triples(result.load)[1] == ("entity:3", "relation:named", "York")
    with pytest.raises(MappingError, match="no sheet 'rivers', only: people, towns"):
        load({"book.toy": BOOK + "\n"}, MAPPING.replace("SHEET", "rivers"))


def test_formats_that_share_an_ending_are_told_by_content() -> None:
    names = [form.name for form in known.FORMATS if ".json" in form.endings]
    assert len(names) > 1
    assert len({form.name for form in known.FORMATS}) == len(known.FORMATS)
