"""A changed file takes the place of its former load; the raw record behind a fact is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline.graph.record.errors import UnknownLoad
from sightline.graph.record.loads import active_loads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.errors import NoSuchRow, RawFileChanged, RawFileGone
from sightline.ingest.load import ingest
from sightline.ingest.raw import source_record
from tests.ingest.test_places import shop

BEFORE = "id,name,river\na,Ada,Rhine\nb,Bo,Rhine\nc,Cy,Aare\nd,Di,Aare\n"
AFTER = "id,name,river\na,Ada,Rhine\nb,Bob,Rhine\nd,Di,Aare\ne,Ed,Rhine\nf,Fay,Aare\n"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws")


def test_a_changed_file_takes_the_place_of_its_load_and_says_what_changed(
    ws: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(BEFORE)
    (first,) = ingest(ws, [file])
    file.write_text(AFTER)
    (second,) = ingest(ws, [file])
    (said,) = second.replaced
    assert (said.load.id, said.added, said.removed, said.changed) == (first.load.id, 2, 1, 1)
    assert [load.id for load in active_loads(ws)] == [second.load.id]
    assert first.load.folder.is_dir(), "it is kept"
    file.write_text(BEFORE)
    (again,) = ingest(ws, [file])
    assert (again.known, again.replaced[0].added, again.replaced[0].removed) == (True, 1, 2)
    assert [load.id for load in active_loads(ws)] == [first.load.id]


def test_equal_files_elsewhere_are_not_replaced(ws: Workspace, tmp_path: Path) -> None:
    for name, text in (("a.csv", BEFORE), ("b.csv", AFTER)):
        (tmp_path / name).write_text(text)
        ingest(ws, [tmp_path / name])
    assert len(active_loads(ws)) == 2


def test_the_record_of_a_line_shows_its_cells_and_what_each_made(
    ws: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(BEFORE)
    ingest(ws, [file])
    record = source_record(ws, "people.csv", "line 3")
    assert record.place == "line 3"
    assert {cell.column: cell.values for cell in record.cells} == {
        "id": ("b",),
        "name": ("Bo",),
        "river": ("Rhine",),
    }
    assert record.raw == "b,Bo,Rhine"
    made = {fact.object.rpartition("/")[2]: fact.columns for fact in record.facts}
    assert made["Bo"] == ("name",)
    assert made["Rhine"] == ("river",)
    with pytest.raises(NoSuchRow):
        source_record(ws, "people.csv", "99")
    with pytest.raises(UnknownLoad):
        source_record(ws, "peeple.csv", "3")


def test_the_record_of_a_table_is_that_of_its_own_rows(ws: Workspace, tmp_path: Path) -> None:
    ingest(ws, [shop(tmp_path / "shop.sqlite")])
    record = source_record(ws, "shop.sqlite", "thing!2")
    assert (record.row, record.place) == (4, "table thing, row 2")
    assert ("name", ("Nut",)) in [(cell.column, cell.values) for cell in record.cells]
    assert source_record(ws, "shop.sqlite", "4") == record


def test_a_raw_file_that_is_gone_or_changed_is_said_without_its_path(
    ws: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(BEFORE)
    ingest(ws, [file])
    file.write_text(AFTER)
    with pytest.raises(RawFileChanged) as changed:
        source_record(ws, "people.csv", "3")
    file.unlink()
    with pytest.raises(RawFileGone) as gone:
        source_record(ws, "people.csv", "3")
    assert str(tmp_path) not in str(changed.value) + str(gone.value)
