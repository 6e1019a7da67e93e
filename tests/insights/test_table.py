"""A type as a table, and questions that a graph can answer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sightline.graph.errors import UsageError
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import OWL
from sightline.insights.kinds.examples import ExamplesQuestion, examples
from sightline.insights.kinds.table import TableQuestion, TypeTable, as_csv, table
from tests.graph.conftest import XSD, build, fact, label, literal, typed
from tests.insights.conftest import World

SIZE, BORDERS = "urn:sightline:property:size", "urn:sightline:relation:borders"
COUNTRIES = {"ann": "Annland", "bob": "Bobland", "cid": "=Cidland"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    number = {"ann": "30", "bob": "7", "cid": "not known"}
    rows = [
        *(typed(one, "Country") for one in COUNTRIES),
        *(label(one, name) for one, name in COUNTRIES.items()),
        *(
            literal(one, "urn:sightline:property:size", n, datatype=XSD + "integer")
            for one, n in number.items()
        ),
        *(fact(("ann", "in_region", "north"), 2), fact(("bob", "in_region", "south"), 3)),
        *(fact((one, "member_of", f"club{i}")) for one in ("ann", "bob") for i in range(4)),
        *(fact(("ann", "borders", "bob")), fact(("bob", "borders", "ann"))),
        *(
            label("north", "North Side"),
            label("south", "South Side"),
            fact(("river", "crosses", "ann")),
        ),
        {**typed("borders", "x"), "subject": BORDERS, "object": OWL + "SymmetricProperty"},
    ]
    folder = tmp_path_factory.mktemp("table") / "ws"
    build(folder, rows)
    return World(Workspace.open(folder)).sight


def asked(sight: Any, **question: Any) -> TypeTable:
    return table(sight, TableQuestion("Country", **question))


def names(found: TypeTable) -> list[str]:
    return [row.entity.label for row in found.rows]


def cells(found: TypeTable, key: str) -> list[tuple[int, tuple[str, ...]]]:
    at = [column.key for column in found.columns].index(key)
    return [(row.cells[at].count, row.cells[at].values) for row in found.rows]


def test_rows_are_entities_and_columns_what_they_have(world: Any) -> None:
    found = asked(world, columns=("in region", "size", "^crosses", "member of"))

    assert names(found) == ["=Cidland", "Annland", "Bobland"]
    assert cells(found, "relation:in_region") == [
        (0, ()),
        (1, ("North Side",)),
        (1, ("South Side",)),
    ]
    assert cells(found, "^relation:crosses") == [(0, ()), (1, ("river",)), (0, ())]
    assert cells(found, "relation:member_of")[1] == (4, ("club0", "club1", "club2"))
    many = {column.key: column.many for column in found.columns}
    assert many["relation:member_of"]
    assert not many["relation:in_region"]


def test_both_directions_of_a_symmetric_relation_are_one_column(world: Any) -> None:
    found = asked(world, columns=("borders",))

    assert [one.key for one in found.available if "borders" in one.key] == ["relation:borders"]
    assert cells(found, "relation:borders")[1:] == [(1, ("Bobland",)), (1, ("Annland",))]


def test_a_column_of_numbers_says_what_is_in_it(world: Any) -> None:
    (column,) = asked(world, columns=("size",)).columns

    assert (column.numeric, column.filled, column.distinct) == (True, 3, 3)
    assert (column.low, column.high, column.total) == (7, 30, 37)
    assert sum(column.histogram) == 2


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("size", "Bobland Annland =Cidland"),
        ("-size", "Annland Bobland =Cidland"),
        ("-label", "Bobland Annland =Cidland"),
        ("in region", "Annland Bobland =Cidland"),
        ("-in region", "Bobland Annland =Cidland"),
        ("-facts", "Annland Bobland =Cidland"),
    ],
)
def test_rows_without_a_value_come_last(world: Any, sort: str, order: str) -> None:
    assert names(asked(world, sort=sort)) == order.split()


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("size>=8", ["Annland"]),
        ("size <= 7", ["Bobland"]),
        ("in region~side", ["Annland", "Bobland"]),
        ("in region=North Side", ["Annland"]),
        ("in region=entity:north", ["Annland"]),
        ("label~bob", ["Bobland"]),
        ("member of=club9", []),
    ],
)
def test_a_filter_lets_through_what_it_says(world: Any, condition: str, left: list[str]) -> None:
    found = asked(world, filter=(condition,))

    assert names(found) == left
    assert (found.found, found.entities) == (len(left), 3)


def test_columns_are_summed_up_over_what_the_filter_lets_through(world: Any) -> None:
    assert asked(world, columns=("size",), filter=("size<=7",)).columns[0].total == 7


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"columns": ("nothing",)}, "'nothing' is no column of this type; its fullest are: "),
        ({"filter": ("size",)}, "is no condition; write COLUMN>=NUMBER"),
        ({"filter": ("size>=many",)}, "'many' in 'size>=many' is no number"),
        ({"sort": "-nothing"}, "is no column"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_way_out(world: Any, question: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        asked(world, **question)


def test_pages_follow_each_other(world: Any) -> None:
    first = asked(world, limit=2)
    rest = asked(world, limit=2, cursor=first.next)

    assert names(first) + names(rest) == ["=Cidland", "Annland", "Bobland"]
    assert rest.next is None


def test_csv_runs_no_formula(world: Any) -> None:
    lines = as_csv(asked(world, columns=("size", "member of")), world).decode().splitlines()

    assert lines[0] == "id,label,size,member of"
    assert lines[1] == "entity:cid,'=Cidland,not known,"
    assert lines[2] == "entity:ann,Annland,30,club0; club1; club2; …"


def test_examples_are_questions_with_answers(world: Any) -> None:
    made = {one.sort: one for one in examples(world, ExamplesQuestion()).examples}

    assert made["connect"].answer is not None
    assert made["connect"].entities[0].label in made["connect"].text
    assert made["table"].answer in ("Annland, 4", "Bobland, 4")
    assert made["check"].answer is None
    assert "related" not in made  # Nothing is predicted without a model.
