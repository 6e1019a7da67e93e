"""What the routes answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from sightline.api.questions import MAX_ANSWERS, MAX_QUESTIONS
from tests.api.conftest import HOSTILE, LABELS, SLASHED


def labels(facts: list[dict[str, Any]]) -> list[str]:
    """What the facts link the entity asked about with."""
    return [fact["tail" if fact["direction"] == "out" else "head"]["label"] for fact in facts]


@pytest.mark.parametrize("ref", ["Kenya", "kenya", "entity:kenya", "urn:sightline:entity:kenya"])
def test_an_entity_is_named_by_label_curie_or_iri(client: TestClient, ref: str) -> None:
    for url in (f"/v1/entities/{quote(ref, safe='')}", f"/v1/entities/-?id={quote(ref)}"):
        found = client.get(url).json()
        assert found["entity"]["id"] == "entity:kenya"
        assert found["description"] == "A country in <b>East</b> Africa."
        assert found["known_to_model"]


@pytest.mark.parametrize("ending", ["", "/related", "/neighborhood", "/similar"])
def test_an_id_with_slashes_is_routed_as_it_was_sent(client: TestClient, ending: str) -> None:
    sent = quote(SLASHED, safe="")
    for url in (f"/v1/entities/{sent}{ending}", f"/v1/entities/-{ending}?id={sent}"):
        answer = client.get(url)
        assert answer.status_code == 200
        assert SLASHED in answer.text


def test_an_id_that_ends_like_a_route_is_still_an_id(client: TestClient) -> None:
    entity = client.get(f"/v1/entities/{quote('http://example.org/x/related', safe='')}")

    assert entity.status_code == 404
    assert "http://example.org/x/related" in entity.json()["detail"]


def test_related_marks_what_is_stated_and_what_is_predicted(client: TestClient) -> None:
    found = client.get("/v1/entities/Kenya/related", params={"k": 50}).json()
    stated = [item for item in found["related"] if item["status"] == "stated"]
    predicted = [item for item in found["related"] if item["status"] == "predicted"]

    assert found["entity"]["label"] == "Kenya"
    assert {"African Union", "United Nations", "Uganda", "English", HOSTILE} == set(labels(stated))
    assert all(item["origins"] and item["probability"] is None for item in stated)
    assert labels(predicted)[0] == "East African Community"
    assert all(0 <= item["probability"] <= 1 and not item["origins"] for item in predicted)


def test_related_can_be_narrowed(client: TestClient) -> None:
    ask = {"relation": "member of", "direction": "out", "predicted": False}
    found = client.get("/v1/entities/Kenya/related", params=ask).json()["related"]

    assert sorted(labels(found)) == ["African Union", "United Nations"]
    assert len(client.get("/v1/entities/Kenya/related?k=1&predicted=0").json()["related"]) == 1


def test_paths_are_ranked_and_say_which_way_they_were_walked(client: TestClient) -> None:
    found = client.get("/v1/paths?source=Kenya&target=entity:eac&max_hops=2").json()

    assert [end["id"] for end in found["source"]] == ["entity:kenya"]
    # The border is stated both ways, and is one edge.
    assert [path["text"] for path in found["paths"]] == [
        "Kenya —borders→ Uganda —member of→ East African Community",
    ]
    assert [step["forward"] for step in found["paths"][0]["steps"]] == [True, True]
    assert not found["truncated"]


def test_paths_can_be_narrowed(client: TestClient) -> None:
    base = {"source": "Kenya", "target": "Uganda", "max_hops": 2}
    without = client.get("/v1/paths", params={**base, "exclude": ["borders", "member of"]}).json()
    only = client.get("/v1/paths", params={**base, "include": "member of"}).json()
    through = client.get("/v1/paths", params={**base, "types": "Organisation", "max_hops": 2})

    assert [path["metapath"] for path in without["paths"]] == [
        "—official language→ · ←official language—"
    ]
    assert [path["length"] for path in only["paths"]] == [2]
    pattern = {**base, "pattern": "<member of>/^<member of>"}
    patterned = client.get("/v1/paths", params=pattern).json()
    unreadable = client.get("/v1/paths", params={**base, "pattern": "borders/"})

    assert {path["metapath"] for path in patterned["paths"]} == {"—member of→ · ←member of—"}
    assert unreadable.status_code == 422
    assert unreadable.json()["type"].endswith("bad-pattern")
    assert any("African Union" in path["text"] for path in through.json()["paths"])
    assert not any("English" in path["text"] for path in through.json()["paths"])


@pytest.mark.parametrize(
    "gap",
    [
        {"head": "Kenya", "relation": "member of"},
        {"relation": "member of", "tail": "entity:eac"},
        {"head": "Kenya", "tail": "East African Community"},
    ],
    ids=lambda gap: "+".join(gap),
)
def test_every_gap_is_filled(client: TestClient, gap: dict[str, str]) -> None:
    found = client.post("/v1/predictions", json={**gap, "k": 3, "new_only": True}).json()
    best = found["predictions"][0]

    assert [best[part]["label"] for part in ("head", "relation", "tail")] == [
        "Kenya",
        "member of",
        "East African Community",
    ]
    assert best["status"] == "predicted"
    assert "Uganda" in best["support"][0]["text"]


def test_a_batch_is_answered_in_order_and_one_bad_question_spoils_no_other(
    client: TestClient,
) -> None:
    questions = [{"head": "Kenya", "relation": "member of", "k": 1}, {"head": "Kenia"}]
    questions += [{"head": "Kenia", "relation": "member of"}]
    answers = client.post("/v1/predictions", json={"questions": questions}).json()["answers"]

    assert answers[0]["predictions"][0]["head"]["label"] == "Kenya"
    assert [answer["problem"]["status"] for answer in answers[1:]] == [404, 404]
    assert answers[2]["problem"]["nearest"]


def test_a_batch_has_limits(client: TestClient) -> None:
    many = {"questions": [{"head": "Kenya"}] * (MAX_QUESTIONS + 1)}
    deep = {"questions": [{"head": "Kenya", "relation": "borders", "k": MAX_ANSWERS}] * 2}

    assert client.post("/v1/predictions", json=many).status_code == 422
    assert str(MAX_ANSWERS) in client.post("/v1/predictions", json=deep).json()["detail"]


def test_what_the_model_does_not_know_is_said(client: TestClient) -> None:
    stated = client.get("/v1/entities/entity:georgia1/related")
    predicted = client.get("/v1/entities/entity:georgia1/related?known=false")

    assert labels(stated.json()["related"]) == ["United Nations"]
    assert predicted.status_code >= 400
    assert "model" in predicted.json()["detail"]
    assert not client.get("/v1/entities/entity:georgia1").json()["known_to_model"]


def test_search_is_prefix_and_typo_tolerant(client: TestClient) -> None:
    for q in ("uga", "Ugnada", "entity:uganda", "UGANDA"):
        assert client.get("/v1/entities", params={"q": q}).json()["entities"][0]["id"] == (
            "entity:uganda"
        )
    only = client.get("/v1/entities", params={"q": "n", "type": "Country"}).json()["entities"]
    assert [e["label"] for e in only] == ["Nepal"]


@pytest.mark.parametrize("query", ["", "&type=Country", "&q=e"])
def test_pages_join_to_the_whole_list(client: TestClient, query: str) -> None:
    whole = client.get(f"/v1/entities?limit=1000{query}").json()
    joined, cursor, pages = [], "", 0
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = client.get(f"/v1/entities?limit=2{query}{more}").json()
        joined += page["entities"]
        cursor, pages = page["next"], pages + 1

    assert whole["next"] is None
    assert joined == whole["entities"]
    assert pages == -(-len(joined) // 2)


def test_a_cursor_of_something_else_is_refused(client: TestClient) -> None:
    for cursor in ("x", "====", "bm9uc2Vuc2U", "\u00e9", "MTIzOjU="):
        answer = client.get("/v1/relations", params={"cursor": cursor})
        assert answer.status_code == 422
        assert "cursor" in answer.json()["detail"]


def test_relations_page(client: TestClient) -> None:
    first = client.get("/v1/relations?limit=2").json()
    second = client.get("/v1/relations", params={"limit": 2, "cursor": first["next"]}).json()

    names = [r["relation"]["label"] for r in first["relations"] + second["relations"]]
    assert names == ["member of", "borders", "official language"]
    assert second["next"] is None


def test_schema_and_stats_count(client: TestClient) -> None:
    stats = client.get("/v1/stats").json()
    schema = client.get("/v1/schema").json()

    assert stats["entities"] == len(LABELS) + 1
    assert stats["model"] == "model-1"
    assert {t["type"]["label"]: t["entities"] for t in schema["types"] if t["type"]} == {
        "Country": 5,
        "Organisation": 3,
    }


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    ready = client.get("/readyz").json()
    assert ready["snapshot"] == client.get("/v1/stats").json()["snapshot"]
    assert ready["detail"] is None
