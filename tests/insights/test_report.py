"""A report says the same in every file, and hostile labels stay text."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import polars as pl
import pytest

from sightline.graph.errors import OutOfRange
from sightline.graph.progress import silent
from sightline.graph.storage.artifact import verify_artifact
from sightline.graph.storage.errors import NotWritable
from sightline.insights.errors import BadSections
from sightline.insights.kinds import communities, insights
from sightline.insights.records import EntityRef, Path, Ref, Step
from sightline.insights.report import compose, plots, write
from sightline.insights.report.choice import (
    SECTIONS,
    limits_of_entities,
    read_sections,
    sections_of,
)
from sightline.insights.report.policy import policy, script
from sightline.insights.report.write import write_report
from tests.graph.conftest import literal
from tests.insights.conftest import MODEL, ROWS, Model, World

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


#: Without what asks the whole graph, which takes seconds.
QUICK = ("insights", "entities", "method", "sources")


def written(world, names=(), out=None, sections=QUICK, progress=silent):
    entities = [world.id(name) for name in names]
    chosen = None if sections is None else sections_of(list(sections))
    return write_report(world.ws, world.sight, entities, out, progress, chosen)


def test_a_report_holds_what_is_stated_predicted_and_similar(world_of) -> None:
    world = world_of(model=Model(SCORES, calibration=CALIBRATION))
    metrics = {
        "student": {"test": {"mrr": 0.4321, "hits_at_10": 0.75}},
        "teacher": {"test": {"mrr": None, "hits_at_10": None}},
        "calibration": {"test": {"ece": 0.0123}},
    }
    (world.ws.models / MODEL / "metrics.json").write_text(json.dumps(metrics))
    world = World(world.ws)
    folder = written(world, ["bob", "ann"], sections=None)
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
    order = ["Bob and Ann: 2 facts that may be missing", "In the whole graph", "Insights"]
    order += ["The graph and the model", "2 entities", "How to read this", "Sources"]
    assert sorted(order, key=page.text.index) == order


def test_what_all_stated_facts_forbid_is_left_out_and_counted(world_of) -> None:
    lives = [(f"p{i}", "lives_in", f"t{i % 3}") for i in range(12)]
    rows = [*lives, *(("p12", "knows", f"p{i}") for i in (1, 4))]
    # t1 is asked who lives there: p0, who lives elsewhere, is as likely as p12, who lives nowhere.
    scores = {("p0", "lives_in", "t1"): 9.0, ("p12", "lives_in", "t1"): 9.0}
    world = world_of(rows, model=Model(scores, calibration=CALIBRATION))

    said = json.loads((written(world, ["t1"]) / "report.json").read_bytes())["sections"][0]

    assert [fact["head"]["id"] for fact in said["predicted"]][:1] == ["entity:p12"]
    assert "entity:p0" not in [fact["head"]["id"] for fact in said["predicted"]]
    assert said["note"].startswith("left out: ")
    assert said["note"].endswith(
        "all stated facts keep a constraint that they break: "
        "lives in is functional: a head has one tail; all 12 cases keep it"
    )


def test_the_page_needs_nothing_from_anywhere(world_of) -> None:
    html = (written(world_of()) / "report.html").read_text()
    page = Page(html)
    assert not {"link", "img", "iframe"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert f"<script>{script()}</script>" in html
    assert ("content", policy()) in page.attributes
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
    assert page.tags.count("script") == 1
    assert SCRIPT not in html
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for text in hostile.values():
        assert text in page.text
    assert "49" not in re.sub(r"[0-9a-f]{8,}", "", page.text.partition("<script>")[0])
    markdown = (world.ws.reports / report_of(world) / "report.md").read_text()
    assert r"\<script\>alert(1)\</script\>" in markdown
    assert "<" not in markdown.replace(r"\<", "")


def test_a_label_turns_no_text_around_it_and_fills_no_page(world_of) -> None:
    rows = [row for row in ROWS if row.get("predicate") != RDFS_LABEL]
    rows += [literal(name, RDFS_LABEL, "\u202e" + 500 * name) for name in ("bob", "york", "acme")]
    html = (written(world_of(rows, Model(SCORES))) / "report.html").read_text()
    body = html.partition("</head>")[2]
    assert "\u202e" in body
    # What is in a drawing or a hint is a line of its own.
    alone = "<bdi[^>]*>[^<]{,220}</bdi>"
    assert "\u202e" not in re.sub(alone, "", body)


def test_guesses_stand_behind_one_line(world_of) -> None:
    folder = written(world_of(model=Model(SCORES, calibration={"abstain_below": 0.99})), ["bob"])
    guesses = json.loads((folder / "report.json").read_bytes())["sections"][0]["predicted"]
    html = (folder / "report.html").read_text()
    assert guesses
    assert re.search(rf">{len(guesses)} guess(es)? below 99 %</summary>", html)
    assert "no fact seems to be missing" in html
    assert html.index("below 99 %</summary>") < html.index('class="found"')


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
    monkeypatch.setattr(write, "DEFAULT_ENTITIES", 2)
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
    assert said["faithful"] == []
    assert said["faithful_note"].startswith("not measured: the served model reads no facts")


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


def test_how_many_entities_the_findings_ask_about_is_no_matter_of_the_clock(
    world_of, monkeypatch
) -> None:
    world = world_of(model=Model(SCORES, calibration=CALIBRATION))
    monkeypatch.setattr(compose, "WORK", 2 * world.sight.snapshot.num_entities)
    folder = written(world, ["ann"], sections=["findings"])
    found = json.loads((folder / "report.json").read_bytes())["findings"]
    linked = int((world.sight.snapshot.degree > 0).sum())
    assert found["reason"] == (
        f"a report cut the search for: likely missing fact (2 of {linked} entities are asked about)"
    )


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
    monkeypatch.setattr(write, "MAX_ENTITIES", 1)
    world = world_of()
    with pytest.raises(OutOfRange, match="number of entities"):
        written(world, ["bob", "ann"])
    assert not world.ws.reports.exists()


def report_of(world) -> str:
    (folder,) = world.ws.reports.iterdir()
    return folder.name


def test_sections_are_those_that_are_named_in_their_order(world_of, tmp_path, monkeypatch) -> None:
    """What is not shown is not asked either."""
    monkeypatch.setattr(insights, "findings", None)
    monkeypatch.setattr(communities, "KIND", None)
    file = tmp_path / "short.yaml"
    file.write_text("sections:\n  - sources\n  - entities: {stated: 1, similar: 0}\n")
    world = world_of(model=Model(SCORES, calibration=CALIBRATION))
    folder = write_report(
        world.ws, world.sight, [world.id("ann")], None, silent, read_sections(file)
    )
    text = Page((folder / "report.html").read_text()).text
    assert text.index("Sources") < text.index("Predicted")
    for absent in ("How to read this", "Insights", "In the whole graph", "The graph and the"):
        assert absent not in text
    said = json.loads((folder / "report.json").read_bytes())
    assert (len(said["sections"][0]["stated"]), said["sections"][0]["similar"]) == (1, [])
    assert (said["findings"], said["plots"], said["surprising"]) == (None, None, [])
    assert folder != written(world, ["ann"], sections=["sources"])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["insight"], "section 1: there is no section 'insight'; did you mean 'insights'?"),
        (["method", 7], "section 2 is a number or date, and has to be a name"),
        (["method", "method"], "section 2 is 'method' again"),
        ([{"entities": {"stat": 3}}], "entities: there is no limit 'stat'; did you mean 'stated'?"),
        ([{"entities": {"stated": 101}}], "stated is 101; allowed are whole numbers from 0 to 100"),
        ([{"insights": {"limit": True}}], "limit is True; allowed are whole numbers"),
        ([{"insights": [5]}], "the limits of insights are a list; write `insights: {limit: 15}`"),
        ([{"method": {"limit": 1}}], "method: there is no limit 'limit'; there is none"),
        ({"parts": []}, "there is no key 'parts'"),
        ("method", "sections is a text, and has to be a list"),
        ([], "the list of sections is empty"),
    ],
)
def test_sections_that_are_wrong_say_what_is_right(asked, says) -> None:
    with pytest.raises(BadSections, match=re.escape(says)):
        sections_of(asked)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: [", "sections.yaml: line 1: no YAML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 3000, "nested too deeply"),
        (b"- 2026-13-45", "a value in it cannot be read"),
        (b"- method: " + 5000 * b"9", "a value in it cannot be read"),
        (b"- entities: {stated: 1, stated: 2}", "key 'stated' comes twice"),
        (None, "cannot be read"),
    ],
)
def test_a_file_of_sections_that_cannot_be_read(tmp_path, content, says) -> None:
    file = tmp_path / "sections.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadSections, match=says) as found:
        read_sections(file)
    assert str(tmp_path) not in str(found.value)


def test_a_report_that_was_stopped_goes_on_where_it_was(world_of, tmp_path, monkeypatch) -> None:
    world = world_of(model=Model(SCORES))
    whole = written(world, ["ann", "bob", "cid"], tmp_path / "whole")

    def stop(stage, done, total, note) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(world, ["ann", "bob", "cid"], progress=stop)
    assert not world.ws.reports.exists()
    (kept,) = world.ws.work.glob("report-*")
    lines = kept.read_bytes()
    # The second one was not written to its end.
    kept.write_bytes(lines[:-7])
    asked: list[int] = []
    monkeypatch.setattr(
        write,
        "sections_about",
        lambda *given: asked.extend(given[1]) or compose.sections_about(*given),
    )
    folder = written(world, ["ann", "bob", "cid"])
    assert asked == [world.id("bob"), world.id("cid")]
    assert not kept.exists()
    for path in whole.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_page_tells_of_the_first_at_length_and_lists_all(world_of, monkeypatch) -> None:
    monkeypatch.setattr(write, "AT_LENGTH", 1)
    folder = written(world_of(model=Model(SCORES)), ["ann", "bob"])
    html = (folder / "report.html").read_text()
    assert html.count("<section>") == 1
    assert "The first 1 are told of at length" in html
    table = html.partition('<table class="sorts">')[2].partition("</table>")[0]
    assert re.findall("<bdi>(Ann|Bob)</bdi>", table) == ["Ann", "Bob"]
    assert len(json.loads((folder / "report.json").read_bytes())["sections"]) == 2


def test_measured_chances_degrees_and_communities_are_drawn(world_of) -> None:
    world = world_of(model=Model(SCORES))
    bins = [[0.1, 0.0], [0.5, 0.75]]
    metrics = {"calibration": {"test": {"ece": 0.1, "bins": bins}}}
    (world.ws.models / MODEL / "metrics.json").write_text(json.dumps(metrics))
    folder = written(World(world.ws), sections=["plots"])
    said = json.loads((folder / "report.json").read_bytes())["plots"]
    assert said["chances"] == bins
    degrees = World(world.ws).graph.degree
    assert sum(one["entities"] for one in said["degrees"]) == len(degrees)
    for one in said["degrees"]:
        assert one["entities"] == sum(one["low"] <= d <= one["high"] for d in degrees)
    assert said["communities"]["communities"]
    html = (folder / "report.html").read_text()
    assert "<title>said 50.0%, true 75.0%</title>" in html
    assert html.count('<svg class="plot"') >= 3


def ref(name: str) -> EntityRef:
    return EntityRef(name, name, name.title(), ())


def test_paths_are_drawn_as_one_graph() -> None:
    """Two paths over the same entity: each entity and each relation once, and no circle hangs."""

    def path(*names: str) -> Path:
        ends = enumerate(pairwise(map(ref, names)))
        steps = tuple(Step(a, Ref("r", "r", "knows"), i != 1, b, (), ()) for i, (a, b) in ends)
        return Path("", steps, 1.0, "", len(steps))

    both = [path("a", "b", "c", "z"), path("a", "c", "b", "z")]
    drawn = str(plots.merged_paths(both, ref("a"), ref("z")))
    assert drawn.count("<rect") == 4
    assert drawn.count("<path") == 6
    assert {"↓ knows", "↑ knows"} == set(re.findall("[↓↑] knows", drawn))
    hostile = EntityRef("a", "a", SCRIPT + "\u202e", ())
    drawn = str(plots.merged_paths([path("a", "z")], hostile, ref("z")))
    assert not re.search("<script|\u202e", drawn)


def test_every_section_has_a_place_on_the_page_and_in_the_text() -> None:
    from importlib.resources import files

    page = (files("sightline.insights.report") / "page.html.jinja").read_text()
    for name in SECTIONS:
        assert f"part == '{name}'" in page


def test_a_report_without_entities_asks_nothing_about_them() -> None:
    limits = limits_of_entities(sections_of(["method"]))
    assert {name: limits[name] for name in ("stated", "extracted", "similar")} == {
        "stated": 0,
        "extracted": 0,
        "similar": 0,
    }
