"""Texts: sentences with their places, whatever markup is around them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sightline.graph.extraction.sentences import LONGEST, sentences
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.discover import survey
from sightline.ingest.load import ingest
from sightline.ingest.raw import source_record
from tests.ingest.conftest import discover

MARKDOWN = """---
title: left out. Wholly.
---
# Rivers of *Europe*

The **Danube** rises in [Germany](http://x.org/a_b). It flows through
Austria, e.g. by Vienna. ![pic](a.png)

```
code. Not text.
```
- An item about Dr. Smith. A second one!

## Lakes
Lake Geneva is deep.
"""
HTML = """<!doctype html><html><head><title>T</title><script>var x="A b. C.";</script>
<body><h1>Salt &amp; water</h1><p>The <b>Dan</b>ube <script>A("<p>b.")</script>rises. Next
<a href="x">one</a>.
<script>evil("<p>x.")</script><div>Last <!-- gone. --> block.</div><style>p{}</style>"""


def loaded(tmp_path: Path, name: str, text: str) -> tuple[Workspace, list[tuple[int, str, str]]]:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    ws = Workspace.create(tmp_path / "ws")
    (result,) = ingest(ws, [path])
    assert result.load.role == "text"
    frame = pl.concat([pl.read_parquet(file) for file in result.load.statements])
    found = []
    for row in frame.iter_rows(named=True):
        said = {one["key"].rpartition("/")[2]: one["value"] for one in row["qualifiers"]}
        found.append((row["row"], row["object"], said.get("articleSection", "")))
    return ws, found


def test_markdown_gives_its_sentences_where_they_stand(tmp_path: Path) -> None:
    ws, found = loaded(tmp_path, "rivers.md", MARKDOWN)
    assert [(text, section) for _, text, section in found] == [
        ("Rivers of Europe", "Rivers of Europe"),
        ("The Danube rises in Germany.", "Rivers of Europe"),
        ("It flows through Austria, e.g. by Vienna.", "Rivers of Europe"),
        ("An item about Dr. Smith.", "Rivers of Europe"),
        ("A second one!", "Rivers of Europe"),
        ("Lakes", "Rivers of Europe / Lakes"),
        ("Lake Geneva is deep.", "Rivers of Europe / Lakes"),
    ]
    row = next(row for row, text, _ in found if text.startswith("It flows"))
    assert MARKDOWN[row - 1 :].startswith("It flows through\nAustria")
    record = source_record(ws, "rivers.md", f"character {row}")
    assert record.raw == "It flows through Austria, e.g. by Vienna."
    assert record.facts == ()  # a sentence is no fact
    assert [cell.column for cell in record.cells] == ["sentence", "end", "articleSection"]


def test_a_page_gives_what_it_shows(tmp_path: Path) -> None:
    _, found = loaded(tmp_path, "page.html", HTML)
    assert [text for _, text, _ in found] == [
        "Salt & water",
        "The Danube rises.",
        "Next one.",
        "Last block.",
    ]
    assert {section for _, _, section in found} == {"Salt & water"}
    assert HTML[found[2][0] - 1 :].startswith("Next\n<a")


def test_prose_in_txt_is_a_text_and_a_table_stays_one(tmp_path: Path) -> None:
    prose = "Bern is the capital of Switzerland. It lies on the Aare.\n\nA third, for once.\n"
    (tmp_path / "bern.txt").write_text(prose)
    (tmp_path / "README.md").write_text(prose)
    (tmp_path / "facts.txt").write_text("Bern\tcapital of\tSwitzerland\n")
    (tmp_path / "names.txt").write_text("id,name\n1,Bern\n2,Aare. The river\n")
    found = survey([tmp_path])
    told = {source.name: source.format.name for source in found.sources}
    assert told == {"bern.txt": "text", "facts.txt": "tsv", "names.txt": "tsv"}
    assert [path.name for path, _ in found.passed] == ["README.md"]
    assert [source.name for source in discover([tmp_path / "README.md"])] == ["README.md"]


@pytest.mark.parametrize(
    "text", ["word " * 30_000, "word. " * 30_000, "x" * 200_000, "漢字。" * 20_000, "a\0b " * 9_000]
)
def test_endless_sentences_are_cut(tmp_path: Path, text: str) -> None:
    _, found = loaded(tmp_path, "long.md", text)
    assert found
    assert max(len(one) for _, one, _ in found) <= LONGEST


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is 3.5 m high. Mt. Etna, by J. Doe et al. in Fig. 2, is not.", 2),
        ("東京は首都。京都は古い。", 2),
        ("Was it? 'Yes!' He went", 3),
        ("no mark at all", 1),
        ("", 0),
    ],
)
def test_where_sentences_end(text: str, count: int) -> None:
    assert len(list(sentences(text))) == count
