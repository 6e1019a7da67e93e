"""The SPARQL 1.1 Protocol as clients speak it, and what they are told when there is no answer."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pyoxigraph
import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from starlette.testclient import TestClient

from sightline.api.app import create_app
from tests.api.conftest import HOSTILE, ROWS
from tests.api.test_serve import service
from tests.graph.conftest import BASE, build, fact, label
from tests.graph.test_sparql import workers

with warnings.catch_warnings():
    # Of the client about its own code.
    warnings.simplefilter("ignore")
    from SPARQLWrapper import CSV, JSON, POST, SPARQLExceptions, SPARQLWrapper

MEMBERS = "SELECT ?who { ?who relation:member_of entity:eac }"
UGANDA = BASE + "entity:uganda"
ENDLESS = (
    "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o . ?p ?q ?r }"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world with its RDF index, and a fact in a graph of its own."""
    where = tmp_path_factory.mktemp("sparql") / "ws"
    rows = [
        *ROWS,
        fact(("nepal", "borders", "tibet")) | {"graph": "urn:g:1"},
        label("formula", '=HYPERLINK("http://evil","x")'),
    ]
    build(where, rows, rdf=True)
    return where


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder)) as made:
        yield made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """The endpoint of a service in a process of its own."""
    with service(folder) as (_, port):
        yield f"http://127.0.0.1:{port}/sparql"


def who(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["who"]["value"] for row in answer.json()["results"]["bindings"]]


def test_a_query_comes_in_the_address_in_a_form_or_as_the_body(client: TestClient) -> None:
    typed = {"Content-Type": "application/sparql-query; charset=utf-8"}
    answers = [
        client.get("/sparql", params={"query": MEMBERS}),
        client.post("/sparql", data={"query": MEMBERS}),
        client.post("/sparql", content=MEMBERS, headers=typed),
    ]
    for answer in answers:
        assert who(answer) == [UGANDA]
        assert answer.headers["Content-Type"] == "application/sparql-results+json"
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"


SOLUTIONS = {
    "application/sparql-results+json": "application/sparql-results+json",
    "application/json": "application/json",
    "*/*": "application/sparql-results+json",
    "application/sparql-results+xml;q=0.9, text/csv;q=0.1": "application/sparql-results+xml",
    "text/csv": "text/csv; charset=utf-8",
    "text/tab-separated-values": "text/tab-separated-values; charset=utf-8",
    "text/html, application/xml;q=0.9": "application/xml",
}


@pytest.mark.parametrize("accept", SOLUTIONS)
def test_solutions_come_in_the_format_that_the_client_likes(
    client: TestClient, accept: str
) -> None:
    answer = client.get("/sparql", params={"query": MEMBERS}, headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == SOLUTIONS[accept]
    (solution,) = read(answer.content, answer.headers["Content-Type"])
    assert solution == {"who": UGANDA}


def read(body: bytes, media_type: str) -> list[dict[str, str]]:
    """The solutions of a result, read by other code than wrote them."""
    if media_type.startswith("text/csv"):
        return list(csv.DictReader(io.StringIO(body.decode(), newline="")))
    if media_type.startswith("text/tab"):
        names, *rows = (line.split("\t") for line in body.decode().splitlines())
        return [{n[1:]: term[1:-1] for n, term in zip(names, row)} for row in rows]
    if media_type.endswith("xml"):
        space = "{http://www.w3.org/2005/sparql-results#}"
        results = ElementTree.fromstring(body).iter(space + "result")
        return [{b.attrib["name"]: b[0].text or "" for b in result} for result in results]
    return [
        {str(name): str(term) for name, term in row.items()}
        for row in rdflib.query.Result.parse(io.BytesIO(body), format="json").bindings
    ]


TRIPLES = {
    "*/*": ("text/turtle; charset=utf-8", "turtle"),
    "text/turtle": ("text/turtle; charset=utf-8", "turtle"),
    "application/n-triples": ("application/n-triples", "nt"),
    "application/rdf+xml": ("application/rdf+xml", "xml"),
    "application/ld+json": ("application/ld+json", "json-ld"),
    "application/n-quads": ("application/n-quads", "nquads"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
@pytest.mark.parametrize("accept", TRIPLES)
def test_triples_come_in_the_format_that_the_client_likes(client: TestClient, accept: str) -> None:
    text = "CONSTRUCT { ?s rdfs:label ?o } { ?s rdfs:label ?o }"
    answer = client.get("/sparql", params={"query": text}, headers={"Accept": accept})

    content_type, format_name = TRIPLES[accept]
    assert answer.headers["Content-Type"] == content_type
    graph = rdflib.Dataset(default_union=True) if format_name == "nquads" else rdflib.Graph()
    graph.parse(data=answer.text, format=format_name)
    assert HOSTILE in {str(value) for value in graph.objects(None, rdflib.RDFS.label)}


def test_an_unknown_format_is_not_acceptable_and_what_there_is_is_named(
    client: TestClient,
) -> None:
    for text, there in ((MEMBERS, "text/csv"), ("DESCRIBE entity:kenya", "text/turtle")):
        answer = client.get("/sparql", params={"query": text}, headers={"Accept": "image/png"})
        assert answer.status_code == 406
        assert there in answer.json()["detail"]


def test_ask_says_yes_and_no(client: TestClient) -> None:
    for fact_, said in (("entity:kenya ?p entity:au", True), ("entity:au ?p entity:kenya", False)):
        answer = client.get("/sparql", params={"query": f"ASK {{ {fact_} }}"})
        assert answer.json()["boolean"] is said


def test_the_default_graph_is_the_union_and_a_request_may_name_others(client: TestClient) -> None:
    text = "SELECT ?who { ?who relation:borders ?other }"
    everywhere = who(client.get("/sparql", params={"query": text}))
    assert BASE + "entity:nepal" in everywhere
    assert len(everywhere) > 1
    asked = {"query": text, "default-graph-uri": "urn:g:1"}
    for answer in (client.get("/sparql", params=asked), client.post("/sparql", data=asked)):
        assert who(answer) == [BASE + "entity:nepal"]
    within = {"query": "SELECT ?who { GRAPH ?g { ?who ?p ?o } }", "named-graph-uri": "urn:g:1"}
    assert who(client.get("/sparql", params=within)) == [BASE + "entity:nepal"]


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("SELECT * {", 400, "query-syntax-error"),
        ("SELECT * { ex:a ?p ?o }", 400, "query-syntax-error"),
        ("SELECT (<urn:f>(1) AS ?x) {}", 400, "query-error"),
        ("SELECT * { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } }", 403, "query-refused"),
        ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", 400, "query-syntax-error"),
        ("SELECT * { VALUES ?x { " + "1 " * 200_000 + "} }", 413, "query-too-long"),
        ("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", 422, "result-too-large"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_report(
    client: TestClient, query: str, status: int, kind: str
) -> None:
    answer = client.post("/sparql", data={"query": query})

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:sightline:problem:{kind}"
    assert who(client.get("/sparql", params={"query": MEMBERS})) == [UGANDA]


def test_a_syntax_error_has_line_and_column(client: TestClient) -> None:
    problem = client.get("/sparql", params={"query": "ASK {\n  ?s ?p 'x }"}).json()

    assert (problem["line"], problem["column"]) == (2, 13)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET", "params": {"format": "json"}}, 400),
        ({"method": "POST", "content": "", "type": "sparql-query; charset=utf-16"}, 415),
        ({"method": "GET", "params": [("query", "ASK {}"), ("query", "ASK {}")]}, 400),
        ({"method": "POST", "data": {"update": "DROP ALL"}}, 403),
        ({"method": "POST", "data": {"query": "ASK {}", "update": "DROP ALL"}}, 403),
        ({"method": "POST", "content": "DROP ALL", "type": "application/sparql-update"}, 403),
        ({"method": "POST", "content": "ASK {}", "type": "text/plain"}, 415),
        ({"method": "POST", "content": b"ASK { ?s ?p '\xff' }", "type": "sparql-query"}, 400),
        ({"method": "PUT", "content": "ASK {}"}, 405),
    ],
)
def test_what_is_no_query_is_said_to_be_none(
    client: TestClient, request_: dict[str, Any], status: int
) -> None:
    media_type = request_.get("type", "")
    headers = {"Content-Type": media_type if "/" in media_type else f"application/{media_type}"}
    rest = {name: value for name, value in request_.items() if name != "type"}
    answer = client.request(url="/sparql", headers=headers if media_type else {}, **rest)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "media_type", ["text/turtle", "application/rdf+xml", "application/ld+json"]
)
def test_the_endpoint_says_what_it_is(client: TestClient, media_type: str) -> None:
    answer = client.get("/sparql", headers={"Accept": media_type})
    assert answer.headers["Content-Type"].startswith(media_type)
    graph = rdflib.Graph()  # through the engine's parser, for that of JSON-LD in rdflib warns
    form = pyoxigraph.RdfFormat.from_media_type(media_type)
    triples = [quad.triple for quad in pyoxigraph.parse(answer.content, format=form)]
    graph.parse(data=pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.TURTLE))
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    (it,) = graph.subjects(rdflib.RDF.type, sd.Service)
    assert graph.value(it, sd.endpoint) == rdflib.URIRef("http://testserver/sparql")
    assert graph.value(it, sd.supportedLanguage) == sd.SPARQL11Query
    named = {str(name) for name in graph.objects(None, sd.name)}
    query = (
        "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } FILTER(STRSTARTS(STR(?g), 'urn:sightline')) }"
    )
    rows = client.get("/sparql", params={"query": query}).json()["results"]["bindings"]
    assert named == {row["g"]["value"] for row in rows}


def test_relative_iris_are_those_of_the_endpoint(client: TestClient) -> None:
    answer = client.get(
        "/sparql",
        params={"query": "CONSTRUCT { <s> <#p> 1 } {}"},
        headers={"Accept": "application/n-triples"},
    )
    assert answer.text.split()[:2] == ["<http://testserver/s>", "<http://testserver/sparql#p>"]


def test_graphs_may_stand_beside_a_form(client: TestClient) -> None:
    answer = client.post(
        "/sparql?default-graph-uri=urn:g:1", data={"query": "SELECT ?s { ?s ?p ?o }"}
    )
    assert len(answer.json()["results"]["bindings"]) == 1


def test_tables_are_exact_and_come_as_files(client: TestClient) -> None:
    text = "SELECT ?name { entity:formula rdfs:label ?name }"
    answer = client.get("/sparql", params={"query": text}, headers={"Accept": "text/csv"})

    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["name"],
        ['=HYPERLINK("http://evil","x")'],
    ]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="result.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_openapi_lists_what_an_answer_may_be(client: TestClient) -> None:
    methods = client.get("/openapi.json").json()["paths"]["/sparql"]

    assert {"text/turtle", "text/csv"} <= set(methods["get"]["responses"]["200"]["content"])
    assert "application/sparql-query" in methods["post"]["requestBody"]["content"]


# --- real clients, a real server -------------------------------------------------------------


def wrapper(url: str, text: str, format_: str = JSON) -> SPARQLWrapper:
    made = SPARQLWrapper(url)
    made.setQuery(text)
    made.setReturnFormat(format_)
    return made


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_sparqlwrapper_asks(url: str) -> None:
    for method in ("GET", POST):
        asked = wrapper(url, f"PREFIX relation: <{BASE}relation:> {MEMBERS}")
        asked.setMethod(method)
        found = asked.queryAndConvert()
        assert [row["who"]["value"] for row in found["results"]["bindings"]] == [UGANDA]
    assert UGANDA in wrapper(url, MEMBERS, CSV).queryAndConvert().decode()
    assert wrapper(url, "ASK { entity:kenya ?p entity:au }").queryAndConvert()["boolean"]
    graph = wrapper(url, "DESCRIBE entity:uganda", "turtle").queryAndConvert()
    assert UGANDA in graph.decode()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_sparqlwrapper_tells_errors_apart(url: str) -> None:
    with pytest.raises(SPARQLExceptions.QueryBadFormed, match="at its end"):
        wrapper(url, "SELECT * {").query()
    assert (
        wrapper(url, "SELECT * { <urn:no> ?p ?o }").queryAndConvert()["results"]["bindings"] == []
    )


def test_rdflib_reads_the_endpoint_as_a_store(url: str) -> None:
    store = SPARQLStore(query_endpoint=url, returnFormat="json")
    graph = rdflib.Graph(store)
    kenya, borders = rdflib.URIRef(BASE + "entity:kenya"), rdflib.URIRef(BASE + "relation:borders")

    assert [str(o) for o in graph.objects(kenya, borders)] == [UGANDA]
    assert (kenya, borders, rdflib.URIRef(UGANDA)) in graph
    rows = graph.query("SELECT ?name { ?s rdfs:label ?name }", initNs={"rdfs": rdflib.RDFS})
    assert HOSTILE in {str(name) for (name,) in rows}
    assert graph.query(f"ASK {{ <{kenya}> <{borders}> <{UGANDA}> }}").askAnswer
    xml = rdflib.Graph(SPARQLStore(query_endpoint=url))
    assert [str(o) for o in xml.objects(kenya, borders)] == [UGANDA]
    described = xml.query(f"CONSTRUCT WHERE {{ <{kenya}> <{borders}> ?o }}").graph
    assert described is not None
    assert len(described) == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_query_without_end_keeps_nobody_waiting_and_may_be_killed(folder: Path) -> None:
    with (
        service(folder) as (process, port),
        ThreadPoolExecutor(1) as threads,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http,
    ):
        bomb = threads.submit(http.post, "/sparql", data={"query": ENDLESS})
        while not (started := workers(process.pid)):
            time.sleep(0.02)
        assert http.get("/v1/entities", params={"q": "kenya"}).status_code == 200
        assert who(http.get("/sparql", params={"query": MEMBERS})) == [UGANDA]
        assert not bomb.done()
        for worker in started:
            os.kill(worker, signal.SIGKILL)
        killed = bomb.result()
        assert killed.status_code == 503
        assert killed.json()["type"] == "urn:sightline:problem:query-interrupted"
        assert "Retry-After" in killed.headers
        assert who(http.get("/sparql", params={"query": MEMBERS})) == [UGANDA]
        left = workers(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert left
    assert not any(Path(f"/proc/{worker}").exists() for worker in left)


def test_oxigraph_reads_what_is_written(url: str, client: TestClient) -> None:
    answer = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o }"})
    parsed = pyoxigraph.parse_query_results(
        answer.content, format=pyoxigraph.QueryResultsFormat.JSON
    )
    assert len(list(parsed)) == len({(r["subject"], r["predicate"], r["object"]) for r in ROWS}) + 2
