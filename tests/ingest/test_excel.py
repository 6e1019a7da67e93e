"""Excel workbooks, as people save them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, datetime, time
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from sightline.ingest.errors import MappingError, SourceUnreadable
from tests.ingest.conftest import statements, triples


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


MAPPING = """
mappings:
  people:
    sources: [[book.xlsx~excel, People]]
    s: entity:$(id)
    po: [[rdfs:label, $(name)], [property:born, $(born)], [property:when, $(when)],
         [property:share, $(share)], [property:active, $(active)], [property:at, $(at)]]
"""
CELLS = [
    ["id", "name", "born", "when", "share", "active", "at"],
    [1, "Ann", date(1990, 2, 3), datetime(2024, 5, 6, 7, 8), 0.25, True, time(9, 30)],
    [],
    [2, " Bob ", None, None, 12.0, False, None],
]


def test_cells_become_the_text_that_their_type_has(load: Callable) -> None:
    (result,) = load({"book.xlsx": workbook(People=CELLS, Empty=[])}, MAPPING)
    assert triples(result.load) == [
        ("entity:1", "rdfs:label", "Ann"),
        ("entity:2", "rdfs:label", "Bob"),
        ("entity:1", "property:born", "1990-02-03"),
        ("entity:1", "property:when", "2024-05-06T07:08:00"),
        ("entity:1", "property:share", "0.25"),
        ("entity:2", "property:share", "12"),
        ("entity:1", "property:active", "true"),
        ("entity:2", "property:active", "false"),
        ("entity:1", "property:at", "09:30:00"),
    ]
    assert set(statements(result.load)["row"]) == {2, 4}, "rows are those that Excel shows"


def test_all_sheets_are_read_and_titles_above_a_header_are_said(load: Callable) -> None:
    titled = [["Towns of Norland"], [], ["id", "name"], ["T1", "York"]]
    (result,) = load({"book.xlsx": workbook(People=CELLS[:2], Towns=titled)})
    assert {o for _, p, o in triples(result.load) if p == "rdfs:label"} >= {"Ann", "York"}
    assert any("2 rows above its header" in note.text for note in result.load.notes)


def test_names_that_come_again_are_told_apart_by_the_row_above_them(load: Callable) -> None:
    rows = [["", 2023, None, 2024, None], ["id", "Q1", "Q2", "Q1", "Q2"], ["a", 1, 2, 3, 4]]
    (result,) = load({"book.xlsx": workbook(Sales=rows)})
    said = {(p, o) for _, p, o in triples(result.load)}
    assert said >= {("property:2024%20Q1", "3"), ("property:2023%20Q2", "2")}
    assert any("2024 Q1" in n.text and n.warning for n in result.load.notes)


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(load: Callable) -> None:
    with pytest.raises(MappingError, match="no sheet 'People', only: Towns"):
        load({"book.xlsx": workbook(Towns=CELLS)}, MAPPING)


def test_a_zip_archive_that_is_no_workbook_is_refused(load: Callable) -> None:
    with pytest.raises(SourceUnreadable, match="no sound workbook"):
        load({"book.xlsx": workbook(Towns=CELLS)[:-400]})


def test_a_name_that_comes_once_stays_beside_names_that_come_again(load: Callable) -> None:
    rows = [[2023, None, 2024], ["Q1", "town", "Q1"], ["7", "York", "8"]]
    (result,) = load({"book.xlsx": workbook(Sales=rows)})
    assert any(n.text.endswith("2023 Q1, town, 2024 Q1") for n in result.load.notes)


def test_a_table_below_another_in_a_sheet_is_one_of_its_own(load: Callable) -> None:
    prices = [["Product", "Price"], ["Pen", 1.5], ["Ink", 4]]
    suppliers = [["Supplier", "City"], ["Acme", "Bern"], ["Bolt", "Basel"]]
    (result,) = load({"book.xlsx": workbook(Shop=[*prices, [], ["Who"], *suppliers])})
    found = triples(result.load)
    assert ("entity:shop/Pen", "property:Price", "1.5") in found
    assert ("entity:shop_2/Acme", "property:City", "Bern") in found
    assert any(
        "what begins in row 5 is a table of its own, Shop#2" in n.text for n in result.load.notes
    )
    assert [table.place(table.first_row + 6) for table in result.load.tables][1] == (
        "sheet Shop#2, row 7"
    )


@pytest.mark.parametrize(
    "rows",
    [
        [["id", "city"], ["a", "Bern"], [], ["b", "Rome"], ["c", "Oslo"]],
        [["id", "share"], ["a", 1], [], ["b", 2]],
        [["id", "share"], ["a", 1], [], ["source: x"]],
    ],
)
def test_records_after_an_empty_row_are_of_the_same_table(load: Callable, rows: list) -> None:
    (result,) = load({"book.xlsx": workbook(Shop=rows)})
    assert len(result.load.tables) == 1


def test_a_cell_over_several_rows_holds_for_each_of_them(load: Callable) -> None:
    book = openpyxl.Workbook()
    for row in (["Sales"], ["Region", "Shop"], ["North", "Bern"], [None, "Basel"], [None, "Ulm"]):
        book.active.append(row)
    book.active.merge_cells("A3:A4")
    stream = io.BytesIO()
    book.save(stream)
    (result,) = load({"book.xlsx": stream.getvalue()})
    regions = [o for _, p, o in triples(result.load) if p == "property:Region"]
    assert regions == ["North", "North"]
    assert any("cells over several rows hold for each of them: Region" in n.text
               for n in result.load.notes)  # fmt: skip


def test_a_second_row_of_names_below_open_ones_is_part_of_the_header(load: Callable) -> None:
    rows = [["Country", "People", None], [None, 2022, 2023], ["A", 1, 2], ["B", 3, 4], ["C", 5, 6]]
    (result,) = load({"book.xlsx": workbook(S=rows)})
    assert ("entity:s/C", "property:People%202023", "6") in triples(result.load)


ORDERS: list[list[object]] = [
    ["no", "product", "count", "price"],
    ["o1", "Nut", 2, 1.5],
    ["o2", "Bolt", 3, 2.25],
]


@pytest.mark.parametrize(
    ("below", "left"),
    [
        ([["Total", None, 5, 3.75]], "Total, 5, 3.75"),
        (
            [[], ["Summe:", None, 5], [], ["from the shop"], ["by Kim"]],
            "Summe:, 5, from the shop, by Kim",
        ),
        ([["Total", None, "=SUM(C2:C3)"]], "Total"),
    ],
)
def test_sums_and_remarks_below_the_records_are_none(
    below: list[list[object]], left: str, load: Callable
) -> None:
    (result,) = load({"orders.xlsx": workbook(Orders=[*ORDERS, *below])})
    keys = {s for s, p, _ in triples(result.load) if p == "skos:notation"}
    assert keys == {"entity:order/o1", "entity:order/o2"}
    said = [note.text for note in result.load.notes]
    assert f"sheet Orders: left out: what stands below its records: {left}" in said


@pytest.mark.parametrize(
    "last", [["Total", None, 6, 3.75], ["Total", "Nut", 5, 3.75], ["o3", None, 5, 3.75]]
)
def test_what_may_be_no_sum_stays(last: list[object], load: Callable) -> None:
    (result,) = load({"orders.xlsx": workbook(Orders=[*ORDERS, last])})
    assert result.load.counts.read == 3


def test_a_name_alone_after_an_empty_row_of_two_columns_is_a_record(load: Callable) -> None:
    rows = [["name", "town"], ["Ann", "Bern"], ["Bo", "Zug"], [], ["Cy", None]]
    (result,) = load({"people.xlsx": workbook(People=rows)})
    assert result.load.counts.read == 3


def test_sheets_of_one_column_are_left_out_beside_tables_and_refused_alone(load: Callable) -> None:
    notes = [["Notes"], ["Do not edit."], ["Ask Kim."]]
    (result,) = load({"orders.xlsx": workbook(Orders=ORDERS, Notes=notes)})
    assert {o for _, p, o in triples(result.load) if p == "rdf:type"} == {"class:Order"}
    (note,) = [note.text for note in result.load.notes if note.warning]
    assert note == (
        "left out: one column is no table: sheet Notes; say with --mapping what a list means"
    )
    with pytest.raises(SourceUnreadable, match="one column is no table: sheet Notes"):
        load({"notes.xlsx": workbook(Notes=notes)})


@pytest.mark.parametrize("block", [128, 8 << 20])
def test_formulas_without_a_value_are_counted(
    block: int, load: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.ingest.formats.excel.BLOCK", block)
    rows = [[*ORDERS[0], "line"], [*ORDERS[1], "=C2*D2"], [*ORDERS[2], "=C3*D3"]]
    (result,) = load({"orders.xlsx": workbook(Orders=rows)})
    (note,) = [note.text for note in result.load.notes if "formulas" in note.text]
    assert note.startswith("2 formulas were never calculated and have no value: open the workbook")


def test_a_formula_that_is_an_empty_text_was_calculated(load: Callable) -> None:
    book = workbook(Orders=[[*ORDERS[0], "line"], [*ORDERS[1], '=IF(C2>9,C2,"")'], ORDERS[2]])
    said = io.BytesIO()
    with ZipFile(io.BytesIO(book)) as packed, ZipFile(said, "w") as out:
        for name in packed.namelist():
            sheet = re.sub(rb'<c r="E2"[^>]*>', b'<c r="E2" t="str">', packed.read(name))
            out.writestr(name, sheet)
    (result,) = load({"orders.xlsx": said.getvalue()})
    assert not any("formulas" in note.text for note in result.load.notes)


def test_a_workbook_that_expands_a_thousandfold_is_refused_before_it_is_unpacked(
    load: Callable,
) -> None:
    said = io.BytesIO(workbook(Orders=ORDERS))
    with ZipFile(said, "a", ZIP_DEFLATED) as out:
        out.writestr("xl/worksheets/sheet9.xml", b" " * (65 << 20))

    with pytest.raises(SourceUnreadable, match="decompression bomb does; export its sheets as CSV"):
        load({"orders.xlsx": said.getvalue()})


def test_a_workbook_with_a_damaged_part_is_refused(load: Callable) -> None:
    said = io.BytesIO(workbook(Orders=ORDERS))
    with ZipFile(said, "a") as out:
        out.writestr("xl/worksheets/sheet9.xml", b"<x>as it was</x>")
    damaged = said.getvalue().replace(b"as it was", b"as it is.")

    with pytest.raises(SourceUnreadable, match=r"no sound workbook \(Bad CRC-32"):
        load({"orders.xlsx": damaged})
