"""The W3C's test suites of SPARQL 1.0 and 1.1 through ``/sparql``: queries, syntax, protocol."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.graph.conftest import canonical
from tests.needs import data_set

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
HT = "http://www.w3.org/2011/http#"
CNT = "http://www.w3.org/2011/content#"
UT = "http://www.w3.org/2009/sparql/tests/test-update#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
NOTHING = "urn:test:nothing"
FORMATS = {".ttl": ox.RdfFormat.TURTLE, ".rdf": ox.RdfFormat.RDF_XML, ".nt": ox.RdfFormat.N_TRIPLES}
#: What is not asked here: the endpoint only reads, asks no other server, and reasons beforehand.
LEFT_OUT = {"entailment": "reasons beforehand, by its own rules", "service": "asks no other server"}
#: Lists what is not passed, with the reason, and the counts.
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sparql-conformance.md"
KINDS = ("QueryEvaluationTest", "CSVResultFormatTest")
MEDIA = {"boolean": ("json", "xml"), "tabular": ("json", "xml", "csv"), "RDF": ("turtle", "rdf")}


class Graph:
    """The triples of a manifest, followed by predicates."""

    def __init__(self, path: Path) -> None:
        self.store = ox.Store()
        form = FORMATS[path.suffix]
        self.store.load(path=path, format=form, base_iri=path.as_uri())

    def all(self, node: Any, predicate: str) -> list[Any]:
        found = self.store.quads_for_pattern(node, ox.NamedNode(predicate), None)
        return [quad.object for quad in found]

    def one(self, node: Any, predicate: str) -> Any:
        return next(iter(self.all(node, predicate)), None)

    def text(self, node: Any, predicate: str) -> str | None:
        found = self.one(node, predicate)
        return None if found is None else str(found.value)

    def items(self, node: Any) -> Iterator[Any]:
        while node is not None and node.value != RDF + "nil":
            yield self.one(node, RDF + "first")
            node = self.one(node, RDF + "rest")


class Case(NamedTuple):
    suite: str
    name: str
    kind: str
    graph: Graph
    node: Any


def cases(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.rglob("manifest.ttl")):
        graph = Graph(path)
        suite = path.parent.relative_to(folder).as_posix()
        for quad in graph.store.quads_for_pattern(None, ox.NamedNode(MF + "entries"), None):
            for node in graph.items(quad.object):
                kind = (graph.text(node, RDF + "type") or "none").rpartition("#")[2]
                yield Case(suite, node.value.rpartition("#")[2], kind, graph, node)


def path_of(iri: str) -> Path:
    return Path(iri.removeprefix("file://"))


def data_of(case: Case) -> dict[str, str]:
    """Name of each graph that a case is about, and the file that it is in."""
    graph, action = case.graph, case.graph.one(case.node, MF + "action")
    found = {n.value: n.value for p in ("data", "graphData") for n in graph.all(action, QT + p)}
    found = {name: iri for name, iri in found.items() if iri.startswith("file://")}
    for given in graph.all(case.node, UT + "graphData"):
        found[graph.text(given, RDFS + "label") or ""] = graph.text(given, UT + "graph") or ""
    query = graph.text(action, QT + "query")
    if query and path_of(query).exists():
        for iri in re.findall(r"FROM\s+(?:NAMED\s+)?<([^>:]+)>", path_of(query).read_text("utf-8")):
            name = f"{query.rpartition('/')[0]}/{iri}"
            found[name] = name
    return found


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = data_set("conformance") / "w3c-sparql.tar.xz"
    folder = tmp_path_factory.mktemp("w3c")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "w3c-sparql"


@pytest.fixture(scope="module")
def client(suite: Path) -> Iterator[TestClient]:
    """Serves all data of the suites, each file as a named graph."""
    quads, files = [], {}
    for case in cases(suite):
        files |= data_of(case)
    for name, iri in files.items():
        path = path_of(iri)
        parsed = ox.parse(
            path=path, format=FORMATS[path.suffix], base_iri=iri, rename_blank_nodes=True
        )
        quads += [ox.Quad(q.subject, q.predicate, q.object, ox.NamedNode(name)) for q in parsed]
    source = suite / "data.nq"
    source.write_bytes(ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"")
    ws = Workspace.create(suite / "ws")
    (result,) = ingest(ws, [source])
    print(f"\n{result.load.counts.read} triples of {len(files)} files, {result.load.counts}")
    compile_snapshot(ws)
    with TestClient(create_app(ws.path)) as made:
        yield made


def expected(path: Path) -> Any:
    """What a result file says: solutions, an answer yes or no, or triples."""
    data = path.read_bytes()
    form = {".srx": ox.QueryResultsFormat.XML, ".srj": ox.QueryResultsFormat.JSON}.get(path.suffix)
    form = ox.QueryResultsFormat.TSV if path.suffix == ".tsv" else form
    if form is not None:
        return result_of(ox.parse_query_results(data, format=form))
    graph = Graph(path)
    sets = list(graph.store.quads_for_pattern(None, None, ox.NamedNode(RS + "ResultSet")))
    if not sets:
        return [quad.triple for quad in graph.store]
    node = sets[0].subject
    if (answer := graph.text(node, RS + "boolean")) is not None:
        return answer == "true"
    rows = []
    for solution in graph.all(node, RS + "solution"):
        bindings = graph.all(solution, RS + "binding")
        row = {graph.text(b, RS + "variable"): graph.one(b, RS + "value") for b in bindings}
        rows.append((int(graph.text(solution, RS + "index") or 0), row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def result_of(parsed: Any) -> Any:
    if isinstance(parsed, ox.QueryBoolean):
        return bool(parsed)
    names = [variable.value for variable in parsed.variables]
    return [{n: row[n] for n in names if row[n] is not None} for row in parsed]


def same(found: Any, wanted: Any, ordered: bool) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if wanted and not isinstance(wanted[0], dict):
        wrap = [[ox.Quad(t.subject, t.predicate, t.object) for t in one] for one in (found, wanted)]
        return canonical(wrap[0]) == canonical(wrap[1])
    blank = any(isinstance(v, ox.BlankNode) for row in [*found, *wanted] for v in row.values())
    if not blank:
        rows = [
            [tuple(sorted(row.items(), key=lambda i: i[0])) for row in s] for s in (found, wanted)
        ]
        return (
            rows[0] == rows[1]
            if ordered
            else Counter(map(str, rows[0])) == Counter(map(str, rows[1]))
        )
    return len(found) == len(wanted) and canonical(rows_of(found)) == canonical(rows_of(wanted))


def rows_of(solutions: list[dict[str, Any]]) -> list[ox.Quad]:
    return [
        ox.Quad(ox.BlankNode(f"row{i}"), ox.NamedNode(f"urn:var:{name}"), value)
        for i, row in enumerate(solutions)
        for name, value in [*row.items(), ("", ox.Literal("row"))]
    ]


def table(text: str) -> Counter[tuple[tuple[str, str], ...]]:
    """The rows of a CSV file, whatever the order of columns and the names of blank nodes."""
    rows = csv.DictReader(io.StringIO(text))
    return Counter(
        tuple(sorted((n, "_:" if v.startswith("_:") else v) for n, v in row.items()))
        for row in rows
    )


def evaluated(client: TestClient, case: Case) -> str:
    """``as expected``, or what is not."""
    graph, action = case.graph, case.graph.one(case.node, MF + "action")
    query = graph.text(action, QT + "query") or ""
    text = f"BASE <{query}>\n" + path_of(query).read_text("utf-8")
    default, named = (graph.all(action, QT + p) for p in ("data", "graphData"))
    params: dict[str, Any] = {"query": text}
    if "from" not in text.lower():
        params["default-graph-uri"] = [n.value for n in default] or [NOTHING]
        params["named-graph-uri"] = [n.value for n in named]
    result = path_of(graph.text(case.node, MF + "result") or "")
    plain = result.suffix in (".csv", ".tsv")
    solutions = {".csv": "text/csv", ".tsv": "text/tab-separated-values"}.get(
        result.suffix, "application/sparql-results+json"
    )
    answer = client.get(
        "/sparql", params=params, headers={"accept": f"{solutions}, application/n-triples"}
    )
    if answer.status_code != 200:
        return f"answered {answer.status_code}: {answer.json()['detail'][:120]}"
    if result.suffix == ".csv":
        tables = [table(text) for text in (answer.text, result.read_text("utf-8"))]
        return "as expected" if tables[0] == tables[1] else "another table"
    if "n-triples" in answer.headers["content-type"]:
        found: Any = [q.triple for q in ox.parse(answer.content, format=ox.RdfFormat.N_TRIPLES)]
    else:
        form = ox.QueryResultsFormat.TSV if plain else ox.QueryResultsFormat.JSON
        found = result_of(ox.parse_query_results(answer.content, format=form))
    wanted = expected(result)
    ordered = "order by" in text.lower()
    if graph.one(case.node, MF + "resultCardinality") is not None:  # copies may be left out
        found, wanted = (list({str(row): row for row in one}.values()) for one in (found, wanted))
    if same(found, wanted, ordered):
        return "as expected"
    return "another result"


def read(client: TestClient, case: Case) -> str:
    """Whether a query is read as its kind says."""
    query = case.graph.text(case.node, MF + "action") or ""
    text = path_of(query).read_text("utf-8")
    answer = client.get("/sparql", params={"query": f"BASE <{query}>\n{text}"})
    wrong = answer.status_code == 400
    if wrong == ("Negative" in case.kind):
        return "as expected"
    return "taken though it is wrong" if not wrong else f"refused: {answer.json()['detail'][:120]}"


def spoken(client: TestClient, case: Case) -> str:
    """Whether each request of a case of the protocol is answered as it should be."""
    graph, action = case.graph, case.graph.one(case.node, MF + "action")
    for request in graph.items(graph.one(action, HT + "requests")):
        target = urlsplit(graph.text(request, HT + "absolutePath") or "")
        headers = {
            graph.text(h, HT + "fieldName"): graph.text(h, HT + "fieldValue")
            for h in graph.items(graph.one(request, HT + "headers"))
        }
        body = graph.one(request, HT + "body")
        content = None
        if body is not None:
            code = graph.text(body, CNT + "characterEncoding") or "UTF-8"
            content = (graph.text(body, CNT + "chars") or "").encode(code)
        answer = client.request(
            graph.text(request, HT + "methodName") or "GET",
            "/sparql",
            params=parse_qsl(target.query),
            headers={str(k): str(v) for k, v in headers.items()},
            content=content,
        )
        said = graph.one(request, HT + "resp")
        wanted = {n.value[-3] for n in graph.all(said, MF + "expectedStatus")}
        if str(answer.status_code)[0] not in wanted:
            return f"answered {answer.status_code}"
        media = graph.text(said, MF + "expectedFormat")
        if media and not any(m in answer.headers["content-type"] for m in MEDIA[media]):
            return f"came as {answer.headers['content-type']}"
        truth = graph.text(said, MF + "expectedBoolean")
        if truth and answer.json()["boolean"] is not (truth == "true"):
            return "another answer"
    return "as expected"


def outcome(client: TestClient, case: Case) -> str | None:
    """What came of a case; None where it is left out."""
    if case.suite.rpartition("/")[2] in LEFT_OUT or "update" in case.name:
        return None
    if case.kind in KINDS:
        return evaluated(client, case)
    if "Syntax" in case.kind and "Update" not in case.kind and "fed" not in case.suite:
        return read(client, case)
    return spoken(client, case) if case.kind == "ProtocolTest" else None


@pytest.mark.slow
def test_the_suites_are_passed_but_for_what_is_known(suite: Path, client: TestClient) -> None:
    passed, failed = defaultdict(int), {}
    total: Counter[str] = Counter()
    for case in cases(suite):
        said = outcome(client, case)
        if said is None:
            continue
        part = f"{case.suite.partition('/')[0]} {case.kind}"
        total[part] += 1
        passed[part] += said == "as expected"
        if said != "as expected":
            failed[f"{case.suite}/{case.name}"] = said
    for part, count in sorted(total.items()):
        print(f"{part}: {passed[part]} of {count}")
    for name, said in sorted(failed.items()):
        print(f"  {name}: {said}")
    known = re.findall(r"`(sparql1[01]/\S+)`", PAGE.read_text("utf-8"))
    assert sorted(failed) == sorted(known)
    figures = re.findall(
        r"^\| (sparql\S+ \w+) \| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8"), re.M
    )
    assert {(part, str(passed[part]), str(n)) for part, n in total.items()} == set(figures)
