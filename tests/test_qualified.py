"""What a link says about itself, from a column of a table to answers and to other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pyoxigraph as ox
import pytest

from sightline.api.app import create_app
from sightline.cli.main import run
from tests.api.conftest import TestClient

MAP = """
mappings:
  ratings:
    sources: [ratings.csv]
    s: entity:$(user)
    po:
      - p: relation:rated
        o: entity:$(film)~iri
        q:
          property:rating: {value: $(stars), format: decimal-comma}
          property:year: {value: $(year), datatype: xsd:gYear}
          property:seen: [$(seen), xsd:date]
          property:label: [$(said), en~lang]
          property:source: entity:$(by)~iri
          property:code: $(code)
"""
ROWS = '''user,film,stars,year,seen,said,by,code
ann,solaris,"4,5",1999,2020-02-29,"a ""b""",imdb,007
ann,solaris,-2,2005,2021-01-01,,,7
bob,solaris,3,2003,2020-03-01,,imdb,x
cid,solaris,,,,,,
'''


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("qualified")
    (folder / "m.yaml").write_text(MAP)
    (folder / "ratings.csv").write_text(ROWS)
    name = str(folder / "ws")
    files = [str(folder / "ratings.csv"), "-m", str(folder / "m.yaml")]
    assert run(["ingest", *files, "-w", name]) == 0
    assert run(["compile", "-w", name]) == 0
    return name


@pytest.fixture(scope="module")
def client(workspace: str) -> Iterator[TestClient]:
    with TestClient(create_app(Path(workspace))) as made:
        yield made


@pytest.fixture
def ask(workspace: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def related(*options: str) -> Any:
        capsys.readouterr()
        assert run(["related", "solaris", "-w", workspace, "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)["related"]

    return related


def test_answers_show_what_a_link_says_about_itself_with_its_datatype(ask: Any) -> None:
    said = {fact["head"]["label"]: fact["qualifiers"] for fact in ask()}
    assert [(q["key"], q["value"], q["origin"]["row"]) for q in said["ann"]] == [
        ("property:code", "007", 2),
        ("property:label", 'a "b"', 2),
        ("property:rating", 4.5, 2),
        ("property:seen", "2020-02-29", 2),
        ("property:source", "entity:imdb", 2),
        ("property:year", 1999, 2),
        ("property:code", "7", 3),
        ("property:rating", -2, 3),
        ("property:seen", "2021-01-01", 3),
        ("property:year", 2005, 3),
    ]
    kinds = [
        (q["label"], str(q["datatype"]).rpartition("#")[2], q["language"]) for q in said["ann"]
    ]
    assert kinds[:5] == [
        ("code", "string", None),
        ("label", "langString", "en"),
        ("rating", "decimal", None),
        ("seen", "date", None),
        ("source", "None", None),
    ]
    assert said["cid"] == []


WHERE = [
    (["rating>=4"], "ann"),
    (["rating >= 2", "year<=2003"], "ann bob"),
    (["rating>=4", "year>=2003"], ""),  # not said of one rating
    (["min_rating=2.5"], "ann bob"),
    (["property:rating=3.0"], "bob"),
    (["urn:sightline:property:rating=3"], "bob"),
    (["max_year=1999"], "ann"),
    (["seen>=2020-03"], "ann bob"),
    (["seen<=2020"], "ann bob"),
    (["seen<=2020-02"], "ann"),
    (["seen=2020-03-01"], "bob"),
    (['label=a "b"'], "ann"),
    (["source=entity:imdb"], "ann bob"),
    (["code=x"], "bob"),
    (["code=007", "year=2005"], "ann"),
    (["code=007", "year=2003"], ""),
]


@pytest.mark.parametrize(("where", "found"), WHERE)
def test_facts_are_chosen_by_what_they_say(ask: Any, where: list[str], found: str) -> None:
    options = [part for text in where for part in ("--where", text)]
    assert sorted(fact["head"]["label"] for fact in ask(*options)) == found.split()


@pytest.mark.parametrize(("where", "found"), WHERE)
def test_paths_walk_facts_by_what_they_say(
    client: TestClient, where: list[str], found: str
) -> None:
    def paths(source: str, **asked: Any) -> Any:
        asked |= {"source": source, "target": "solaris", "where": where}
        return client.get("/v1/paths", params=asked).json()

    answers = {user: paths(user, max_hops=2) for user in ("ann", "bob", "cid")}
    assert [user for user, answer in answers.items() if answer["found"]] == found.split()
    for user in found.split():
        (step,) = answers[user]["paths"][0]["steps"]
        (fact,) = client.get(f"/v1/entities/{user}/related?predicted=0").json()["related"]
        assert step["qualifiers"] == fact["qualifiers"] != []
        assert "restricted by what they say" in answers[user]["metapaths"][0]["note"]
        assert answers[user]["metapaths"][0]["p_value"] is None


def test_every_step_of_a_path_meets_the_conditions(workspace: str, capsys: Any) -> None:
    def shown(*options: str) -> str:
        capsys.readouterr()
        assert run(["paths", "ann", "bob", "-w", workspace, *options]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "qualifiers" in shown()
    assert "rating 4.5, -2, 3" in shown("--where", "rating>=3")
    none = shown("--where", "rating>=4")
    assert "nothing found" in none
    assert "no path of at most 6 facts is what was asked for" in none


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("min_rating=4", "ann"),
        ("rating=3&max_year=2003", "bob"),
        ("where=rating%3E%3D2&max_year=2004", "ann bob"),
        ("min_property:rating=3", "ann bob"),
        ("rating=2&rating=3", ""),
    ],
)
def test_parameters_name_what_facts_say(client: TestClient, query: str, found: str) -> None:
    answer = client.get(f"/v1/entities/solaris/related?{query}")
    assert sorted(f["head"]["label"] for f in answer.json()["related"]) == found.split()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("min_ratng=4", "no parameter 'min_ratng'; did you mean min_rating?"),
        ("relaton=x", "no parameter 'relaton'; did you mean relation?"),
        ("min_rating=good", "'good', which is no number and no date"),
        ("rating=", "condition 'rating=' cannot be read"),
        ("where=ratng%3E%3D4", "qualifier 'ratng' is not in the graph; nearest: rating"),
        ("min_rating=1&known=false", "predicted facts say nothing of themselves"),
    ],
)
def test_what_no_fact_says_is_asked_back(client: TestClient, query: str, said: str) -> None:
    answer = client.get(f"/v1/entities/solaris/related?{query}")
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_other_questions_take_no_conditions(client: TestClient) -> None:
    answer = client.get("/v1/entities/solaris/similar?min_rating=4")
    assert "no parameter 'min_rating'" in answer.json()["detail"]


def test_a_table_shows_them(workspace: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["related", "bob", "-w", workspace]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "qualifiers" in shown
    assert "code x; rating 3; seen 2020-03-01; source entity:imdb; year 2003" in shown


QUERY = """SELECT ?s ?k ?v { ?n <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies>
    <<( ?s <urn:sightline:relation:rated> <urn:sightline:entity:solaris> )>> ; ?k ?v
    FILTER(?k IN (<urn:sightline:property:rating>, <urn:sightline:property:label>)) }
    ORDER BY ?s ?k ?v"""
SAID = [
    ("ann", "label>", '"a \\"b\\""@en'),
    ("ann", "rating>", "-2"),
    ("ann", "rating>", "4.5"),
    ("bob", "rating>", "3"),
]


@pytest.mark.parametrize("ending", ["nt", "ttl", "nq"])
def test_rdf_annotates_the_links(workspace: str, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    assert run(["export", "-f", ending, "-o", str(out), "-w", workspace]) == 0
    store = ox.Store()
    store.load(path=out)
    found = store.query(QUERY)
    rows = [(s.value.rpartition(":")[2], str(k).rpartition(":")[2], v) for s, k, v in found]
    typed = [(s, k, str(v) if k == "label>" else v.value) for s, k, v in rows]
    assert typed == SAID
    assert rows[1][2].datatype.value.endswith("#decimal")
    assert len(list(store.query("SELECT * { ?s <urn:sightline:relation:rated> ?o }"))) == 3


def test_sparql_finds_them(client: TestClient) -> None:
    answer = client.get("/sparql", params={"query": QUERY}).json()
    rows = [b["v"] for b in answer["results"]["bindings"]]
    assert [row["value"] for row in rows] == ['a "b"', "-2", "4.5", "3"]
    assert rows[1]["datatype"].endswith("#decimal")


def test_graphml_has_them_as_attributes_of_edges(workspace: str, tmp_path: Path) -> None:
    out = tmp_path / "out.graphml"
    assert run(["export", "-f", "graphml", "-o", str(out), "-w", workspace]) == 0
    said: dict[str, list[dict[str, Any]]] = {}
    for head, _, data in nx.read_graphml(out).edges(data=True):
        said.setdefault(head.rpartition(":")[2], []).append(data)
    assert [data["rating"] for data in said["bob"]] == [3]
    assert sorted((data["rating"], data["year"]) for data in said["ann"]) == [
        (-2, 2005),
        (4.5, 1999),
    ]
    assert {data.get("label (qualifier)") for data in said["ann"]} == {'a "b"', None}
    assert {data["label"] for data in said["ann"]} == {"rated"}
    assert [data for data in said["cid"] if "rating" in data] == []


def test_a_graph_without_any_is_exported_as_before(tmp_path: Path) -> None:
    workspace, out = str(tmp_path / "ws"), tmp_path / "out.nt"
    (tmp_path / "t.csv").write_text("head,relation,tail\na,r,b\n")
    assert run(["ingest", str(tmp_path / "t.csv"), "-w", workspace]) == 0
    assert run(["export", "-f", "nt", "-o", str(out), "-w", workspace]) == 0
    assert not re.search("reifies|<<", out.read_text())


@pytest.mark.parametrize("ending", ["nt", "ttl", "nq", "graphml", "cytoscape", "csv", "parquet"])
def test_exports_load_back_with_what_links_say(
    workspace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    name = {"cytoscape": "out.json"}.get(ending, f"out.{ending}")
    assert run(["export", "-f", ending, "-o", str(tmp_path / name), "-w", workspace]) == 0
    again = str(tmp_path / "ws")
    assert run(["ingest", str(tmp_path / name), "-w", again]) == 0
    assert run(["compile", "-w", again]) == 0
    assert said_in(again, capsys) == said_in(workspace, capsys)
    capsys.readouterr()
    assert run(["related", "solaris", "-w", again, "--where", "rating>=4", "--json"]) == 0
    (fact,) = json.loads(capsys.readouterr().out)["related"]
    assert fact["head"]["label"] == "ann"


def said_in(workspace: str, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, list[str]]]:
    """What each statement about the film says of itself, as texts."""
    capsys.readouterr()
    assert run(["related", "solaris", "-w", workspace, "--json"]) == 0
    said: dict[tuple[str, int], list[str]] = {}
    for fact in json.loads(capsys.readouterr().out)["related"]:
        for q in fact["qualifiers"]:
            value = re.sub("^entity:", "urn:sightline:entity:", str(q["value"]))
            row = said.setdefault((fact["head"]["label"], q["origin"]["row"]), [])
            row.append(f"{q['key']} {value}")
    return sorted((head, sorted(row)) for (head, _), row in said.items())


def test_what_json_ld_cannot_hold_is_said(
    workspace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    out = str(tmp_path / "out.jsonld")
    assert run(["export", "-f", "jsonld", "-o", out, "-w", workspace]) == 0
    assert "left out: 15 values that links have of their own" in capsys.readouterr().out
