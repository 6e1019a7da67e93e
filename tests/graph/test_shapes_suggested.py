"""Shapes that are suggested from facts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sightline.cli.main import run
from sightline.graph.shapes.suggest import Suggestion, suggest, to_turtle
from sightline.graph.shapes.validate import validate
from sightline.graph.snapshot.reader import Snapshot
from tests.graph.conftest import BASE, XSD, build, fact, literal, typed

CODE, SIZE, YEAR = (f"{BASE}property:{name}" for name in ("code", "size", "year"))
CITY_OF = f"{BASE}relation:city_of"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Forty cities of ten countries: one city is of two countries, one year is no number; sizes are
    from a list; every third city has a text of its own with a quote and a line in it."""
    rows = [typed(f"k{i}", "Country") for i in range(10)]
    for i in range(40):
        rows += [typed(f"c{i}", "City"), fact((f"c{i}", "city_of", f"k{i % 10}"))]
        rows.append(literal(f"c{i}", SIZE, ("small", "middle", "large")[i % 3]))
        rows.append(
            literal(f"c{i}", YEAR, "soon" if i == 5 else str(1900 + i), datatype=XSD + "integer")
        )
        if i % 3 == 0:
            rows.append(literal(f"c{i}", CODE, f'"{i}"\n'))
    rows.append(fact(("c7", "city_of", "k1")))
    return build(tmp_path_factory.mktemp("suggested") / "ws", rows)


def of(found: list[Suggestion], predicate: str) -> dict[str, tuple[int, int, tuple[str, ...]]]:
    return {
        one.said: (one.support, one.exceptions, one.examples)
        for one in found
        if one.path == f"<{predicate}>" and one.target == ("targetClass", f"{BASE}class:City")
    }


def test_what_is_kept_is_suggested_with_support_and_exceptions(snapshot: Snapshot) -> None:
    found = list(suggest(snapshot).found)
    assert of(found, CITY_OF) == {
        "sh:minCount 1": (40, 0, ()),
        "sh:maxCount 1": (40, 1, ("c7",)),
        f"sh:class <{BASE}class:Country>": (41, 0, ()),
    }
    assert of(found, SIZE)['sh:in ( "large" "middle" "small" )'] == (40, 0, ())
    assert of(found, YEAR)[f"sh:datatype <{XSD}integer>"] == (40, 1, ("c5",))
    assert of(found, CODE).keys() == {"sh:maxCount 1", f"sh:datatype <{XSD}string>"}


def test_validate_finds_the_exceptions_that_suggestions_name(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    suggested = suggest(snapshot)
    file = tmp_path / "shapes.ttl"
    file.write_text(to_turtle(suggested))
    checked = validate(snapshot, file)
    assert not checked.others
    assert Counter(one.severity for one in checked.results) == {
        "Warning": sum(one.exceptions for one in suggested.found)
    }
    assert {one.focus for one in checked.results} == {f"{BASE}entity:c{i}" for i in (5, 7)}


def test_the_command_writes_them_to_a_file(
    snapshot: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(snapshot.folder.parents[1])
    assert run(["shapes", "-w", folder]) == 0
    shown = capsys.readouterr().out
    assert "# 39 of 40; not c7\n" in shown
    assert run(["shapes", "-w", folder, "-o", str(tmp_path / "s.ttl")]) == 0
    assert (tmp_path / "s.ttl").read_text() == shown


def test_few_cases_are_a_note_and_one_value_is_not_said_where_others_have_several(
    tmp_path: Path,
) -> None:
    rows = []
    for i in range(59):
        rows += [typed(f"v{i}", "Village"), *(literal(f"v{i}", CODE, f"{i}{x}") for x in "ab")]
        rows.append(literal(f"v{i}", SIZE, f"size {i}"))
    for i in range(20):
        rows += [typed(f"t{i}", "Town"), literal(f"t{i}", CODE, str(i))]
        rows += [literal(f"t{i}", SIZE, f"size {i}"), fact((f"t{i}", "near", f"v{i}"))]
        rows.append(fact((f"t{i + 1}", "near", f"t{i}")))
    suggested = suggest(build(tmp_path / "ws", rows))
    found = suggested.found
    said = {
        (one.target[1].rpartition(":")[2], one.path[-5:-1], one.said): one.severity
        for one in found
        if one.said.endswith("Count 1")
    }
    assert said["Village", "size", "sh:minCount 1"] == "Violation"
    assert said["Town", "size", "sh:minCount 1"] == "Info"
    assert said["Town", "size", "sh:maxCount 1"] == "Info"
    assert ("Town", "code", "sh:maxCount 1") not in said
    (one_way,) = (one for one in found if one.one_way)
    assert (one_way.exceptions, one_way.severity) == (0, "Info")
    assert "; or each pair is stated once" in to_turtle(suggested)
