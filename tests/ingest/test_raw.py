"""A changed file takes the place of its former load; the raw record behind a fact is shown."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path
from zipfile import ZipFile

import pytest

from sightline.graph.errors import SightlineError
from sightline.graph.record.errors import UnknownLoad
from sightline.graph.record.loads import Load, active_loads
from sightline.graph.storage.workspace import Current, Workspace
from sightline.ingest.discover import Taking
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
    assert said.load.id == first.load.id
    assert str(said).endswith(
        ": rows added: 2 (line 5, line 6); removed: 1 (line 4); changed: 1 (line 3)"
    )
    assert str(said) in [note.text for note in second.load.notes]
    assert [load.id for load in active_loads(ws)] == [second.load.id]
    assert first.load.folder.is_dir(), "it is kept"
    file.write_text(BEFORE)
    (again,) = ingest(ws, [file])
    (back,) = again.replaced
    assert (again.known, back.added.count, back.removed.count) == (True, 1, 2)
    assert [load.id for load in active_loads(ws)] == [first.load.id]


def test_rows_of_one_subject_are_changed_one_by_one(ws: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "likes.csv"
    file.write_text("head,relation,tail\na,likes,x\na,likes,y\nb,likes,x\n")
    ingest(ws, [file])
    file.write_text("head,relation,tail\na,likes,z\nb,likes,x\n")
    ((said,),) = (result.replaced for result in ingest(ws, [file]))
    assert [said.added.count, said.removed.count, said.changed.count] == [0, 1, 1]


def test_equal_files_elsewhere_are_not_replaced(ws: Workspace, tmp_path: Path) -> None:
    for name, text in (("a.csv", BEFORE), ("b.csv", AFTER)):
        (tmp_path / name).write_text(text)
        ingest(ws, [tmp_path / name])
    assert len(active_loads(ws)) == 2


def test_a_source_with_a_name_is_the_same_wherever_it_lies(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may, june = (tmp_path / month / "people.csv" for month in ("may", "june"))
    for file, text in ((may, BEFORE), (june, AFTER)):
        file.parent.mkdir()
        file.write_text(text)

    def replaced_by(source: str | Path, name: str | None = None) -> tuple[Load, list[str]]:
        (made,) = ingest(ws, [source], taking=Taking(called=name))
        return made.load, [one.load.id for one in made.replaced]

    first, _ = replaced_by(may, "crm")
    second, former = replaced_by(june, "crm")
    assert former == [first.id]
    assert (second.called, second.source) == ("crm", "people.csv")
    assert source_record(ws, "crm", "2").load == second.id
    assert replaced_by(june, "other")[1] == [], "two names of one file are two sources"
    june.write_text(BEFORE + "z,Zoe,Rhine\n")
    assert replaced_by(june, "third")[1] == []
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"x" + BEFORE.encode())))
    assert replaced_by("-", "crm")[1] == [second.id]
    assert {load.called for load in active_loads(ws)} == {"crm", "other", "third"}
    nameless, former = replaced_by(may)
    assert former == []
    assert replaced_by(may, "may")[1] == [nameless.id], "what had no name has one now"


@pytest.mark.parametrize(
    ("files", "name", "says"),
    [
        (("a.csv", "b.csv"), "crm", r"'crm' is the name of one source, and these are 2: .*a\.csv"),
        (("a.csv", "gone.csv"), "crm", "these are 2"),
        (("gone.csv",), "crm", "no such file"),
        (("a.csv",), " ", "is no name"),
        (("a.csv",), "a\nb", "is no name"),
        (("a.csv",), "x" * 201, "is no name"),
    ],
)
def test_a_name_is_that_of_one_source(
    ws: Workspace, tmp_path: Path, files: tuple[str, ...], name: str, says: str
) -> None:
    for file in ("a.csv", "b.csv"):
        (tmp_path / file).write_text(BEFORE)
    with pytest.raises(SightlineError, match=says):
        ingest(ws, [tmp_path / file for file in files], taking=Taking(called=name))
    assert active_loads(ws) == []


def test_what_comes_from_no_place_or_from_another_archive_replaces_nothing(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("one", BEFORE), ("two", AFTER)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with ZipFile("data.zip", "w") as archive:
            archive.writestr("people.csv", text)
        (member,) = ingest(ws, ["data.zip"])
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"x" + text.encode())))
        (piped,) = ingest(ws, ["-"])
        assert member.replaced == piped.replaced == ()
    assert len(active_loads(ws)) == 4
    assert piped.load.source == "stdin"
    with pytest.raises(UnknownLoad, match="not the only one"):
        source_record(ws, "stdin", "2")
    with ZipFile("data.zip", "w") as archive:
        archive.writestr("people.csv", BEFORE + "z,Zoe,Rhine\n")
    assert ingest(ws, ["data.zip"])[0].replaced[0].load.id == member.load.id


def test_a_load_and_the_one_it_replaces_change_places_in_one_step(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(BEFORE)
    (first,) = ingest(ws, [file])
    file.write_text(AFTER)
    write, left = Workspace._write_current, [1]  # the load that waits is written down first

    def killed(self: Workspace, current: Current) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        write(self, current)

    monkeypatch.setattr(Workspace, "_write_current", killed)
    with pytest.raises(KeyboardInterrupt):
        ingest(ws, [file])
    monkeypatch.undo()
    assert [load.id for load in active_loads(ws)] == [first.load.id]
    assert ingest(ws, [file])[0].replaced[0].load.id == first.load.id


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
    for at in ("0", "99", "1" + "0" * 11, f"line {10**11}", "0" * 12 + "3", f"line {'9' * 5000}"):
        with pytest.raises(NoSuchRow):
            source_record(ws, "people.csv", at)
    with pytest.raises(UnknownLoad):
        source_record(ws, "peeple.csv", "3")


def test_the_record_of_a_table_is_that_of_its_own_rows(ws: Workspace, tmp_path: Path) -> None:
    ingest(ws, [shop(tmp_path / "shop.sqlite")])
    record = source_record(ws, "shop.sqlite", "thing!2")
    assert (record.row, record.place) == (4, "table thing, row 2")
    assert ("name", ("Nut",)) in [(cell.column, cell.values) for cell in record.cells]
    assert source_record(ws, "shop.sqlite", "4") == record


def test_the_record_of_a_document_of_rdf_is_its_statement(ws: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "people.ttl"
    file.write_text("<#a> <#knows> <#b> .\n")
    ingest(ws, [file])
    record = source_record(ws, "people.ttl", "statement 1")
    assert [cell.values for cell in record.cells if cell.column == "object"] == [
        (f"{ws.settings.base}file/people.ttl#b",)
    ]


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


def test_a_file_that_was_moved_is_found_once_it_is_loaded_again(
    ws: Workspace, tmp_path: Path
) -> None:
    file, moved = tmp_path / "people.csv", tmp_path / "else" / "people.csv"
    moved.parent.mkdir()
    file.write_text(BEFORE)
    (first,) = ingest(ws, [file])
    moved.write_text(BEFORE)
    (copy,) = ingest(ws, [moved])
    assert (copy.known, copy.load.path) == (True, str(file))
    file.unlink()
    (again,) = ingest(ws, [moved])
    assert (again.known, again.load) == (True, Load.read(first.load.folder))
    again.load.verify()
    assert source_record(ws, "people.csv", "3").raw == "b,Bo,Rhine"


def test_a_member_stays_in_the_archive_that_is_still_there(ws: Workspace, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        with ZipFile(tmp_path / name, "w") as packed:
            packed.writestr("people.csv", BEFORE)
    (first,) = ingest(ws, [tmp_path / "one.zip"])
    (copy,) = ingest(ws, [tmp_path / "two.zip"])
    assert (copy.known, copy.load.path) == (True, first.load.path)


def test_the_record_of_a_file_is_read_as_it_was_loaded(ws: Workspace, tmp_path: Path) -> None:
    """From an archive, in an encoding and a format that nobody would find out."""
    packed = tmp_path / "data.zip"
    with ZipFile(packed, "w") as archive:
        archive.writestr("a/people.csv", BEFORE)
        archive.writestr("b/people.csv", AFTER)
    ingest(ws, [packed])
    assert source_record(ws, "a/people.csv", "3").raw == "b,Bo,Rhine"
    assert source_record(ws, "b/people.csv", "3").raw == "b,Bob,Rhine"
    (tmp_path / "greek.data").write_bytes("id|name\n1|Ωμέγα\n2|Άλφα\n".encode("iso-8859-7"))
    ingest(ws, [tmp_path / "greek.data"], taking=Taking(encoding="iso-8859-7", format="csv"))
    record = source_record(ws, "greek.data", "2")
    assert [cell.values for cell in record.cells] == [("1",), ("Ωμέγα",)]
    with ZipFile(packed, "w") as archive:
        archive.writestr("a/people.csv", AFTER)
    with pytest.raises(RawFileChanged):
        source_record(ws, "a/people.csv", "3")
    with pytest.raises(RawFileGone) as gone:
        source_record(ws, "b/people.csv", "3")
    assert str(tmp_path) not in str(gone.value)
