"""Who may ask what: tokens, roles, and every route with every role."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from sightline.api import access
from sightline.api.access import may
from sightline.api.app import create_app
from sightline.api.errors import OpenToAll
from sightline.api.reading import Route
from sightline.api.server.process import serve
from sightline.api.terms import Terms
from sightline.cli.main import run
from sightline.graph.errors import UsageError
from sightline.graph.storage import tokens
from sightline.graph.storage.errors import DamagedArtifact, UnknownToken
from sightline.graph.storage.tokens import FILE, ROLES, create_token, revoke_token
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import Workspace


@pytest.fixture(scope="module")
def guarded(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a token of each role, and one that has expired."""
    copy = tmp_path_factory.mktemp("access") / "ws"
    shutil.copytree(folder, copy)
    return copy


@pytest.fixture(scope="module")
def sent(guarded: Path) -> dict[str, dict[str, str]]:
    """Headers of a request, by who sends it."""
    made = {role: create_token(guarded, role, [role])[1] for role in ROLES}
    made["expired"] = create_token(guarded, "expired", ["admin"], days=-1)[1]
    made["guess"] = made["admin"][:-1] + ("A" if made["admin"][-1] != "A" else "B")
    return {"nobody": {}} | {who: {"Authorization": f"Bearer {text}"} for who, text in made.items()}


@pytest.fixture(scope="module")
def client(guarded: Path, sent: object) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "GUESSES", 1e9)  # tokens that are wrong are tried here all the time
        with TestClient(create_app(guarded)) as made:
            yield made


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "FOLLOW", 0.0)


def test_every_route_answers_every_role_as_declared(
    client: TestClient, sent: dict[str, dict[str, str]]
) -> None:
    """Generated from OpenAPI: whoever adds a route adds its row."""
    document = client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    wrong, checked = [], 0
    for path, operations in document["paths"].items():
        url = re.sub(r"\{\w+\}", "x", path)
        for method, operation in operations.items():
            needed = {role for way in operation["security"] for role in way["token"]}
            assert needed <= set(ROLES)
            for who, headers in sent.items():
                for verb in (method, "head") if method == "get" else (method,):
                    status = client.request(verb, url, headers=headers).status_code
                    if not needed:
                        right = status not in (401, 403)
                    elif who not in ROLES:
                        right = status == 401
                    elif needed & ROLES[who]:
                        right = status not in (401, 403)
                    else:
                        right = status == 403
                    checked += 1
                    if not right:
                        wrong.append((verb, path, who, status))
    assert not wrong
    assert checked > 200


def test_pages_are_seen_without_a_token_and_nothing_else(client: TestClient) -> None:
    for url in ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/static/app.js"):
        assert client.get(url).status_code == 200
    for url in (
        "/v1",
        "/static",
        "/nothing",
        "/static/../v1/stats",
        "/healthz/",
        "/v1/stats/",
    ):
        assert client.get(url).status_code == 401, url


def test_a_route_without_a_role_cannot_be_made() -> None:
    router = APIRouter(route_class=Route)

    async def endpoint() -> None: ...

    with pytest.raises(TypeError, match="must declare whom it answers"):
        router.add_api_route("/x", endpoint)
    with pytest.raises(AssertionError):
        may("raed")


def test_an_answer_that_is_kept_is_nobody_elses(
    client: TestClient, sent: dict[str, dict[str, str]]
) -> None:
    assert client.get("/v1/stats", headers=sent["read"]).status_code == 200
    assert client.get("/v1/stats", headers=sent["ingest"]).status_code == 403
    refused = client.get("/v1/stats")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert "sightline token create" in refused.json()["detail"]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer sl_", "Bearer \xff", "bearer sl_00000000_x"],
)
def test_what_is_no_token_opens_nothing(client: TestClient, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    assert client.get("/v1/stats", headers=headers).status_code == 401


def test_a_token_counts_at_once_and_is_taken_back_at_once(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "ws")
    with TestClient(create_app(copy)) as client:
        assert client.get("/v1/stats").status_code == 200
        text = create_token(copy, "a", ["read"])[1]
        headers = {"Authorization": f"Bearer {text}"}
        assert client.get("/v1/stats").status_code == 401
        assert client.get("/v1/stats", headers=headers).status_code == 200
        (copy / FILE).write_text("{")
        assert client.get("/v1/stats", headers=headers).status_code == 503
        assert client.get("/healthz").status_code == 200
        (copy / FILE).unlink()
        create_token(copy, "b", ["read"])
        assert client.get("/v1/stats", headers=headers).status_code == 401
        revoke_token(copy, "b")
        assert client.get("/v1/stats").status_code == 200


def test_elsewhere_nobody_may_ask_when_the_last_token_is_gone(folder: Path) -> None:
    with TestClient(create_app(folder, terms=Terms(open=False))) as client:
        assert client.get("/v1/stats").status_code == 401
        assert client.get("/healthz").status_code == 200


def test_another_address_needs_a_token(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OpenToAll, match=r"sightline token create NAME .* or say --open"):
        serve(folder, "0.0.0.0", 0)
    assert run(["serve", "-w", str(folder), "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "--open" in capsys.readouterr().err


def test_only_a_hash_is_stored_in_a_file_of_ones_own(tmp_path: Path) -> None:
    Workspace.create(tmp_path)
    token, text = create_token(tmp_path, "me", ["ask", "ingest"], days=2)

    path = tmp_path / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.split("_", 2)[2] not in path.read_text()
    assert tokens.tokens(tmp_path) == (token,)
    assert token.expires == token.created + 2 * 86400
    with pytest.raises(UsageError, match="exists"):
        create_token(tmp_path, "me", ["read"])
    with pytest.raises(UsageError, match="there is no role 'raed'"):
        create_token(tmp_path, "other", ["raed"])
    with pytest.raises(UsageError, match="1 to 64 letters"):
        create_token(tmp_path, "a\nb", ["read"])
    with pytest.raises(UnknownToken, match="did you mean me"):
        revoke_token(tmp_path, "mee")


def test_verify_sees_tokens_that_others_can_read_or_that_were_changed(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    create_token(tmp_path, "me", ["read"])
    assert verify(workspace) == []
    (tmp_path / FILE).chmod(0o644)
    assert [type(error) for error in verify(workspace)] == [DamagedArtifact]
    (tmp_path / FILE).chmod(0o600)
    (tmp_path / FILE).write_text((tmp_path / FILE).read_text().replace('"read"', '"admin"'))
    assert "wrong checksum" in str(verify(workspace)[0])


def test_the_command_makes_lists_and_takes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Workspace.create(tmp_path)
    where = ["-w", str(tmp_path)]

    assert run(["token", "create", "ci", "--role", "ingest", *where]) == 0
    text = capsys.readouterr().out.strip()
    assert re.fullmatch(r"sl_[0-9a-f]{8}_[\w-]{43}", text)
    assert run(["token", "list", *where]) == 0
    shown = capsys.readouterr().out
    assert "ci" in shown
    assert text[12:] not in shown
    assert run(["token", "revoke", text[3:11], *where]) == 0
    assert "elsewhere nobody" in capsys.readouterr().out
    assert run(["token", "create", *where]) == 2


def test_a_wrong_text_is_compared_as_a_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda *both: compared.append(both))
    assert tokens.match({}, "sl_unknown") is None
    assert len(compared) == 1


@pytest.mark.parametrize(
    "route", ["POST /v1/doctor/{id}:accept", "POST /v1/doctor/{id}:ignore", "POST /v1/rollback"]
)
def test_what_changes_what_is_served_is_an_admins_alone(client: TestClient, route: str) -> None:
    method, path = route.split()
    operation = client.get("/openapi.json").json()["paths"][path][method.lower()]
    assert operation["security"] == [{"token": ["admin"]}]
