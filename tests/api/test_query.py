"""Logical questions over HTTP and on the command line: as text, and one condition at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sightline.cli.main import run
from tests.api.conftest import TestClient


def ask(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/query", json=body)


def test_text_and_atoms_ask_the_same(client: TestClient) -> None:
    text = ask(client, text="?c <member of> ?o, not ?c borders ?, ?c 'calling code' != '1'")
    atoms = [
        {"head": "?c", "relation": "member of", "tail": "?o"},
        {"head": "?c", "relation": "borders", "tail": "?", "negated": True},
    ]
    one_by_one = ask(client, atoms=atoms, show=["c"])

    assert text.status_code == one_by_one.status_code == 200
    assert text.headers["cache-control"] == "no-store"
    assert [v["label"] for row in one_by_one.json()["rows"] for v in row["values"]] == [
        *("Georgia", "Nepal", "Portugal"),
    ]
    assert text.json()["rows"] == []
    assert text.json()["note"].startswith("nothing meets (")


def test_a_prediction_says_its_condition(client: TestClient) -> None:
    found = ask(client, text="likely Kenya <member of> ?o, ?o a Organisation", above=0.01).json()

    new = [row for row in found["rows"] if row["predicted"]]
    assert [row["values"][0]["label"] for row in new][:1] == ["East African Community"]
    assert new[0]["predicted"] == [1]
    assert new[0]["facts"][0]["status"] == "predicted"
    assert found["conditions"][0]["asked"] == "head"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "give one of them"),
        ({"text": "?c borders"}, "at character"),
        ({"atoms": [{"head": "?c", "relatoin": "borders"}]}, "relation"),
        ({"atoms": [{"head": "?c", "type": "Country"}] * 21}, "20"),
        ({"atoms": [{"head": "?c", "type": "Country", "likely": True}]}, "only links"),
        ({"atoms": [{"head": "?c", "sign": "=", "tail": "?d"}]}, "head != tail"),
        ({"text": "?c a Country", "max_rows": 5}, "1000 to 20000000"),
        ({"text": "?c a Country", "above": 0}, "0.01 to 1"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    client: TestClient, body: dict[str, Any], said: str
) -> None:
    found = ask(client, **body)

    assert found.status_code == 422
    assert said in found.json()["detail"]


def test_the_table_has_a_column_for_each_variable(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "?c a Country, likely ?c <member of> ?o"
    assert run(["query", text, "--above", "0.01", "--limit", "9", "-w", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["?c", "?o", "chance", "predicted"]
    assert any(line.startswith("Uganda") and "African Union" in line for line in lines)
    assert any("of" in line and "answers shown" in line for line in lines)

    assert run(["query", "?c a Country, ?c borders Portugal", "-w", str(folder)]) == 0
    assert "nothing meets" in capsys.readouterr().out
    assert run(["query", "?c a Contry", "-w", str(folder)]) == 1
    assert "Country" in capsys.readouterr().err
