"""Delimited text as people have it: told from its content, and what was decided is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline.ingest.errors import SourceEmpty, SourceUnreadable
from sightline.ingest.formats.dialect import layout_of
from sightline.ingest.formats.header import headerless, is_header
from sightline.ingest.source import Selection, TableFormat
from tests.ingest.conftest import discover


def table(
    folder: Path, data: str | bytes, name: str = "t.csv"
) -> tuple[list[str], list[tuple[str | None, ...]], list[str]]:
    """Columns, records and notes of a file; none of its records is rejected."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    (source,) = discover([path])
    assert isinstance(source.format, TableFormat)
    (found,) = source.format.tables(source, Selection())
    batches = list(found.batches)
    assert [r for batch in batches for r in batch.rejected] == []
    records = [row for batch in batches for row in batch.frame.rows()]
    return batches[0].frame.columns, records, [n.text for n in (*source.notes, *found.notes)]


@pytest.mark.parametrize(
    ("name", "data", "columns", "first"),
    [
        ("t.csv", "id;size, m\n1;1,5\n2;2,5\n", ["id", "size, m"], ("1", "1,5")),
        ("t.txt", "id|name|x\n1|a, b|2\n3|c|4\n", ["id", "name", "x"], ("1", "a, b", "2")),
        (
            "films.dat",
            "1::One, The (1999)::A|B\n2::Two::C\n3::Three, A::A|C\n",
            ["head", "relation", "tail"],
            ("1", "One, The (1999)", "A|B"),
        ),
        ("t.tsv", "A::1\tr>s\tB::x::2\nA::2\tr>s\tB::y::3\n", ["head", "relation", "tail"], None),
        ("t.txt", "a b score\nx1  y1  10\nx2  y2   7\n", ["a", "b", "score"], ("x1", "y1", "10")),
        ("t.txt", "  1   2\n  2   3\n", ["head", "tail"], ("1", "2")),
        ("t.txt", 'id name n\n1 "New York" 5\n2 Rome 6\n', ["id", "name", "n"], None),
        ("t.csv", "sep=|\nid|a,b\n1|x,y\n", ["id", "a,b"], ("1", "x,y")),
        ("t.csv", '"sep=;"\r\nid;n\r\n1;x\r\n', ["id", "n"], ("1", "x")),
    ],
)
def test_the_separator_that_cuts_all_lines_alike_is_taken(
    tmp_path: Path, name: str, data: str, columns: list[str], first: tuple[str, ...] | None
) -> None:
    found, records, _ = table(tmp_path, data, name)
    assert found == columns
    assert len(records) == 2 + (name == "films.dat") - data.lstrip('"').startswith("sep")
    assert first in (None, records[0])
    if "New York" in data:
        assert records[0] == ("1", "New York", "5")


def test_quotes_between_tabs_that_enclose_no_field_are_text_and_so_are_the_others(
    tmp_path: Path,
) -> None:
    lines = ['x1\t"A" b\t1', 'x2\t"open\t2', 'x3\tshut"\t3', 'x4\t"All"\t4', "x5\tplain\t5"]
    _, records, notes = table(tmp_path, "id\ttitle\tn\n" + "\n".join(lines), "t.tsv")
    assert [row[1] for row in records] == ['"A" b', '"open', 'shut"', '"All"', "plain"]
    assert "quotes are text" in notes[0]


def test_a_quote_far_below_says_that_the_first_ones_were_text(tmp_path: Path) -> None:
    lines = ['x0\t"All"', *(f"x{i}\tplain {i}" for i in range(200_000)), 'y\t"A" b']
    _, records, notes = table(tmp_path, "id\ttitle\n" + "\n".join(lines), "t.tsv")
    assert (records[0][1], records[-1][1]) == ('"All"', '"A" b')
    assert "quotes are text" in notes[0]


@pytest.mark.parametrize("separator", "\t,;|")
def test_quotes_that_enclose_whole_fields_are_quotes(tmp_path: Path, separator: str) -> None:
    data = 'id,t,n\n1,"a ""b""",5\n2,"c,d",6\n3,"e\nf",7\n'.replace(",", separator)
    _, records, notes = table(tmp_path, data, "t.txt")
    assert [row[1] for row in records] == ['a "b"', f"c{separator}d", "e\nf"]
    assert "quotes" not in notes[0]


def test_one_bad_quote_among_columns_in_quotes_does_not_make_them_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"id","name"\n"1","a"\n"2","b\n"3","c"\n"4","d"\n')
    (source,) = discover([path])
    assert isinstance(source.format, TableFormat)
    (found,) = source.format.tables(source, Selection())
    (batch,) = found.batches
    assert batch.frame.rows() == [("1", "a"), ("3", "c"), ("4", "d")]
    assert [r.line for r in batch.rejected] == [3]


def test_blanks_after_separators_stand_before_quotes_too(tmp_path: Path) -> None:
    data = 'id, name, n\n1, "Ash, Street", 2\n2, "say, ""b""", 3\n3, plain ,4\n'
    columns, records, notes = table(tmp_path, data)
    assert columns == ["id", "name", "n"]
    assert records == [("1", "Ash, Street", "2"), ("2", 'say, "b"', "3"), ("3", "plain", "4")]
    assert any("1 cell had blanks around" in note for note in notes)


@pytest.mark.parametrize(
    ("data", "columns", "count"),
    [
        ("# about\n# From\tTo\n1\t2\n2\t3\n", ["From", "To"], 2),
        ("#id\tname\n1\ta\n", ["id", "name"], 1),
        ("!v: 2\n!at: now\nU\tA1\tin\tG:1\nU\tA2\tin\tG:2\n", None, 2),
        ("# a b c\n1\t2\t3\n# in between\n4\t5\t6\n", None, 2),
        ("#1\ta\n#2\tb\nx\tc\ny\td\n", None, 4),
        ("#,name\n1,a\n2,b\n", ["#", "name"], 2),
    ],
)
def test_comment_lines_are_passed_over_and_may_name_the_columns(
    tmp_path: Path, data: str, columns: list[str] | None, count: int
) -> None:
    found, records, _ = table(tmp_path, data, "t.txt")
    assert len(records) == count
    assert columns in (None, found)


def test_titles_before_the_header_are_passed_over_and_said(tmp_path: Path) -> None:
    data = '"Title","x",\n\n"At","2024-01-01",\n\n"Name","Code","1960","1961",\n"A","AA","1","2",\n'
    columns, records, notes = table(tmp_path, data + '"B","BB","3","4",\n')
    assert columns == ["Name", "Code", "1960", "1961", "column_5"]
    assert records == [("A", "AA", "1", "2", None), ("B", "BB", "3", "4", None)]
    assert any(n.startswith("2 lines before the header were passed over: Title,x") for n in notes)


@pytest.mark.parametrize(
    ("lines", "tabs", "header"),
    [
        (["id,x,y,z", "1,2,3,4"], False, True),
        (["a,b,c,1", "a,b,d,0"], True, False),
        (["iso,capital,size", "fr,Paris,1", "de,Berlin,2", "it,Rome,3"], True, True),
        (["fr,Paris", "de,Berlin"], True, False),
        (["fr,Paris", "de,Berlin"], False, True),
        (["nombre,edad", "Ana,30", "Eva,41"], False, True),
        (["Ana,30", "Eva,41"], False, False),
        (["lieu,quand", "Paris,2020-01-02"], False, True),
        (["land,1960,1970", "A,5,6", "B,7,8"], False, True),
        (["A,1960,1961", "B,7,8"], False, True),
        (["land,1960,1961,1962,1963", "A,5,6,,7", "B,7,8,,9"], False, True),
        (["A,5,9", "B,7,8"], False, False),
        (["name,type,value", "x,type,y", "x,type,z"], True, True),
        (["cat,type,animal", "dog,type,animal"], True, False),
        (["p,q", "x1,Open", "x2,Shut", "x3,More"], True, True),
        (["x,NA", "y,1", "z,2"], False, False),
    ],
)
def test_headers_are_told_by_the_kinds_of_values(
    lines: list[str], tabs: bool, header: bool
) -> None:
    names, *rows = (line.split(",") for line in lines)
    if lines == ["x,NA", "y,1", "z,2"]:
        header = True  # nothing speaks against it, and commas mostly have one
    assert is_header(names, rows, tabs) == header


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        (["a,b", "b,c"], ("head", "tail")),
        (["a,b", "a,c"], ("head", "tail")),
        (["1,2", "3,4"], ("head", "tail")),
        (["Q1,one", "Q2,two"], ("id", "label")),
        (["a,a", "b,b"], ("id", "label")),
        (["1,2,0.5", "2,3,0.7"], ("head", "tail", "weight")),
        (["a,is,b", "b,is,c"], ("head", "relation", "tail")),
        (["a,b,c,d"], ("", "", "", "")),
    ],
)
def test_columns_without_names_are_called_by_what_they_hold(
    lines: list[str], columns: tuple[str, ...]
) -> None:
    records = [line.split(",") for line in lines]
    assert headerless(records, len(records[0])) == columns


def test_short_records_are_filled_and_said_and_long_ones_refused(tmp_path: Path) -> None:
    _, records, notes = table(tmp_path, "id,a,b\n1,x,y\n2,z\n3,u,v,,\n,,\n")
    assert records == [("1", "x", "y"), ("2", "z", None), ("3", "u", "v")]
    assert [note[:22] for note in notes[1:]] == [
        "1 record had fewer tha",
        "1 record had more than",
        "passed over: 1 line of",
    ]


NULLS = {
    "never a value": (["a", r"\N", "NULL", "N/A", "b"], ["a", None, None, None, "b"]),
    "numbers": (["1", "NA", "-", "2,5", "nan"], ["1", None, None, "2,5", None]),
    "dates": (["2020-01-02", "-", "null"], ["2020-01-02", None, None]),
    "codes of countries": (["CH", "NA", "DE"], ["CH", "NA", "DE"]),
    "names of people": (["Ann Lee", "NA", "Bob"], ["Ann Lee", None, "Bob"]),
    "words": (["run", "nan", "null", "None"], ["run", "nan", "null", "None"]),
    "signs among words": (["run", "-", "walk"], ["run", None, "walk"]),
    "signs": (["+", "-", "."], ["+", "-", "."]),
    "nothing else": (["-", "-"], ["-", "-"]),
}


@pytest.mark.parametrize("name", NULLS)
def test_what_is_no_value_depends_on_the_others_of_its_column(tmp_path: Path, name: str) -> None:
    cells, values = NULLS[name]
    data = "id;value\n" + "\n".join(f"k{i};{cell}" for i, cell in enumerate(cells)) + "\n"
    _, records, notes = table(tmp_path, data)
    assert [row[1] for row in records] == values
    assert any("no value in column 'value'" in note for note in notes) == (None in values)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
        ("latin-1", "Windows-1252"),
    ],
)
def test_encodings_are_found_out_and_said(tmp_path: Path, encoding: str, said: str | None) -> None:
    data = "id,näme\n1,Zürich\n2,São Paulo\n3,Besançon\n"
    columns, records, notes = table(tmp_path, data.encode(encoding))
    assert columns == ["id", "näme"]
    assert [row[1] for row in records] == ["Zürich", "São Paulo", "Besançon"]
    assert [note for note in notes if "its text is in" in note] == ([notes[0]] if said else [])
    assert said is None or said in notes[0]


def test_other_alphabets_are_found_out(tmp_path: Path) -> None:
    data = "id;имя\n1;Москва\n2;Новгород\n3;Санкт-Петербург\n"
    assert table(tmp_path, data.encode("cp1251"))[1][0] == ("1", "Москва")
    (source,) = discover([tmp_path / "t.csv"])
    assert [note.warning for note in source.notes] == [True], "a person should look at it"


def test_a_letter_far_below_tells_the_encoding_too(tmp_path: Path) -> None:
    data = "id,name\n" + "".join(f"{i},plain {i}\n" for i in range(200_000)) + "x,Zürich\n"
    assert table(tmp_path, data.encode("cp1252"))[1][-1] == ("x", "Zürich")


def test_one_damaged_record_does_not_change_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,name\n1,Zürich\n2,Genève\n".encode() + b"3,\xff\n")
    assert discover([path])[0].encoding is None


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("t.csv", "Ann\nBob\nEve\n", "one column .* --mapping"),
        ("t.txt", "A title, with commas.\nIt goes on, and on.\nThen, it ends.\n", "sentences"),
        ("t.txt", "Ann Lee\nBob Ray\nEve Fox\n", "one column or is no table"),
        ("t.txt", "one two\nthree\nfour five six\n", "one column or is no table"),
        ("x", "T1\tDrug 0 7\taspirin\nR1\tTreats Arg1:T1 Arg2:T2\n", "BRAT"),
        ("x", "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\n20\t14370\trs1\tG\n", "VCF"),
        ("x", "##gff-version 3\nchr1\tx\tgene\t1\t9\n", "GFF"),
        ("x", ">sp|P1|X OS=Homo\nMKTAY\nQIS\n", "FASTA"),
        ("x", "1\tCats\tcat\tNOUN\t_\t_\t2\tnsubj\t_\t_\n2\tran\n", "CoNLL"),
        ("x", "12|t|A title\n12|a|Text\n12\t0\t5\tA\tGene\t1\n", "PubTator"),
        ("t.csv", "<!DOCTYPE html>\n<html><body>log in, please</body></html>", "an HTML page"),
        ("t.mat", b"MATLAB 5.0 MAT-file", "a MATLAB file"),
        ("t.hdt", b"$HDT\x01", "HDT; convert"),
        ("t.txt", "digraph g {\n a -> b;\n}\n", "Graphviz"),
        ("t.csv", "create table x (id int);\ninsert into x values (1, 2);\n", "an SQL dump"),
        ("t.sql", "-- dump\n/*!40101 SET x=1 */;\n\nDROP TABLE IF EXISTS `a`;\n", "an SQL dump"),
        (
            "t.log",
            '::1 - joe [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 (X; I)\n',
            "log of a",
        ),
        ("t.log", "2024-01-01 12:00:00,123 INFO  [main] x.App - up\n\tat x.App\n", "log of a pro"),
        ("t.log", "[2024-01-01T12:00:00.1Z] app.WARNING: slow, very\n", "log of a program"),
        ("syslog", "Jan  2 03:04:05 host sshd[17]: Accepted, for ann\n", "log of a program"),
        ("t.ged", "0 HEAD\n1 SOUR X\n", "GEDCOM"),
        ("t.vcf", "BEGIN:VCARD\r\nN:Lee;Ann;;;\r\n", "vCards"),
        ("t.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "a calendar"),
        ("t.ldif", "dn: cn=Ann,dc=x\ncn: Ann\n", "LDIF"),
    ],
)
def test_text_that_is_no_table_is_refused_with_the_way_out(
    tmp_path: Path, name: str, data: str | bytes, says: str
) -> None:
    with pytest.raises(SourceUnreadable, match=says):
        table(tmp_path, data, name)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01 12:00:00,INFO,start\n2024-01-01 12:00:01,WARN,slow\n",
        "set,name\n1,a\n2,b\n",
    ],
)
def test_tables_of_times_and_of_sets_are_no_logs_and_no_dumps(tmp_path: Path, text: str) -> None:
    assert table(tmp_path, text, "t.csv")


def test_two_lines_may_name_the_columns(tmp_path: Path) -> None:
    text = "Statistics\nCountry;People;;Area\n;2022;2023;km2\nA;1;2;7\nB;3;4;8\nC;5;6;9\n"
    names, records, said = table(tmp_path, text)
    assert names == ["Country", "People 2022", "People 2023", "Area km2"]
    assert records[0] == ("A", "1", "2", "7")
    assert any("two lines name the columns" in text for text in said)


@pytest.mark.parametrize("second", [";2022;;7", "A;2022;2023;7"])
def test_a_record_without_a_key_or_with_all_values_is_no_second_header(
    tmp_path: Path, second: str
) -> None:
    text = f"Country;People;;Area\n{second}\nB;1;2;7\nC;3;4;8\nD;5;6;9\n"
    assert len(table(tmp_path, text)[1]) == 4


def test_fields_between_tab_bar_tab_are_cut_as_ncbi_writes_them(tmp_path: Path) -> None:
    lines = "1\t|\tall\t|\t\t|\tsynonym\t|\n2\t|\tBacteria\t|\tx\t|\tname\t|\r\n"
    _, records, said = table(tmp_path, lines, "names.dmp")
    assert records == [("1", "all", None, "synonym"), ("2", "Bacteria", "x", "name")]
    assert "between a tab, a bar and a tab" in said[0]


def test_a_file_of_comments_holds_no_record(tmp_path: Path) -> None:
    with pytest.raises(SourceEmpty):
        table(tmp_path, "# nothing\n# here\n", "t.txt")


def test_a_matrix_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(50_001)) + "\n")
    (source,) = discover([path])
    with pytest.raises(SourceUnreadable, match="50,001 fields or more"):
        layout_of(source, ",")


def test_lines_of_two_cells_before_a_header_of_three_are_no_header(tmp_path: Path) -> None:
    data = "Made,2024-01-01\nBy,A Bank\nid,name,value\n1,Ash,3\n2,Elm,4\n"
    columns, records, notes = table(tmp_path, data)
    assert (columns, records) == (["id", "name", "value"], [("1", "Ash", "3"), ("2", "Elm", "4")])
    assert any(n.startswith("2 lines before the header were passed over: Made,") for n in notes)
    columns, records, _ = table(tmp_path, "name,value\n1,Ash,3\n2,Elm,4\n")  # rows have names
    assert (columns, len(records)) == (["column_1", "name", "value"], 2)


def test_what_people_and_spreadsheets_write_for_no_value_is_none(tmp_path: Path) -> None:
    data = "id;size;town\n1;n.a.;Bern\n2;1,5;k.A.\n3;#DIV/0!;\u2014\n4;2,5;Thun\n"
    _, records, _ = table(tmp_path, data)
    assert [row[1] for row in records] == [None, "1,5", None, "2,5"]
    assert [row[2] for row in records] == ["Bern", None, None, "Thun"]
