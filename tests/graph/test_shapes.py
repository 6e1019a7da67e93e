"""Facts against SHACL shapes, and the W3C's own tests of them."""

from __future__ import annotations

import signal
import tarfile
from collections import Counter
from pathlib import Path

import pytest
import rdflib

from sightline.cli.main import run
from sightline.graph.errors import SightlineError
from sightline.graph.shapes.core import SH
from sightline.graph.shapes.errors import ShapesUnusable
from sightline.graph.shapes.validate import Violation, validate
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import EXTRACTED_GRAPH, GENID
from sightline.ingest.load import ingest
from tests.graph.conftest import BASE, add_load, fact, literal, typed
from tests.needs import data_set

SHT = "http://www.w3.org/ns/shacl-test#"
PREFIXES = f"""
@prefix sh: <{SH}> .
@prefix c: <{BASE}class:> .
@prefix r: <{BASE}relation:> .
@prefix p: <{BASE}property:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
SHAPES = f"""{PREFIXES}
<urn:Country> a sh:NodeShape ; sh:targetClass c:Country ;
  sh:property [ sh:path r:capital ; sh:minCount 1 ] ;
  sh:property [ sh:path r:borders ; sh:class c:Country ; sh:severity sh:Warning ] .
"""


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """One country that keeps the shapes, and one without a capital that borders a sea."""
    made = Workspace.create(tmp_path / "ws")
    facts = [("ch", "capital", "bern"), ("ch", "borders", "fr"), ("fr", "borders", "sea")]
    rows = [fact(triple, row) for row, triple in enumerate(facts, 1)]
    rows += [typed("ch", "Country"), typed("fr", "Country"), typed("sea", "Sea")]
    add_load(made, [*rows, literal("ch", BASE + "property:code", "CH")])
    compile_snapshot(made)
    return made


def results(ws: Workspace, file: Path) -> tuple[Violation, ...]:
    return validate(served_snapshot(ws), file).results


def shapes_in(folder: Path, text: str, name: str = "shapes.ttl") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_what_a_shape_does_not_allow_is_listed_violations_first(
    ws: Workspace, tmp_path: Path
) -> None:
    file = shapes_in(tmp_path, SHAPES)
    found = [
        (one.severity, one.focus, one.path, one.value, one.constraint, one.shape)
        for one in results(ws, file)
    ]
    france, sea = f"{BASE}entity:fr", f"{BASE}entity:sea"
    assert found == [
        ("Violation", france, f"{BASE}relation:capital", None, "MinCount", "urn:Country"),
        ("Warning", france, f"{BASE}relation:borders", sea, "Class", "urn:Country"),
    ]


def test_the_command_says_how_many_and_exits_with_1_if_it_is_strict(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(shapes_in(tmp_path, SHAPES))
    asked = ["validate", "--shapes", file, "-w", str(ws.path)]
    assert run([*asked, "-k", "1"]) == 0
    shown = capsys.readouterr().out
    assert "1 of 2 results" in shown
    assert "1 violations, 1 warnings" in shown
    assert run([*asked, "--strict"]) == 1
    warnings = str(shapes_in(tmp_path, SHAPES.replace("sh:minCount 1", "sh:maxCount 9")))
    assert run(["validate", "--shapes", warnings, "--strict", "-w", str(ws.path)]) == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<urn:a> <urn:b> <urn:c> .", "holds no shape"),
        ("<urn:a> <urn:b>", "cannot be used"),
        (
            f"""{PREFIXES} <urn:S> a sh:NodeShape ; sh:targetClass c:Country ; sh:sparql [ sh:select
            "SELECT $this WHERE {{ SERVICE <http://127.0.0.1/> {{ $this ?p ?o }} }}" ] .""",
            "asks another service",
        ),
        (
            f"""{PREFIXES} <urn:S> a sh:NodeShape ; sh:targetClass c:Country ; sh:rule
            [ a sh:SPARQLRule ; sh:construct
            "CONSTRUCT {{ $this a c:X }} WHERE {{ service silent <urn:x> {{ ?a ?b ?c }} }}" ] .""",
            "asks another service",
        ),
        (f"{PREFIXES} <urn:S> a sh:PropertyShape ; sh:targetClass c:Country .", "cannot be used"),
    ],
)
def test_shapes_that_cannot_be_used_say_why(
    ws: Workspace, tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(ShapesUnusable) as error:
        results(ws, shapes_in(tmp_path, text))
    assert why in str(error.value)


def test_what_is_not_checked_by_columns_is_named_with_its_reason(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""{SHAPES} <urn:S> a sh:NodeShape ; sh:targetClass c:Country ; sh:sparql [ sh:select
      "SELECT $this WHERE {{ $this a ?type }}" ] .
      <urn:T> a sh:NodeShape ; sh:targetClass c:Country ; sh:node <urn:T> ; sh:maxLength 2 ."""
    file = shapes_in(tmp_path, text)
    assert run(["validate", "--shapes", str(file), "-w", str(ws.path)]) == 0
    shown = capsys.readouterr().out
    assert "2 of 3 shapes were checked by pySHACL" in shown
    assert "urn:S: sh:sparql is not" in shown
    assert "urn:T: it leads back to itself" in shown
    found = Counter((one.shape, one.constraint) for one in results(ws, file))
    assert found["urn:Country", "MinCount"] == 1  # by columns, and not once more by pySHACL
    assert found["urn:S", "SPARQL"] == found["urn:T", "MaxLength"] == 2


def test_rules_leave_all_shapes_to_pyshacl(ws: Workspace, tmp_path: Path) -> None:
    text = f"""{SHAPES} <urn:R> a sh:NodeShape ; sh:targetClass c:Country ; sh:rule [
      a sh:TripleRule ; sh:subject sh:this ; sh:predicate r:capital ; sh:object <urn:x> ] ."""
    checked = validate(served_snapshot(ws), shapes_in(tmp_path, text))
    assert [one.constraint for one in checked.results] == ["Class"]
    assert len(checked.others) == checked.shapes == 2


def test_a_name_with_service_or_load_in_it_asks_no_other(ws: Workspace, tmp_path: Path) -> None:
    text = f"""{PREFIXES} <urn:S> a sh:NodeShape ; sh:targetClass c:Country ; sh:sparql [ sh:select
      "SELECT $this WHERE {{ $this ?serviceOf ?load }} GROUP BY $this" ] ."""
    found = results(ws, shapes_in(tmp_path, text))
    assert {one.constraint for one in found} == {"SPARQL"}


def test_what_lies_behind_a_result_is_no_result_of_its_own(ws: Workspace, tmp_path: Path) -> None:
    text = f"""{PREFIXES} <urn:S> a sh:NodeShape ; sh:targetClass c:Country ;
      sh:property [ sh:path r:borders ; sh:node <urn:T> ] .
      <urn:T> sh:property [ sh:path r:capital ; sh:minCount 1 ] ."""
    found = results(ws, shapes_in(tmp_path, text))
    assert [one.constraint for one in found] == ["Node"] * 2


def test_extracted_facts_are_not_checked(tmp_path: Path) -> None:
    made = Workspace.create(tmp_path / "ws")
    add_load(made, [typed("ch", "Country"), {**typed("x", "Country"), "graph": EXTRACTED_GRAPH}])
    shape = (
        f"{PREFIXES} <urn:S> a sh:NodeShape ; sh:targetClass c:Country ; sh:nodeKind sh:Literal ."
    )
    compile_snapshot(made, rdf=False)
    found = results(made, shapes_in(tmp_path, shape))
    assert [one.focus for one in found] == [f"{BASE}entity:ch"]


def test_shapes_are_named_by_their_ending(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ShapesUnusable, match=r"read from \.ttl"):
        results(ws, shapes_in(tmp_path, SHAPES, "s.txt"))


def test_shapes_are_kept_in_the_workspace_and_validated_without_a_file(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["validate", "-w", str(ws.path)]
    assert run(asked) == 2
    assert "there are no shapes" in capsys.readouterr().err
    rdflib.Graph().parse(data=SHAPES, format="turtle").serialize(
        tmp_path / "shapes.nt", format="nt", encoding="utf-8"
    )
    assert run([*asked, "--shapes", str(tmp_path / "shapes.nt"), "--keep"]) == 0
    first = capsys.readouterr().out
    assert "2 of 2 results" in first
    assert run(asked) == 0
    assert capsys.readouterr().out == first
    assert results(ws, ws.path / "shapes.ttl") == results(ws, shapes_in(tmp_path, SHAPES))
    assert run([*asked, "--keep", "--shapes", str(shapes_in(tmp_path, "x"))]) == 2
    assert results(ws, ws.path / "shapes.ttl")  # what is kept stays


@pytest.mark.slow
def test_the_core_suite_of_the_w3c(tmp_path: Path) -> None:
    with tarfile.open(data_set("conformance") / "shacl.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    found: Counter[str] = Counter()
    others = []
    for path in sorted((tmp_path / "shacl" / "tests" / "core").rglob("*.ttl")):
        if path.name == "manifest.ttl":
            continue
        what = outcome(path, tmp_path / "workspaces" / path.stem)
        found[what.partition(":")[0]] += 1
        if not what.startswith(("as expected", "no test")):
            others.append(f"{path.stem} {what}")
    print(dict(found), others)
    assert found["as expected by columns"] + found["as expected by pySHACL"] == 98
    assert not others


def outcome(path: Path, folder: Path) -> str:
    """Whether as many results are found as the test wants, of the same focus and constraint."""
    graph = rdflib.Graph().parse(path, format="turtle", publicID=path.as_uri())
    data, shapes = (
        Path(str(next(graph.objects(None, rdflib.URIRef(SHT + name)), path.as_uri()))[7:])
        for name in ("dataGraph", "shapesGraph")
    )
    reports = list(graph.subjects(rdflib.RDF.type, rdflib.URIRef(SH + "ValidationReport")))
    if not reports:
        return "no test"

    def part(result: rdflib.term.Node, name: str) -> str:
        return str(graph.value(result, rdflib.URIRef(SH + name)) or "")

    wanted = Counter(
        (
            part(one, "focusNode"),
            part(one, "sourceConstraintComponent")
            .removeprefix(SH)
            .removesuffix("ConstraintComponent"),
        )
        for one in graph.objects(reports[0], rdflib.URIRef(SH + "result"))
    )
    ws = Workspace.create(folder)
    try:
        ingest(ws, [data])
        compile_snapshot(ws, rdf=False)
        checked = validate(served_snapshot(ws), shapes)
        ours = Counter((one.focus, one.constraint) for one in checked.results)
    except SightlineError as error:
        return f"refused: {error}"

    def named(results: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
        """Blank nodes have other labels here, and literals are compared by their text."""
        blank = [f if ":" in f and not f.startswith(GENID) else "" for f, _ in results.elements()]
        return Counter(zip(blank, (c for _, c in results.elements())))

    if named(ours) != named(wanted):
        return f"other: {ours} {wanted}"[:300]
    return "as expected by pySHACL" if checked.others else "as expected by columns"


@pytest.mark.parametrize(
    "endless",
    [
        'sh:property [ sh:path p:said ; sh:pattern "^(a+)+$" ]',
        'sh:sparql [ sh:select "SELECT $this WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . '
        '$this ?m ?n . FILTER(?c = ?f && ?i = ?l && ?b = 1) }" ]',
    ],
)
def test_shapes_that_never_end_are_given_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], endless: str
) -> None:
    ws = Workspace.create(tmp_path / "ws")
    rows = [typed(f"p{i}", "Country") for i in range(30)]
    add_load(ws, [*rows, literal("p0", BASE + "property:said", "a" * 40 + "!")])
    compile_snapshot(ws, rdf=False)
    file = tmp_path / "shapes.ttl"
    file.write_text(f"{PREFIXES} <urn:s> a sh:NodeShape ; sh:targetClass c:Country ; {endless} .")
    former = signal.getsignal(signal.SIGALRM)
    assert run(["validate", "--shapes", str(file), "--deadline", "1", "-w", str(ws.path)]) == 1
    assert "were not checked within 1 seconds" in capsys.readouterr().err.replace("\n", " ")
    assert signal.getsignal(signal.SIGALRM) is former
