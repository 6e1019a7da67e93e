"""Queries of the Translator Reasoner API, held to its reference models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import reasoner_pydantic as reference
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.api.trapi import lookup
from sightline.cli.main import run

#: A graph of KGX: two drugs, a gene and a disease.
NODES = """id\tcategory\tname
CHEBI:6801\tbiolink:SmallMolecule|biolink:ChemicalEntity\tmetformin
CHEBI:5441\tbiolink:SmallMolecule\tglyburide
NCBIGene:5562\tbiolink:Gene\tPRKAA1
MONDO:0005148\tbiolink:Disease\ttype 2 diabetes mellitus
"""
EDGES = """subject\tpredicate\tobject\tprimary_knowledge_source\tpublications\tagent_type
CHEBI:6801\tbiolink:treats\tMONDO:0005148\tinfores:drugcentral\tPMID:1|PMID:2\tmanual_agent
CHEBI:5441\tbiolink:treats\tMONDO:0005148\tinfores:drugcentral\t\t
CHEBI:6801\tbiolink:affects\tNCBIGene:5562\tinfores:ctd\t\t
NCBIGene:5562\tbiolink:gene_associated_with_condition\tMONDO:0005148\tinfores:disgenet\t\t
"""
DRUG, GENE, ILLNESS = "CHEBI:6801", "NCBIGene:5562", "MONDO:0005148"


@pytest.fixture(scope="module")
def drugs(made_once: Callable[[str, Any], Path]) -> Iterator[TestClient]:
    def make(folder: Path) -> None:
        (folder / "nodes.tsv").write_text(NODES)
        (folder / "edges.tsv").write_text(EDGES)
        files = [str(folder / "nodes.tsv"), str(folder / "edges.tsv")]
        assert run(["ingest", *files, "-w", str(folder / "ws")]) == 0
        assert run(["compile", "-w", str(folder / "ws")]) == 0

    with TestClient(create_app(made_once("kgx", make) / "ws")) as client:
        yield client


def graph(nodes: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"message": {"query_graph": {"nodes": nodes, **parts}}}


def edge(subject: str, object: str, *predicates: str, **parts: Any) -> dict[str, Any]:
    return {"subject": subject, "object": object, "predicates": [*predicates] or None, **parts}


def answered(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    """The response, after the reference models have read question and response."""
    reference.Query.model_validate(body)
    found = client.post("/v1/trapi/query", json=body)
    assert found.status_code == 200, found.text
    said: dict[str, Any] = found.json()
    reference.Response.model_validate(said)
    message = said["message"]
    assert message["query_graph"] == body["message"]["query_graph"]
    for made in message["knowledge_graph"]["edges"].values():
        assert {made["subject"], made["object"]} <= set(message["knowledge_graph"]["nodes"])
    return said


def bound(said: dict[str, Any], key: str) -> list[str]:
    return [one["node_bindings"][key][0]["id"] for one in said["message"]["results"]]


def test_one_hop_keeps_the_names_and_the_provenance_of_its_source(drugs: TestClient) -> None:
    nodes = {"n0": {"ids": [ILLNESS]}, "n1": {"categories": ["biolink:ChemicalEntity"]}}
    said = answered(drugs, graph(nodes, edges={"e0": edge("n1", "n0", "biolink:treats")}))

    assert bound(said, "n1") == [DRUG]
    (made,) = said["message"]["knowledge_graph"]["edges"].values()
    assert (made["subject"], made["predicate"], made["object"]) == (DRUG, "biolink:treats", ILLNESS)
    assert [one["resource_id"] for one in made["sources"]] == [
        *("infores:drugcentral", "infores:sightline"),
    ]
    attributes = {one["attribute_type_id"]: one["value"] for one in made["attributes"]}
    assert attributes == {
        "biolink:publications": ["PMID:1", "PMID:2"],
        "biolink:knowledge_level": "knowledge_assertion",
        "biolink:agent_type": "manual_agent",
        "prov:wasDerivedFrom": "edges.tsv, line 2",
    }
    row = next(one["value_url"] for one in made["attributes"] if "value_url" in one)
    assert row.endswith("/rows?at=line%202")
    drug = said["message"]["knowledge_graph"]["nodes"][DRUG]
    assert drug["name"] == "metformin"
    assert set(drug["categories"]) == {"biolink:SmallMolecule", "biolink:ChemicalEntity"}


def test_two_hops_meet_whichever_way_no_predicate_points(drugs: TestClient) -> None:
    nodes = {"a": {"ids": [DRUG]}, "b": {"categories": ["biolink:Gene"]}, "c": {"ids": [ILLNESS]}}
    edges = {"e0": edge("b", "a"), "e1": edge("b", "c", "biolink:related_to")}
    said = answered(drugs, graph(nodes, edges=edges))

    assert bound(said, "b") == [GENE]
    predicates = [e["predicate"] for e in said["message"]["knowledge_graph"]["edges"].values()]
    assert sorted(predicates) == ["biolink:affects", "biolink:gene_associated_with_condition"]
    # A predicate points one way.
    edges["e0"] = edge("b", "a", "biolink:affects")
    assert answered(drugs, graph(nodes, edges=edges))["message"]["results"] == []


def test_a_triangle_is_closed(drugs: TestClient) -> None:
    nodes: dict[str, Any] = {"a": {"ids": [ILLNESS]}, "b": {}, "c": {}}
    edges = {"e0": edge("b", "a"), "e1": edge("c", "a", "biolink:treats"), "e2": edge("c", "b")}
    said = answered(drugs, graph(nodes, edges=edges))

    # Glyburide treats it, too, and affects no gene.
    assert (bound(said, "b"), bound(said, "c")) == ([GENE], [DRUG])


def test_a_pathfinder_gives_paths_through_a_category(drugs: TestClient) -> None:
    through = [{"intermediate_categories": ["biolink:Gene"]}]
    nodes = {"n0": {"ids": [DRUG]}, "n1": {"ids": [ILLNESS]}}
    asked = {"p0": {"subject": "n0", "object": "n1", "constraints": None}}
    every = answered(drugs, graph(nodes, paths=asked))
    asked["p0"]["constraints"] = through  # type: ignore[assignment]
    said = answered(drugs, graph(nodes, paths=asked))

    assert len(every["message"]["results"][0]["analyses"]) == 2
    ((analysis,),) = [one["analyses"] for one in said["message"]["results"]]
    ((binding,),) = analysis["path_bindings"].values()
    edges = said["message"]["auxiliary_graphs"][binding["id"]]["edges"]
    made = [said["message"]["knowledge_graph"]["edges"][key] for key in edges]
    assert [one["subject"] for one in made] == [DRUG, GENE]


def test_what_is_inferred_has_its_chance_and_what_speaks_for_it(client: TestClient) -> None:
    nodes = {"n0": {"ids": ["entity:kenya"]}, "n1": {"categories": ["biolink:Organisation"]}}
    asked = edge("n0", "n1", "biolink:member_of", knowledge_type="inferred")
    said = answered(client, graph(nodes, edges={"e0": asked}))

    place = bound(said, "n1").index("entity:eac")
    analysis = said["message"]["results"][place]["analyses"][0]
    made = said["message"]["knowledge_graph"]["edges"][analysis["edge_bindings"]["e0"][0]["id"]]
    attributes = {one["attribute_type_id"]: one["value"] for one in made["attributes"]}
    assert attributes["biolink:knowledge_level"] == "prediction"
    assert attributes["sightline:probability"] == analysis["score"] > 0
    assert set(attributes["biolink:support_graphs"]) <= set(said["message"]["auxiliary_graphs"])


def test_another_graph_is_asked_by_names_and_makes_none_up(client: TestClient) -> None:
    nodes = {"n0": {"ids": ["Kenya"]}, "n1": {"categories": ["biolink:Country"]}, "n2": {}}
    edges = {"e0": edge("n0", "n1", "biolink:borders"), "e1": edge("n1", "n2")}
    said = answered(client, graph(nodes, edges=edges))
    known = said["message"]["knowledge_graph"]

    assert said["message"]["results"][0]["node_bindings"]["n0"] == [
        {"id": "entity:kenya", "query_id": "Kenya", "attributes": []},
    ]
    assert set(bound(said, "n1")) == {"entity:uganda"}
    assert known["nodes"]["entity:uganda"]["categories"] == ["biolink:Country"]
    assert known["nodes"]["entity:english"]["categories"] == ["biolink:NamedThing"]
    by_predicate = {one["predicate"] for one in known["edges"].values()}
    assert by_predicate == {"biolink:borders", "biolink:related_to"}
    originals = {
        one["value"]
        for made in known["edges"].values()
        for one in made["attributes"]
        if one["attribute_type_id"] == "biolink:original_predicate"
    }
    assert {"relation:official_language", "relation:borders"} <= originals
    # A border that is stated both ways is one fact to who asks for anything.
    edges = {"e0": edge("n0", "n1")}
    said = answered(
        client, graph({"n0": {"ids": ["Kenya"]}, "n1": {"ids": ["Uganda"]}}, edges=edges)
    )
    (result,) = said["message"]["results"]
    assert len(result["analyses"][0]["edge_bindings"]["e0"]) == 1


def test_what_there_is_is_said_in_the_words_of_answers(
    drugs: TestClient, client: TestClient
) -> None:
    said, other = (one.get("/v1/trapi/meta_knowledge_graph").json() for one in (drugs, client))
    for made in (said, other):
        reference.MetaKnowledgeGraph.model_validate(made)

    small, illness = "biolink:SmallMolecule", "biolink:Disease"
    assert said["nodes"][small] == {"id_prefixes": ["CHEBI"]}
    assert set(said["nodes"]) == {small, "biolink:ChemicalEntity", "biolink:Gene", illness}
    runs = [(one["subject"], one["predicate"], one["object"]) for one in said["edges"]]
    assert (small, "biolink:treats", illness) in runs
    assert (illness, "biolink:treats", small) not in runs
    assert len(set(runs)) == len(runs) == 5
    assert said["edges"][0]["knowledge_types"] == ["lookup", "inferred"]
    assert list(other["nodes"]) == ["biolink:NamedThing"]
    assert "entity" in other["nodes"]["biolink:NamedThing"]["id_prefixes"]
    assert [one["predicate"] for one in other["edges"]] == ["biolink:related_to"]


def test_what_most_edges_say_comes_first() -> None:
    nodes = np.array([[3, 1], [2, 7], [1, 9], [1, 9], [2, 7], [1, 8], [1, 9]], np.int32)
    edges = np.array([[8, 8], [0, 1], [0, 2], [3, 2], [4, 5], [6, 6], [0, 2]], np.int32)

    found, way = lookup.by_way(lookup.Matches(nodes, edges, cut=True))

    # Of 2, 7 two edges each; of 1, 9 two and one, as a row that comes again says no more.
    assert found.nodes.tolist() == [[2, 7]] * 2 + [[1, 9]] * 3 + [[1, 8], [3, 1]]
    assert sorted(found.edges[:2].tolist()) == [[0, 1], [4, 5]]
    assert way.tolist() == [0, 0, 1, 1, 1, 2, 3]
    assert found.cut
    nothing = lookup.Matches(nodes[:0], edges[:0], cut=False)
    assert lookup.by_way(nothing)[1].tolist() == []


def test_what_is_left_out_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes: dict[str, Any] = {"n0": {"ids": ["entity:kenya", "nobody:X"]}, "n1": {}}
    edges = {"e0": edge("n0", "n1", "biolink:member_of", "biolink:treats")}
    body = graph(nodes, edges=edges) | {"parameters": {"limit": 1}}
    said = answered(client, body)
    assert [one["code"] for one in said["logs"]] == [
        *("UnknownId", "UnknownPredicate", "PartialResults"),
    ]
    assert len(said["message"]["results"]) == 1

    with monkeypatch.context() as patch:
        patch.setattr(lookup, "MAX_ROWS", 1)
        said = answered(client, graph(nodes, edges=edges))
        assert "more ways" in said["logs"][-1]["message"]
        assert len(said["message"]["results"]) == 1
    with monkeypatch.context() as patch:
        patch.setattr(lookup, "MAX_FACTS", 1)
        both = {**nodes, "n0": {"ids": ["entity:kenya", "entity:uganda"]}}
        said = answered(client, graph(both, edges=edges))
        assert "more ways" in said["logs"][-1]["message"]
        ends = [one["node_bindings"]["n0"][0]["id"] for one in said["message"]["results"]]
        assert set(ends) == {"entity:kenya"}
    with monkeypatch.context() as patch:
        patch.setattr(lookup, "time", SimpleNamespace(perf_counter=lambda: float("inf")))
        said = answered(client, graph(nodes, edges=edges))
        assert "room or time" in said["logs"][-1]["message"]
        assert said["message"]["results"] == []

    nodes["n0"] = {"ids": ["nobody:X"]}
    assert answered(client, graph(nodes, edges=edges))["message"]["results"] == []


N0, N1 = {"ids": ["entity:kenya"]}, {"ids": ["entity:nepal"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": {}}, "query_graph is missing"),
        (graph({"n0": N0}), "neither edges and paths"),
        (graph({"n0": N0}, edges={"e0": edge("n0", "n1")}), "which is not among: n0"),
        (graph({"n0": N0}, edges={"e0": edge("n0", "n0")}), "to itself"),
        (graph({"n0": {}, "n1": {}}, edges={"e0": edge("n0", "n1")}), "no node with ids"),
        (graph({"n0": N0, "n1": N1, "n2": {}}, edges={"e0": edge("n0", "n1")}), "on no edge"),
        (
            graph(
                {"n0": N0, "n1": {}, "n2": {}, "n3": {}},
                edges={"e0": edge("n0", "n1"), "e1": edge("n2", "n3")},
            ),
            "not connected with node n0",
        ),
        (
            graph({"n0": N0 | {"constraints": [{"id": "x"}]}, "n1": {}}, edges={}),
            "constraints cannot be used",
        ),
        (
            graph({"n0": N0 | {"set_interpretation": "ALL"}}, edges={}),
            "set_interpretation cannot be used",
        ),
        (
            graph(
                {"n0": N0, "n1": {}},
                edges={"e0": edge("n0", "n1", knowledge_type="inferred")},
            ),
            "has 0 predicates",
        ),
        (graph({"n0": N0, "n1": {}}, paths={"p": {"subject": "n0", "object": "n1"}}), "no ids"),
        (graph({"n0": N0, "n1": N1}, edges={}) | {"parameters": {"limit": 0}}, "1 to 1000"),
        (graph({"n0": N0}, egdes={}), "did you mean edges?"),
    ],
)
def test_what_cannot_be_asked_says_the_way_out(
    client: TestClient, body: dict[str, Any], said: str
) -> None:
    found = client.post("/v1/trapi/query", json=body)
    assert found.status_code == 422
    assert found.headers["content-type"] == "application/problem+json"
    assert said in found.json()["detail"]
