"""A report says the same in every file, and hostile labels stay text."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from sightline.graph.errors import OutOfRange
from sightline.graph.progress import silent
from sightline.graph.storage.artifact import verify_artifact
from sightline.graph.storage.errors import NotWritable
from sightline.insights import report
from sightline.insights.records import Fact, Path
from sightline.insights.report import write_report
from sightline.insights.surprising import most_surprising
from tests.graph.conftest import literal
from tests.insights.conftest import MODEL, ROWS, Model, World, name_of

RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
SCRIPT = "<script>alert(1)</script>"
HANDLER = '" onclick="alert(2)'
FORMULA = "=HYPERLINK(1)"
SCORES = {("bob", "lives_in", "york"): 9.0, ("dot", "lives_in", "bern"): 8.0}
CALIBRATION = {"abstain_below": 0.1}


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def written(world, names=(), out=None):
    entities = [world.id(name) for name in names]
    return write_report(world.ws, world.sight, entities, out, silent)


def test_a_report_holds_what_is_stated_predicted_and_similar(world_of) -> None:
    world = world_of(model=Model(SCORES, calibration=CALIBRATION))
    metrics = {
        "student": {"test": {"mrr": 0.4321, "hits_at_10": 0.75}},
        "teacher": {"test": {"mrr": None, "hits_at_10": None}},
        "calibration": {"test": {"ece": 0.0123}},
    }
    (world.ws.models / MODEL / "metrics.json").write_text(json.dumps(metrics))
    world = World(world.ws)
    folder = written(world, ["bob", "ann"])
    assert folder.parent == world.ws.reports
    verify_artifact(folder, full=True)
    said = json.loads((folder / "report.json").read_bytes())
    assert [s["view"]["entity"]["label"] for s in said["sections"]] == ["Bob", "Ann"]
    bob = said["sections"][0]
    assert [item["tail"]["label"] for item in bob["stated"]] == ["Acme"]
    assert bob["predicted"][0]["tail"]["label"] == "York"
    assert bob["predicted"][0]["support"][0]["text"].startswith("Bob —works at→ Acme")
    assert {item["entity"]["label"] for item in bob["similar"]} == {"Ann", "Cid", "Dot"}
    assert said["model"]["test"]["student"]["mrr"] == 0.4321
    page = Page((folder / "report.html").read_text())
    figures = ("0.432", "75 %", "1.2 points", "10 %")
    for text in ("Bob", "York", "Acme located in York", "a.csv, row 3", *figures):
        assert text in page.text
    assert page.text.index("Bob and Ann: 2 facts that may be missing") < page.text.index("Insights")


def test_the_page_needs_nothing_from_anywhere(world_of) -> None:
    page = Page((written(world_of()) / "report.html").read_text())
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    links = [value for name, value in page.attributes if name in ("href", "src")]
    assert links
    assert all(value is not None and value.startswith("#") for value in links)


def test_hostile_labels_stay_text(world_of) -> None:
    rows = [row for row in ROWS if row.get("predicate") != RDFS_LABEL]
    hostile = {
        "bob": SCRIPT,
        "york": HANDLER,
        "acme": "</style>{{ 7 * 7 }}{% raw %}",
        "ann": "&lt;",
    }
    rows += [literal(name, RDFS_LABEL, text) for name, text in hostile.items()]
    rows += [literal("bob", "https://schema.org/description", SCRIPT)]
    world = world_of(rows, Model(SCORES, calibration=CALIBRATION))
    html = (written(world) / "report.html").read_text()
    page = Page(html)
    assert "script" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for text in hostile.values():
        assert text in page.text
    assert "49" not in re.sub(r"[0-9a-f]{8,}", "", page.text)


def test_a_label_turns_no_text_around_it_and_fills_no_page(world_of) -> None:
    rows = [row for row in ROWS if row.get("predicate") != RDFS_LABEL]
    rows += [literal(name, RDFS_LABEL, "\u202e" + 500 * name) for name in ("bob", "york", "acme")]
    html = (written(world_of(rows, Model(SCORES))) / "report.html").read_text()
    body = html.partition("</head>")[2]
    assert "\u202e" in body
    assert "\u202e" not in re.sub("<bdi[^>]*>[^<]{,200}</bdi>", "", body)


def test_guesses_stand_behind_one_line(world_of) -> None:
    folder = written(world_of(model=Model(SCORES, calibration={"abstain_below": 0.99})), ["bob"])
    guesses = json.loads((folder / "report.json").read_bytes())["sections"][0]["predicted"]
    html = (folder / "report.html").read_text()
    assert guesses
    assert re.search(rf">{len(guesses)} guess(es)? below 99 %</summary>", html)
    assert "no fact seems to be missing" in html
    assert html.index("<summary>") < html.index('class="found"')


@pytest.mark.parametrize("first", ["=1+1", "@SUM(1)", "\nx"])
def test_no_cell_of_a_table_is_a_formula(world_of, first) -> None:
    rows = [row for row in ROWS if row.get("predicate") != RDFS_LABEL]
    rows += [literal(name, RDFS_LABEL, first + name) for name in ("bob", "york")]
    world = world_of(rows, Model(SCORES))
    folder = written(world, ["bob"])
    for name in ("facts", "predictions"):
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
            lines = list(csv.DictReader(stream))
        assert lines
        for line in lines:
            for column, cell in line.items():
                if column not in ("probability", "probability_if_any", "surprising"):
                    assert not cell.startswith(("=", "@", "\n"))
            assert line["head_label"] == f"'{first}bob"


def test_every_file_says_the_same(world_of) -> None:
    world = world_of(model=Model(SCORES))
    folder = written(world)
    said = json.loads((folder / "report.json").read_bytes())
    predicted = [p for section in said["sections"] for p in section["predicted"]]
    frame = pl.read_parquet(folder / "predictions.parquet")
    assert frame["probability"].to_list() == [p["probability"] for p in predicted]
    assert frame["tail_label"].to_list() == [p["tail"]["label"] for p in predicted]
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert [float(line["probability"]) for line in lines] == frame["probability"].to_list()
    assert [line["why"] for line in lines] == frame["why"].to_list()
    stated = [item for section in said["sections"] for item in section["stated"]]
    assert pl.read_parquet(folder / "facts.parquet").height == len(stated)


def test_without_entities_the_best_connected_are_taken(world_of, monkeypatch) -> None:
    monkeypatch.setattr(report, "DEFAULT_ENTITIES", 2)
    folder = written(world_of())
    said = json.loads((folder / "report.json").read_bytes())
    assert [s["view"]["entity"]["label"] for s in said["sections"]] == ["Acme", "Bolt"]


def test_the_most_surprising_facts_are_likely_and_no_pair_comes_twice(world_of) -> None:
    world = world_of(model=Model(SCORES, calibration={"base_rate": 0.1, **CALIBRATION}))
    said = json.loads((written(world) / "report.json").read_bytes())
    pairs = [frozenset((p["head"]["id"], p["tail"]["id"])) for p in said["surprising"]]
    assert pairs == [
        frozenset(("entity:bob", "entity:york")),
        frozenset(("entity:dot", "entity:bern")),
    ]
    assert all(p["probability_if_any"] >= 0.1 and p["surprising"] > 0 for p in said["surprising"])


def test_without_calibration_nothing_is_called_surprising(world_of) -> None:
    world = world_of(model=Model(SCORES, calibration={"base_rate": None, "abstain_below": 1.0}))
    folder = written(world)
    assert json.loads((folder / "report.json").read_bytes())["surprising"] == []
    assert "take every one as a guess" in Page((folder / "report.html").read_text()).text


def test_without_a_model_the_report_says_so(world_of) -> None:
    page = Page((written(world_of(model=None), ["bob"]) / "report.html").read_text())
    assert "sightline train" in page.text
    assert "Predicted" not in page.text


def test_an_entity_that_the_model_does_not_know_is_told_apart(world_of) -> None:
    world = world_of(model=Model(without=["bob"]))
    page = Page((written(world, ["bob", "dot"]) / "report.html").read_text())
    assert "the model does not know entity" in page.text
    assert "Bern" in page.text


def test_the_same_question_gives_the_same_report(world_of, tmp_path) -> None:
    world = world_of(model=Model(SCORES))
    first = written(world, ["bob"])
    content = {path.name: path.read_bytes() for path in first.iterdir()}
    second = written(world, ["bob", "bob"])
    assert second == first
    assert {path.name: path.read_bytes() for path in second.iterdir()} == content
    assert written(world, ["ann"]) != first
    elsewhere = written(world, ["bob"], tmp_path / "out" / "mine")
    assert elsewhere == tmp_path / "out" / "mine"
    assert (elsewhere / "report.json").read_bytes() == content["report.json"]


def test_other_files_are_never_overwritten(world_of, tmp_path) -> None:
    world = world_of()
    folder = tmp_path / "precious"
    folder.mkdir()
    written(world, ["bob"], folder)
    written(world, ["ann"], folder)
    full = tmp_path / "full"
    full.mkdir()
    (full / "manifest.json").write_text("[]")
    for out in (full, full / "manifest.json"):
        with pytest.raises(NotWritable, match="choose another folder"):
            written(world, ["bob"], out)
    assert [path.name for path in full.iterdir()] == ["manifest.json"]


def test_too_many_entities_are_refused(world_of, monkeypatch) -> None:
    monkeypatch.setattr(report, "MAX_ENTITIES", 1)
    world = world_of()
    with pytest.raises(OutOfRange, match="number of entities"):
        written(world, ["bob", "ann"])
    assert not world.ws.reports.exists()


def test_what_all_stated_facts_forbid_is_not_surprising(world_of) -> None:
    """Ten people live in one town each; that one lives in another one too cannot be."""
    lives = [(f"p{i}", "lives_in", f"t{i % 3}") for i in range(12)]
    world = world_of([*lives, ("p12", "knows", "p1")], model=Model())
    path = (Path("", (), 1.0, "", 1),)
    facts = [
        Fact(
            world.sight.names.entity(world.id(head)),
            world.sight.names.relation(world.relation("lives_in")),
            world.sight.names.entity(world.id("t1")),
            *("out", "predicted", 0.5, 0.5, False, 1, 1.0, 1.0, path, None, None, None, (), ()),
        )
        for head in ("p0", "p12")
    ]
    assert [name_of(f.head) for f in most_surprising(world.sight, facts, 2)] == ["p12"]
    assert most_surprising(world.sight, [replace(f, support=()) for f in facts], 2) == ()
