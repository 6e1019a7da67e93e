"""Caching, methods, headers, formats: what any client may rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import jsonschema
import networkx as nx
import orjson
import pyoxigraph
import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.testclient import TestClient

from sightline.api import answers
from sightline.api.access import may
from sightline.api.answers import JSON, ResponseCache, choose
from sightline.api.app import STATIC, create_app
from sightline.api.reading import Route
from sightline.graph.paths import find
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights import graph_formats
from sightline.insights.kinds import KINDS
from sightline.insights.records import EntityRef, Ref
from tests.api.conftest import HOSTILE, MODEL, add_facts, make_workspace
from tests.graph.conftest import RDF, RDFS

AROUND = "/v1/entities/Kenya/neighborhood?limit=50"
FORMATS = [JSON, *graph_formats.FORMATS]


def test_what_a_client_has_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/v1/stats")
    for sent in (first.headers["etag"], f'"x", W/{first.headers["etag"]}'):
        again = client.get("/v1/stats", headers={"If-None-Match": sent})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]
    assert client.get("/v1/stats", headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_answer_from_the_cache_is_the_same(client: TestClient) -> None:
    first, second = (client.get("/v1/entities/Uganda/related?k=7") for _ in range(2))

    assert first.content == second.content
    assert {**first.headers, "x-request-id": 0} == {**second.headers, "x-request-id": 0}
    assert client.get("/v1/entities/Uganda/related?k=1").content != first.content


def test_an_answer_that_was_cut_is_not_kept(client: TestClient, monkeypatch) -> None:
    whole = client.get("/v1/paths?source=Nepal&target=Uganda")
    cut = find.PathAnswer((), (), 0, True, "time was up")
    monkeypatch.setattr(find, "find_paths", lambda *_, **__: cut)
    answer = client.get("/v1/paths?source=Nepal&target=Uganda&k=3")

    assert whole.headers["cache-control"] == "private, no-cache"
    assert answer.json()["truncated"]
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_the_cache_stays_in_its_room() -> None:
    cache, keys = ResponseCache(limit=8000), [("", b"%02d" % i, b"", b"", False) for i in range(20)]
    route = Route("/x", list, openapi_extra=may())
    for key in keys:
        cache.put(key, (Response(bytes(488)), route))
    cache.put(("", b"large", b"", b"", False), (Response(bytes(500)), route))

    assert [key for key in keys if key in cache] == keys[12:]
    assert ("", b"large", b"", b"", False) not in cache


def test_a_long_answer_is_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    refs = tuple(Ref(f"entity:{i}", f"http://example.org/{i}", 'a "b"') for i in range(200))
    long = EntityRef("entity:x", "x", "x", refs)  # type: ignore[arg-type]
    pieces: list[int] = []

    def dumps(value: object) -> bytes:
        pieces.append(len(orjson.dumps(value)))
        return orjson.dumps(value)

    monkeypatch.setattr(answers, "orjson", SimpleNamespace(dumps=dumps))
    for value in (long, {"answers": [EntityRef("entity:y", "y", "y", ())] * 200}):
        assert answers.to_json(value) == orjson.dumps(value)
    assert max(pieces) < 200


def test_records_of_answers_hold_their_fields_where_json_is_made_of_them_at_once() -> None:
    found: set[type] = set()

    def add(hint: Any) -> None:
        for part in get_args(hint):
            add(part)
        if is_dataclass(hint) and isinstance(hint, type) and hint not in found:
            found.add(hint)
            for part in (*hint.__bases__, *get_type_hints(hint).values()):
                add(part)

    for kind in KINDS:
        add(kind.record)

    # With slots it takes several times as long.
    assert EntityRef in found
    assert [record for record in found if "__slots__" in vars(record)] == []


def test_head_is_get_without_a_body(client: TestClient) -> None:
    for url in ("/v1/stats", "/", "/docs", "/static/app.js", "/readyz", "/v1/nothing"):
        head, get = client.head(url), client.get(url)
        assert head.content == b""
        assert head.status_code == get.status_code
        assert {**head.headers, "x-request-id": 0} == {**get.headers, "x-request-id": 0}


@pytest.mark.parametrize("url", ["/", "/docs", "/static/app.js", "/v1/stats", "/v1/nothing"])
def test_a_browser_runs_only_our_own_files(client: TestClient, url: str) -> None:
    headers = client.get(url).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )

    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("kind", "media"), [("html", "html"), ("js", "javascript"), ("css", "css")]
)
def test_pages_ask_no_other_host_and_hold_no_inline_code(
    client: TestClient, kind: str, media: str
) -> None:
    files = [client.get(f"/static/{p.relative_to(STATIC)}") for p in STATIC.rglob(f"*.{kind}")]
    text = "\n".join(file.text for file in files)

    # A browser runs a module only if its media type says that it is one.
    types = {file.headers["content-type"].partition(";")[0] for file in files}
    assert {name.rpartition("/")[2] for name in types} == {media}

    hosts = re.findall(r"""["'(`](?:https?:)?//[\w.]+""", text)
    # Names of XML vocabularies are no addresses.
    names = ("www.w3.org", "graphml.graphdrawing.org")
    assert [host for host in hosts if not host.endswith(names)] == []
    assert re.findall(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", text) == []
    assert "<script>" not in text
    assert "style=" not in text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, FORMATS[0]),
        ("*/*", FORMATS[0]),
        ("text/html,application/xhtml+xml,*/*;q=0.8", FORMATS[0]),
        ("application/*", FORMATS[0]),
        (graph_formats.GRAPHML, graph_formats.GRAPHML),
        ("application/json;q=0.5, application/ld+json", graph_formats.JSON_LD),
        ("*/*;q=0.1, APPLICATION/VND.CYTOSCAPE+JSON;q=0.2", graph_formats.CYTOSCAPE),
        ("application/json;q=0, */*", graph_formats.CYTOSCAPE),
    ],
)
def test_accept_chooses_the_format(client: TestClient, accept: str | None, wanted: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get(AROUND, headers=headers)

    assert choose(accept, FORMATS) == wanted
    assert answer.headers["content-type"].split(";")[0] == wanted
    assert answer.headers["vary"] == "Accept, Accept-Encoding"


def test_each_format_has_its_own_tag(client: TestClient) -> None:
    tags = {client.get(AROUND, headers={"Accept": f}).headers["etag"] for f in FORMATS}

    assert len(tags) == len(FORMATS)


@pytest.mark.parametrize("accept", ["text/csv", "application/json;q=0", ";;q=x", ","])
def test_a_format_that_there_is_not(client: TestClient, accept: str) -> None:
    with pytest.raises(HTTPException):
        choose(accept, FORMATS)
    answer = client.get(AROUND, headers={"Accept": accept})
    assert answer.status_code == 406
    assert graph_formats.GRAPHML in answer.json()["detail"]


def triples(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    iri = {node["id"]: node["iri"] for node in found["nodes"]}
    return {(iri[e["source"]], e["relation"]["iri"], iri[e["target"]]) for e in found["edges"]}


def test_the_formats_say_what_the_json_says(client: TestClient) -> None:
    found = client.get(AROUND).json()
    assert len(found["edges"]) > 5

    text = client.get(AROUND, headers={"Accept": graph_formats.GRAPHML}).content
    graph = nx.read_graphml(BytesIO(text), force_multigraph=True)
    iris = nx.get_node_attributes(graph, "iri")
    edges = {(iris[a], data["iri"], iris[b]) for a, b, data in graph.edges(data=True)}
    assert edges == triples(found)
    assert HOSTILE in nx.get_node_attributes(graph, "label").values()

    drawn = client.get(AROUND, headers={"Accept": graph_formats.CYTOSCAPE}).json()["elements"]
    assert [n["data"]["id"] for n in drawn["nodes"]] == [n["id"] for n in found["nodes"]]
    ends = sorted((e["data"]["source"], e["data"]["target"]) for e in drawn["edges"])
    assert ends == sorted((e["source"], e["target"]) for e in found["edges"])

    linked = client.get(AROUND, headers={"Accept": graph_formats.JSON_LD}).text
    rdf = pyoxigraph.parse(linked, format=pyoxigraph.RdfFormat.JSON_LD)
    said = {(t.subject.value, t.predicate.value, t.object.value) for t in rdf}  # type: ignore[union-attr]
    assert triples(found) <= said
    kenya = "urn:sightline:entity:kenya"
    assert (kenya, RDF + "type", "urn:sightline:class:Country") in said
    assert (kenya, RDFS + "label", "Kenya") in said


def with_examples(operation: dict[str, Any], path: str) -> tuple[str, dict[str, Any]]:
    """The address and query of an operation, from its examples."""
    query = {}
    for parameter in operation.get("parameters", ()):
        for example in parameter["schema"].get("examples", ()) or [parameter.get("example")]:
            if example is None:
                continue
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", example)
            else:
                query[parameter["name"]] = example
    return path, query


def bodies(operation: dict[str, Any], api: dict[str, Any]) -> list[dict[str, Any]]:
    """What can be sent to an operation: nothing, its examples, or an object that says nothing."""
    if "requestBody" not in operation:
        return [{}]
    content = operation["requestBody"]["content"]
    shown = [
        {"content": as_sent(example["value"]), "headers": {"Content-Type": media_type}}
        for media_type, told in content.items()
        for example in told.get("examples", {}).values()
    ]
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    record = api["components"]["schemas"].get(name, {"required": True})
    return shown or ([] if record.get("required") else [{"json": {}}])


@pytest.fixture
def knowing_client(tmp_path: Path) -> Iterator[TestClient]:
    """An application whose model also takes new entities, with a snapshot before the served one."""
    model = replace(MODEL, like="kenya")
    former = Workspace.create(tmp_path / "ws")
    add_facts(former, "before", ("kenya", "borders", "uganda"))
    compile_snapshot(former, rdf=False)
    with TestClient(create_app(make_workspace(tmp_path / "ws", model).path)) as made:
        yield made


def test_the_examples_of_the_documentation_work_and_answers_fit_their_schemas(
    knowing_client: TestClient,
) -> None:
    client = knowing_client
    api = client.get("/openapi.json").json()
    tried = 0
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            url, query = with_examples(operation, path)
            sent = bodies(operation, api)
            if "{" in url or not sent:
                assert path.startswith(MADE), f"{method} {path} has no example"
                continue
            (status,) = [said for said in operation["responses"] if said.startswith("2")]
            offered = operation["responses"][status]["content"]
            for body in sent:
                answer = client.request(method, url, params=query, **body)
                assert str(answer.status_code) == status, (url, answer.text)
                media_type = answer.headers["content-type"].partition(";")[0]
                good = {**offered[media_type]["schema"], "components": api["components"]}
                if media_type.endswith("json"):
                    jsonschema.Draft202012Validator(good).validate(json.loads(answer.text))
                tried += 1
    assert tried >= 30


#: Their ids are made by asking, and files are no examples; tests of their own follow these.
MADE = ("/v1/reports/", "/v1/loads/", "/v1/doctor/", "/v1/jobs/", "/v1/ingest")


def as_sent(example: object) -> str:
    return example if isinstance(example, str) else json.dumps(example)


def test_every_operation_explains_itself(client: TestClient) -> None:
    for operations in client.get("/openapi.json").json()["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], parameter


def test_no_default_is_out_of_its_own_range(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    operations = [op for path in api["paths"].values() for op in path.values()]
    schemas = [p["schema"] for op in operations for p in op.get("parameters", ())]
    for record in api["components"]["schemas"].values():
        schemas += record.get("properties", {}).values()
    ranged = [s for s in schemas if "maximum" in s and s.get("default") is not None]

    assert ranged
    assert all(s["minimum"] <= s["default"] <= s["maximum"] for s in ranged), ranged


def test_the_page_asks_at_once_for_every_module_of_its_first_view() -> None:
    wanted, seen = ["app.js", "views/start.js"], set[str]()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        said = re.findall(
            r'^import [^;]*?from "([^"]+)";', (STATIC / name).read_text(), re.MULTILINE
        )
        found = {
            str(((STATIC / name).parent / path).resolve().relative_to(STATIC)) for path in said
        }
        wanted += sorted(found - seen)
    page = (STATIC / "index.html").read_text()
    listed = re.findall(r'(?:modulepreload" href|module" src)="/static/([^"]+)"', page)
    assert sorted(listed) == sorted(seen)
