"""A SPARQL query costs at most its own request, whatever it asks for."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.errors import Busy
from sightline.graph.progress import Cancelled, cancelled
from sightline.graph.rdf.errors import (
    IndexUnreadable,
    QueryError,
    QueryInterrupted,
    QueryOutOfMemory,
    QueryRefused,
    QuerySyntaxError,
    QueryTimeout,
    QueryTooLong,
    ResultTooLarge,
)
from sightline.graph.rdf.index import FOLDER, index_error
from sightline.graph.rdf.query_text import MAX_TEXT, read_query
from sightline.graph.rdf.sparql import SOLUTIONS, TRIPLES, Graphs, Limits, QueryPool, offered
from sightline.graph.rdf.worker import count_rows, receive, reply_to
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.errors import DamagedArtifact
from tests.graph.conftest import BASE, RDF, RDFS, build, fact, label, literal

NODES = 1000
P = f"<{BASE}relation:p>"
CHEAP = "SELECT ?o { entity:1 relation:p ?o }"
#: What node 1 leads to; see ``big``.
CHEAP_ANSWER = {f"{BASE}entity:{(7 + j) % NODES}" for j in range(10)}
PRODUCT = "?a ?b ?c . ?d ?e ?f"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
MIB = 1 << 20


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """10,000 facts: node i leads to the ten nodes from 7 i on."""
    rows = [
        fact((str(i), "p", str((7 * i + j) % NODES)), i + 1)
        for i in range(NODES)
        for j in range(10)
    ]
    return build(tmp_path_factory.mktemp("big") / "ws", rows, rdf=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A few facts of every kind, one in a graph of its own."""
    rows = [
        fact(("a", "r", "b")),
        label("a", 'say "hi",\n{tab}\tto é 日本'),
        literal("b", RDFS + "label", "Bär", language="de", datatype=RDF + "langString"),
        literal(
            "b", BASE + "property:n", "41", datatype="http://www.w3.org/2001/XMLSchema#integer"
        ),
        fact(("a", "r", "c")) | {"graph": "urn:g:1"},
    ]
    return build(tmp_path_factory.mktemp("small") / "ws", rows, rdf=True)


@pytest.fixture(scope="module")
def pool() -> Iterator[QueryPool]:
    """Time enough, 1000 rows, 1 MiB."""
    made = QueryPool(Limits(seconds=60, rows=1000, bytes=MIB, processes=2, queue=4))
    yield made
    made.close()


@pytest.fixture(scope="module")
def strict() -> Iterator[QueryPool]:
    """Six seconds, in which the slowest machine starts a process; 256 MiB."""
    made = QueryPool(Limits(seconds=6, memory=256 * MIB, processes=2, queue=4))
    yield made
    made.close()


def ask(
    pool: QueryPool,
    snapshot: Snapshot,
    text: str,
    media_type: str | None = None,
    graphs: Graphs | None = None,
) -> bytes:
    query = read_query(text, snapshot.prefixes)
    return pool.answer(snapshot, query, media_type or offered(query)[0], graphs)


def values(body: bytes) -> list[dict[str, str]]:
    """The solutions of a JSON result, values only."""
    found = json.loads(body)["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in found]


def check_cheap(pool: QueryPool, snapshot: Snapshot) -> None:
    """A cheap query is answered, completely."""
    assert {row["o"] for row in values(ask(pool, snapshot, CHEAP))} == CHEAP_ANSWER


def workers(of: int = os.getpid()) -> set[int]:
    """The worker processes that a process has started and not ended."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == of and b"rdf.worker" in command:
            found.add(int(folder.name))
    return found


@pytest.fixture
def background() -> Iterator[Callable[..., Future[bytes]]]:
    with ThreadPoolExecutor(8) as threads:
        yield threads.submit


# --- answers ---------------------------------------------------------------------------------


QUERIES = (
    "SELECT ?s ?o { ?s relation:r ?o }",
    "SELECT ?s ?name { ?s rdfs:label ?name FILTER(LANG(?name) = 'de') }",
    "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s",
    "SELECT ?x { entity:a (relation:r/property:n)|rdfs:label ?x }",
    "SELECT ?s ?n { ?s relation:r ?o OPTIONAL { ?o property:n ?n } }",
    "SELECT ?s ?g { GRAPH ?g { ?s relation:r ?o } }",
    "SELECT ?s { ?s ?p 'nothing like it' }",
    "SELECT ?s FROM <urn:g:1> { ?s ?p ?o }",
    "SELECT ?s ?o FROM <urn:g:1> FROM NAMED <urn:g:1> { ?s ?p ?o GRAPH <urn:g:1> { ?s ?q ?o } }",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
@pytest.mark.parametrize("text", QUERIES)
def test_solutions_are_those_of_another_engine(pool: QueryPool, small: Snapshot, text: str) -> None:
    dataset = rdflib.Dataset(default_union=True)
    store = pyoxigraph.Store.read_only(str(small.folder / FOLDER))
    dataset.parse(data=store.dump(format=pyoxigraph.RdfFormat.N_QUADS), format="nquads")
    rows = dataset.query(text, initNs=small.prefixes)
    names = [str(name) for name in rows.vars or ()]
    expected = [
        {name: str(term) for name, term in zip(names, row) if term is not None} for row in rows
    ]
    found = values(ask(pool, small, text))
    assert sorted(map(sorted_items, found)) == sorted(map(sorted_items, expected))


def sorted_items(row: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(row.items())


def test_empty_error_and_timeout_are_three_answers(strict: QueryPool, big: Snapshot) -> None:
    assert values(ask(strict, big, "SELECT * { <urn:no> ?p ?o }")) == []
    assert json.loads(ask(strict, big, "ASK { <urn:no> ?p ?o }"))["boolean"] is False
    with pytest.raises(QuerySyntaxError) as caught:
        ask(strict, big, "SELECT * {\n  ?s ?p }")
    assert caught.value.extra == {"line": 2, "column": 10}
    with pytest.raises(QueryTimeout, match="before it had an answer"):
        ask(strict, big, ENDLESS)


@pytest.mark.parametrize("media_type", SOLUTIONS)
def test_every_format_of_solutions_says_the_same(
    pool: QueryPool, small: Snapshot, media_type: str
) -> None:
    body = ask(pool, small, "SELECT ?x { entity:a rdfs:label ?x }", media_type)
    wanted = 'say "hi",\n{tab}\tto é 日本'
    if media_type == "text/csv":
        assert list(csv.reader(io.StringIO(body.decode(), newline=""))) == [["x"], [wanted]]
    else:
        (solution,) = pyoxigraph.parse_query_results(
            body, format=pyoxigraph.QueryResultsFormat.from_media_type(media_type)
        )
        assert solution["x"].value == wanted


@pytest.mark.parametrize("media_type", TRIPLES)
def test_every_format_of_triples_says_the_same(
    pool: QueryPool, small: Snapshot, media_type: str
) -> None:
    triples = {
        quad.triple
        for quad in pyoxigraph.parse(
            ask(pool, small, "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", media_type),
            format=pyoxigraph.RdfFormat.from_media_type(media_type),
        )
    }
    store = pyoxigraph.Store.read_only(str(small.folder / FOLDER))
    assert triples == {quad.triple for quad in store}


def test_the_graphs_of_the_request_stand_above_those_of_the_query(
    pool: QueryPool, small: Snapshot
) -> None:
    text = f"SELECT ?o FROM <urn:no> {{ <{BASE}entity:a> relation:r ?o }}"
    assert values(ask(pool, small, text)) == []
    found = values(ask(pool, small, text, graphs=Graphs(default=("urn:g:1",))))
    assert found == [{"o": BASE + "entity:c"}]
    named = "SELECT ?g { GRAPH ?g { ?s ?p ?o } }"
    assert values(ask(pool, small, named, graphs=Graphs(default=("urn:g:1",)))) == []
    assert values(ask(pool, small, named, graphs=Graphs(named=("urn:g:1",)))) == [{"g": "urn:g:1"}]


def test_prefixes_of_the_workspace_need_no_declaration_and_others_do(
    pool: QueryPool, small: Snapshot
) -> None:
    assert json.loads(ask(pool, small, "ASK { entity:a relation:r entity:b }"))["boolean"]
    own = "PREFIX entity: <urn:other:> ASK { entity:a ?p ?o }"
    assert not json.loads(ask(pool, small, own))["boolean"]
    with pytest.raises(QuerySyntaxError, match=r"line 2, column 1, .*prefix ex: is not declared"):
        ask(pool, small, "ASK {\nex:a ?p ?o }")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT * { ?s ?p", "line 1, column 17, at its end: something"),
        ("SELECT * { ?s ?p 'x }", "line 1, column 22, at its end: something before it is missing"),
        ("SELECT * { ?s ?p ?o } ; DROP ALL", "line 1, column .*near"),
        ("SELEC * { ?s ?p ?o }", "no SELECT, ASK, CONSTRUCT or DESCRIBE"),
        ("", "at its end"),
        ("SELECT ?y { ?x ?p ?o } GROUP BY ?x", "contains a variable that is unbound"),
    ],
)
def test_a_syntax_error_says_where_and_what(
    pool: QueryPool, small: Snapshot, text: str, said: str
) -> None:
    with pytest.raises(QuerySyntaxError, match=said):
        ask(pool, small, text)


def test_an_unknown_function_is_named(pool: QueryPool, small: Snapshot) -> None:
    with pytest.raises(QueryError, match="<urn:f> is not supported"):
        ask(pool, small, "SELECT (<urn:f>(1) AS ?x) {}")


# --- what is refused -------------------------------------------------------------------------


def evasions(url: str) -> list[str]:
    """Ways to ask another server that Oxigraph's parser understands."""
    prefix = f"PREFIX x: <{url}> PREFIX : <{url}> "
    return [
        f"SELECT * {{ SERVICE <{url}> {{ ?a ?b ?c }} }}",
        f"SELECT * {{ sErViCe SILENT <{url}> {{ ?a ?b ?c }} }}",
        f"SELECT * {{ SERVICE#c\n<{url}> {{ ?a ?b ?c }} }}",
        prefix + "SELECT * { SERVICE x:p { ?a ?b ?c } }",
        prefix + "ASK { SERVICEx: { } }",
        prefix + "ASK { SERVICESILENTx:{ } }",
        prefix + "ASK { SERVICE:{ } }",
        f"BASE <{url}> SELECT * {{ SERVICE <p> {{ ?a ?b ?c }} }}",
        f"SELECT * {{ FILTER EXISTS {{ SERVICE <{url}> {{ ?a ?b ?c }} }} }}",
        f"SELECT * {{ VALUES ?x {{ <{url}> }} SERVICE ?x {{ ?a ?b ?c }} }}",
        f"SELECT * {{ OPTIONAL {{ ?s ?p 1SERVICE <{url}> {{ }} }} }}",
        f"SELECT * {{ OPTIONAL {{ ?s ?p trueSERVICE <{url}> {{ }} }} }}",
        f"SELECT * {{ OPTIONAL {{ ?s ?p 1.SERVICE <{url}> {{ }} }} }}",
        prefix + "SELECT * { OPTIONAL { ?s ?p x:a.b.SERVICE x: { } } }",
        # To a lexer of its own the rest hides in an IRI, a text or a comment, brackets balanced.
        f"ASK {{ VALUES ?s {{ <{url}> }} FILTER(1<?b)SERVICE?s#>\n{{ }} }}",
        f"ASK {{ FILTER(1<?b)#>)'''\nSERVICE <{url}> {{ }} #'''\n}}",
        f"ASK {{ FILTER(1<'''x>''')SERVICE <{url}> {{ }} #''')\n}}",
        f"ASK {{ OPTIONAL {{ ?s ?p <<?a?b'''x>'''>> }} SERVICE <{url}> {{ }} #'''}}\n}}",
        prefix + 'ASK { VALUES ?x {"""a" } SERVICE x: { ?s ?p x:\\- } #"""}\n}',
        prefix + "ASK { OPTIONAL { ?s ?p x:a\\' } SERVICE x: { } #'}\n}",
        prefix + f"ASK {{ OPTIONAL {{ ?s ?p x:a\\#b }} SERVICE <{url}> {{ }} }}",
        f"ASK {{ \\u0053ERVICE <{url}> {{ }} }}",
        f'ASK {{ BIND("\\u0022 AS ?x) SERVICE <{url}> {{ }} #" AS ?y)\n}}',
        "SELECT * { SERVICE <http://169.254.169.254/> { ?a ?b ?c } }",
        "SELECT * { SERVICE <http://[::1]/> { ?a ?b ?c } }",
        "SELECT * { SERVICE <http://2130706433/> { ?a ?b ?c } }",
    ]


class Listener:
    """Counts who connects."""

    def __init__(self) -> None:
        self.hits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def _count(self) -> None:
        while True:
            with self._socket.accept()[0] as connection:
                if connection.recv(3) == b"end":
                    return
                self.hits += 1

    def close(self) -> None:
        with socket.create_connection(self._socket.getsockname()) as connection:
            connection.sendall(b"end")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the network is closed on Linux only")
def test_no_way_to_write_service_reaches_the_network(
    pool: QueryPool, big: Snapshot, listener: Listener
) -> None:
    for text in evasions(listener.url):
        with suppress(QueryError):
            ask(pool, big, text)
    assert listener.hits == 0
    pyoxigraph.Store().query(f"ASK {{ SERVICE SILENT <{listener.url}> {{ ?a ?b ?c }} }}")
    assert listener.hits == 1, "the queries do ask, where nothing stops them"


def test_a_service_is_refused_by_name(pool: QueryPool, big: Snapshot, listener: Listener) -> None:
    for url in (listener.url, "http://127.0.0.1:9/", "ftp://localhost/"):
        with pytest.raises(QueryRefused, match="SERVICE would ask another server"):
            ask(pool, big, f"ASK {{ SERVICE <{url}> {{ ?a ?b ?c }} }}")
    check_cheap(pool, big)


def test_where_the_system_closes_no_network_the_word_is_enough(listener: Listener) -> None:
    store = pyoxigraph.Store()
    for text in evasions(listener.url):
        reply, _ = reply_to(store, request(text), alone=False)
        assert reply["failed"] in ("service", "syntax")
    assert listener.hits == 0


def request(text: str) -> dict[str, object]:
    """What a pool asks of a process."""
    nothing = dict.fromkeys(("default_graph", "named_graphs"))
    limits = {"max_rows": 10, "max_bytes": MIB}
    about = {"text": text, "base": None, "media_type": SOLUTIONS[0], "prefixes": {}, "union": True}
    return {**about, **nothing, **limits}


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "PREFIX x: <urn:x:> DELETE WHERE { ?s ?p ?o }",
        "LOAD <http://127.0.0.1:9/x>",
        "LOAD <file:///etc/passwd>",
        "DROP ALL",
        "# SELECT\nCLEAR ALL",
        "DELETE { ?s ?p ?o } WHERE { SELECT * { ?s ?p ?o } }",
    ],
)
def test_an_update_is_no_query(pool: QueryPool, small: Snapshot, text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        ask(pool, small, text)
    assert len(values(ask(pool, small, "SELECT * { ?s ?p ?o }"))) == 5


def test_from_names_a_graph_and_opens_nothing(pool: QueryPool, big: Snapshot) -> None:
    assert values(ask(pool, big, "SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }")) == []
    named = "SELECT * FROM NAMED <http://127.0.0.1:9/x> { GRAPH ?g { ?s ?p ?o } }"
    assert values(ask(pool, big, named)) == []


@pytest.mark.parametrize(
    "text",
    [
        'SELECT * { ?s ?p "SERVICE <http://x> { } LOAD DROP" }',
        "SELECT * { ?s ?p '''SERVICE <http://x> {\n } \" ''' }",
        "SELECT * { ?service ?SERVICE $service } # SERVICE <http://x> {}",
        "PREFIX service: <http://example.org/service#> SELECT * { service:a service:b ?o }",
        "PREFIX ex: <http://ex.org/> SELECT * { GRAPH ex:service { ?s ?p ?o } }",
        "SELECT * { GRAPH ?service { ?s <http://ex.org/service?x#y> <http://ex.org/a'b(c)> } }",
        "SELECT * { ?s <urn:x#service> ?o FILTER(?a < ?b && ?c > ?d) FILTER(?a<?b&&?c>?d) }",
        "SELECT * { VALUES (?a ?b) { (<urn:a> <urn:b>) ('x' <http://x.org/#b>) } }",
        "PREFIX ex: <http://ex.org/> SELECT * { ?s ex:b\\'c ex:a.b:c . ?s ex:p\\#q 1.5 }",
        "SELECT * { << ?s <urn:a#b> ?o >> ?p 'x'@en-service }",
        "SELECT (?x AS ?from) (?y AS ?load) { ?x ?drop ?y } ORDER BY ?insert",
        "PREFIX drop: <urn:d:> PREFIX from: <urn:f:> SELECT * { drop:a from:b ?o.?o drop:c 1.}",
        'SELECT * { ?s ?p "" ; ?q """a"b""" , \'\' }',
    ],
)
def test_a_harmless_text_is_read(text: str) -> None:
    query = read_query(text)
    assert (query.form, query.has_dataset) == ("SELECT", False)
    pyoxigraph.Store().query(text)


# No surrogates: they cannot be sent over HTTP.
texts = st.text(st.characters(exclude_categories=["Cs"]))
PIECES = (
    *("SERVICE", "ASK", "FILTER(", " ", "\n", "<x>", "?x", "ex:a", "@en", "1", ".", ":", "%"),
    *("{", "}", "(", ")", "<", ">", "<<", "'", '"', "'''", '"""', "#", "\\", "\\u0022"),
)
fragments = st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=300)
@given(st.one_of(texts, fragments))
def test_any_text_is_read_or_is_an_error_of_its_own(text: str) -> None:
    with suppress(QueryError):
        assert read_query(text).text == text


@settings(max_examples=200)
@given(st.one_of(texts, fragments))
def test_any_literal_may_be_asked_for(text: str) -> None:
    term = str(pyoxigraph.Literal(text))
    try:
        pyoxigraph.Store().query(f"ASK {{ ?s ?p {term} }}")
    except SyntaxError:
        return
    assert read_query(f"ASK {{ ?s ?p {term} }}").form == "ASK"


@settings(max_examples=100)
@given(st.lists(st.one_of(texts, st.sampled_from(['"', "},{", "[{", "\n", ",", "<result>"]))))
def test_rows_are_counted_exactly_in_every_format(found: list[str]) -> None:
    rows = " ".join(f"({pyoxigraph.Literal(text)} 1)" for text in found)
    try:
        results = [
            pyoxigraph.Store().query(f"SELECT * {{ VALUES (?x ?y) {{ {rows} }} }}")
            for _ in range(4)
        ]
    except SyntaxError:
        return
    for media_type, result in zip(SOLUTIONS, results):
        form = pyoxigraph.QueryResultsFormat.from_media_type(media_type)
        assert count_rows(result.serialize(format=form), media_type) == len(found)


# --- bombs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        ENDLESS,
        f"SELECT (COUNT(*) AS ?n) {{ ?a (({P}*)*/^{P})+ ?b . ?c {P}+ ?d }}",
    ],
    ids=["cartesian product", "property path"],
)
def test_a_query_without_end_is_stopped_and_others_are_answered(
    strict: QueryPool, big: Snapshot, background: Callable[..., Future[bytes]], text: str
) -> None:
    check_cheap(strict, big)
    bomb = background(ask, strict, big, text)
    while not bomb.done():
        check_cheap(strict, big)
    with pytest.raises(QueryTimeout):
        bomb.result()
    check_cheap(strict, big)


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT (COUNT(*) AS ?n) {{ SELECT DISTINCT * {{ {PRODUCT} }} }}",
        'SELECT (STRLEN(?x34) AS ?n) { BIND("0123456789" AS ?x0) '
        + " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(34))
        + "}",
        f"SELECT ?a (GROUP_CONCAT(?c) AS ?n) {{ {PRODUCT} }} GROUP BY ?a ?c ?d",
    ],
    ids=["distinct", "doubling", "group by"],
)
def test_a_query_without_measure_ends_alone(strict: QueryPool, big: Snapshot, text: str) -> None:
    with pytest.raises((QueryOutOfMemory, QueryTimeout)):
        ask(strict, big, text)
    check_cheap(strict, big)


def test_too_much_memory_is_said_as_such(strict: QueryPool, big: Snapshot) -> None:
    with pytest.raises(QueryOutOfMemory, match="256 MiB"):
        ask(strict, big, f"SELECT * {{ {PRODUCT} }} ORDER BY ?a ?f LIMIT 1")


DEEP = {
    "groups": "SELECT * " + "{" * 10_000 + "}" * 10_000,
    "parentheses": "SELECT * { BIND(" + "(" * 10_000 + "1" + ")" * 10_000 + " AS ?x) }",
    "unclosed": "SELECT * " + "(" * 200_000,
    "optional": "SELECT * {" + "OPTIONAL {" * 5000 + "}" * 5001,
    "not exists": "SELECT * {" + "FILTER NOT EXISTS {" * 5000 + "}" * 5001,
    "lists": "SELECT * { ?s ?p " + "(" * 5000 + "1" + ")" * 5000 + "}",
    "blank nodes": "SELECT * { ?s ?p " + "[ ?p " * 5000 + "1" + "]" * 5000 + "}",
    "paths": "SELECT * { ?s " + "(" * 5000 + P + ")*" * 5000 + " ?o }",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_costs_its_own_request(strict: QueryPool, big: Snapshot, name: str) -> None:
    with suppress(QueryTimeout, QuerySyntaxError, QueryOutOfMemory):
        ask(strict, big, DEEP[name])
    check_cheap(strict, big)


CHAINS = {
    "sum": "SELECT (0" + " + 1" * 7999 + " AS ?n) {}",
    "minus": "SELECT (COUNT(*) AS ?n) { VALUES ?s { 1 } " + "MINUS { ?s ?p 1 } " * 4999 + "}",
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_long_chain_of_operators_is_answered(pool: QueryPool, big: Snapshot, name: str) -> None:
    wanted = "7999" if name == "sum" else "1"
    assert values(ask(pool, big, CHAINS[name])) == [{"n": wanted}]


def test_a_long_text_is_not_read_and_one_of_the_allowed_length_is(
    pool: QueryPool, big: Snapshot
) -> None:
    with pytest.raises(QueryTooLong, match=f"at most {MAX_TEXT}"):
        read_query("SELECT * { VALUES ?x { " + "1 " * 1_000_000 + "} }")
    start, end = 'SELECT (STRLEN("', '") AS ?n) {}'
    size = MAX_TEXT - len(start) - len(end)
    assert values(ask(pool, big, start + "a" * size + end)) == [{"n": str(size)}]


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "((a{1,100}){1,100}){1,100}", "(a|a)*$", "(", "(?=a)"]
)
def test_a_regular_expression_takes_no_time(pool: QueryPool, big: Snapshot, pattern: str) -> None:
    text = f'SELECT (REGEX("{"a" * 100_000}", "{pattern}") AS ?x) {{}}'
    assert len(values(ask(pool, big, text))) == 1


def test_a_long_result_is_an_error_not_a_part(pool: QueryPool, big: Snapshot) -> None:
    with pytest.raises(ResultTooLarge, match=f"more than {MIB} bytes"):
        ask(pool, big, f"SELECT * {{ {PRODUCT} }}")
    with pytest.raises(ResultTooLarge, match="more than 1000 rows"):
        ask(pool, big, "SELECT ?s { ?s ?p ?o } LIMIT 1001")
    with pytest.raises(ResultTooLarge, match="more than 1000 rows"):
        ask(pool, big, "CONSTRUCT WHERE { ?s ?p ?o }", "application/n-triples")
    assert len(values(ask(pool, big, "SELECT ?s { ?s ?p ?o } LIMIT 1000"))) == 1000
    triples = ask(pool, big, "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 1000", "application/n-triples")
    assert triples.count(b"\n") == 1000


# --- processes -------------------------------------------------------------------------------


@pytest.fixture
def own_pool() -> Iterator[Callable[..., QueryPool]]:
    """Make a pool that no other test uses."""
    made: list[QueryPool] = []

    def make(**limits: float) -> QueryPool:
        made.append(QueryPool(Limits(**limits)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for pool in made:
        pool.close()


needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")


def wait_for_workers(besides: set[int]) -> set[int]:
    """The workers that have started since."""
    while not (started := workers() - besides):
        threading.Event().wait(0.02)
    return started


@needs_proc
def test_a_process_that_is_killed_costs_one_query(
    big: Snapshot,
    own_pool: Callable[..., QueryPool],
    background: Callable[..., Future[bytes]],
) -> None:
    others, pool = workers(), own_pool(seconds=60)
    bomb = background(ask, pool, big, ENDLESS)
    (worker,) = wait_for_workers(others)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(QueryInterrupted, match="SIGKILL"):
        bomb.result()
    check_cheap(pool, big)
    (idle,) = workers() - others
    os.kill(idle, signal.SIGKILL)
    os.waitid(os.P_PID, idle, os.WEXITED | os.WNOWAIT)
    check_cheap(pool, big)


@needs_proc
def test_processes_are_kept_replaced_and_ended(
    big: Snapshot, small: Snapshot, own_pool: Callable[..., QueryPool]
) -> None:
    others, pool = workers(), own_pool(seconds=6, quick=6)
    check_cheap(pool, big)
    first = workers() - others
    check_cheap(pool, big)
    with pytest.raises(QuerySyntaxError):
        ask(pool, big, "SELECT ?x { BIND(1 AS ?x) BIND(2 AS ?x) }")
    assert workers() - others == first
    with pytest.raises(QueryTimeout):
        ask(pool, big, ENDLESS)
    assert workers() - others == set()
    check_cheap(pool, big)
    second = workers() - others
    assert json.loads(ask(pool, small, "ASK { entity:a relation:r entity:b }"))["boolean"]
    third = workers() - others
    assert len(second) == len(third) == 1
    assert not second & third, "a process answers from one snapshot"
    pool.close()
    assert workers() - others == set()


def test_more_queries_than_there_is_room_for_are_told_to_come_back(
    big: Snapshot, own_pool: Callable[..., QueryPool], background: Callable[..., Future[bytes]]
) -> None:
    pool = own_pool(seconds=6, processes=1, queue=1)
    asked = [background(ask, pool, big, ENDLESS) for _ in range(4)]
    errors = sorted(type(future.exception()).__name__ for future in asked)
    assert errors.count("Busy") >= 2
    assert set(errors) <= {"Busy", "QueryTimeout"}
    assert Busy("x").status == 503
    check_cheap(pool, big)


@needs_proc
def test_long_queries_leave_a_process_to_the_cheap_ones(
    big: Snapshot, own_pool: Callable[..., QueryPool], background: Callable[..., Future[bytes]]
) -> None:
    others, pool = workers(), own_pool(seconds=60, quick=3, processes=3)
    bombs = [background(ask, pool, big, ENDLESS) for _ in range(5)]
    turned_away = list(islice(as_completed(bombs), 3))
    assert [type(bomb.exception()) for bomb in turned_away] == [Busy] * 3
    check_cheap(pool, big)
    going_on = [bomb for bomb in bombs if not bomb.done()]
    assert len(going_on) == 2
    for worker in workers() - others:
        os.kill(worker, signal.SIGKILL)
    assert [type(bomb.exception()) for bomb in going_on] == [QueryInterrupted] * 2


@pytest.fixture
def abandoned() -> Iterator[Callable[..., bytes]]:
    """Asks for somebody who goes when ``leave`` is set, at the latest at the end of the test."""
    leave = threading.Event()

    def ask_for_nobody(pool: QueryPool, snapshot: Snapshot, text: str) -> bytes:
        cancelled.set(leave.is_set)
        return ask(pool, snapshot, text)

    ask_for_nobody.leave = leave  # type: ignore[attr-defined]
    yield ask_for_nobody
    leave.set()


def test_a_query_known_to_take_long_does_not_take_the_place_of_a_cheap_one(
    big: Snapshot,
    own_pool: Callable[..., QueryPool],
    background: Callable[..., Future[bytes]],
    abandoned: Any,
) -> None:
    pool = own_pool(seconds=600, quick=3, patience=600, processes=2)
    bombs = [background(abandoned, pool, big, ENDLESS) for _ in range(2)]
    done, _ = wait(bombs, return_when=FIRST_COMPLETED)
    assert [type(bomb.exception()) for bomb in done] == [Busy]
    bombs += [background(abandoned, pool, big, ENDLESS) for _ in range(4)]
    for _ in range(3):
        check_cheap(pool, big)
    assert sum(bomb.done() for bomb in bombs) == 1, "one is evaluated, the others wait for it"


@needs_proc
def test_a_query_that_nobody_waits_for_is_stopped(
    big: Snapshot,
    own_pool: Callable[..., QueryPool],
    background: Callable[..., Future[bytes]],
    abandoned: Any,
) -> None:
    others, pool = workers(), own_pool(seconds=600)
    asked = background(abandoned, pool, big, ENDLESS)
    while not workers() - others:
        time.sleep(0.01)
    abandoned.leave.set()
    assert isinstance(asked.exception(), Cancelled)
    assert workers() - others == set()


def test_many_at_once_get_each_their_own_answer(
    big: Snapshot, own_pool: Callable[..., QueryPool], background: Callable[..., Future[bytes]]
) -> None:
    pool = own_pool(seconds=60, quick=60, patience=60, processes=2, queue=20)
    asked = {
        i: background(ask, pool, big, f"SELECT ?o {{ entity:{i} relation:p ?o }}")
        for i in range(20)
    }
    for i, future in asked.items():
        expected = {f"{BASE}entity:{(7 * i + j) % NODES}" for j in range(10)}
        assert {row["o"] for row in values(future.result())} == expected


def test_a_snapshot_without_index_or_with_a_damaged_one_is_named(
    tmp_path: Path, pool: QueryPool
) -> None:
    snapshot = build(tmp_path / "ws", [fact(("a", "r", "b"))])
    with pytest.raises(DamagedArtifact, match="without its RDF index"):
        ask(pool, snapshot, "ASK {}")
    (snapshot.folder / FOLDER).mkdir()
    with pytest.raises(DamagedArtifact, match="rdf"):
        ask(pool, snapshot, "ASK {}")


def test_a_flipped_bit_is_damage(tmp_path: Path, own_pool: Callable[..., QueryPool]) -> None:
    snapshot = build(tmp_path / "ws", [fact(("a", "r", "b"))], rdf=True)
    path = max((snapshot.folder / FOLDER).glob("*.sst"), key=lambda found: found.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedArtifact, match=r"Corruption: .* in \d+\.sst"):
        ask(own_pool(), snapshot, "SELECT * { ?s ?p ?o }")


def test_a_lack_of_descriptors_is_no_damage(small: Snapshot) -> None:
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        f"sys.argv[1:] = [{str(small.folder / FOLDER)!r}, str(512 << 20)]\n"
        "from sightline.graph.rdf.worker import main\n"
        "main()\n"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run([sys.executable, "-c", code], stdin=theirs.fileno(), check=True)
        reply, _ = receive(ours) or ({}, b"")
    assert reply["failed"] == "unreadable"
    error = index_error(small.folder, reply["reason"], damaged=False)
    assert isinstance(error, IndexUnreadable)
    assert "descriptors" in str(error)
