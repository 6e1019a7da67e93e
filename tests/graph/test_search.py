"""Entities are found by label, word, prefix and one typo, in any script."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.snapshot.errors import (
    AmbiguousClass,
    AmbiguousEntity,
    AmbiguousRelation,
    BadReference,
    UnknownEntity,
    UnknownRelation,
)
from sightline.graph.snapshot.reader import MOST_COMPARED, _likest
from sightline.graph.snapshot.search import SearchIndex, _normalised, build, normalise
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.vocabulary import RDF, SKOS
from tests.graph.conftest import fact, label, literal, typed

LABELS = ["Côte d'Ivoire", "Ivory Coast", "Germany", "東京都", "الجزائر", "New York City", "York"]


def index_of(labels: list[str]) -> SearchIndex:
    return build(labels, np.arange(len(labels), dtype=np.int32), np.ones(len(labels), np.bool_))


def found(index: SearchIndex, query: str, labels: list[str] = LABELS) -> list[tuple[str, str]]:
    degree = np.zeros(len(labels), np.int32)
    return [(labels[m.entity], m.how) for m in index.search(query, degree, None, 10)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cote d'ivoire", ("Côte d'Ivoire", "exact")),
        ("COTE", ("Côte d'Ivoire", "prefix")),
        ("coast", ("Ivory Coast", "word")),
        ("germny", ("Germany", "typo")),
        ("grmany", ("Germany", "typo")),
        ("germayn", ("Germany", "typo")),
        ("germanyy", ("Germany", "typo")),
        ("ermany", ("Germany", "typo")),
        ("東京", ("東京都", "prefix")),
        ("الجز", ("الجزائر", "prefix")),
        ("york", ("York", "exact")),
        ("york cit", ("New York City", "word")),
        ("nwe york", ("New York City", "typo")),
    ],
)
def test_queries_find_their_label_first(query: str, expected: tuple[str, str]) -> None:
    assert found(index_of(LABELS), query)[0] == expected


@pytest.mark.parametrize("query", ["", "  ", "...", "\0", "zzzzzz", "x" * 10_000, "\ud800"])
def test_queries_that_find_nothing(query: str) -> None:
    assert found(index_of(LABELS), query) == []


def test_an_empty_index_answers() -> None:
    assert found(index_of([]), "anything", []) == []
    assert found(index_of(["!!!"]), "anything", ["!!!"]) == []


words = st.text(st.characters(categories=["Ll", "Lo", "Nd"]), min_size=5, max_size=9)


@settings(max_examples=150)
@given(st.lists(words, min_size=1, max_size=12, unique=True), st.data())
def test_every_single_edit_of_a_label_is_found(labels: list[str], data) -> None:
    labels = [word for word in (normalise(text) for text in labels) if len(word) >= 5]
    if not labels:
        return
    target = data.draw(st.sampled_from(labels))
    at = data.draw(st.integers(0, len(target) - 1))
    kind = data.draw(st.sampled_from(["delete", "insert", "replace", "swap"]))
    other = data.draw(st.sampled_from("qxz"))
    tail = target[at + 1 :]
    query = {
        "delete": target[:at] + tail,
        "insert": target[:at] + other + target[at:],
        "replace": target[:at] + other + tail,
        "swap": target[:at] + tail[:1] + target[at] + tail[1:],
    }[kind]
    assert target in [text for text, _ in found(index_of(labels), query, labels)]


def test_rank_is_match_then_degree_then_id() -> None:
    labels = ["ab", "abc", "abd", "x ab"]
    degree = np.array([0, 1, 5, 9], np.int32)
    matches = index_of(labels).search("ab", degree, None, 10)
    assert [labels[m.entity] for m in matches] == ["ab", "abd", "abc", "x ab"]


def test_labels_come_before_other_names_that_match_alike(snapshot_of) -> None:
    alias = literal("q1", SKOS + "altLabel", "Victory Peak")
    s = snapshot_of(
        [
            *(fact(("q1", "near", "q3")), fact(("q1", "near", "q4")), fact(("q2", "near", "q3"))),
            *(label("q1", "Jengish Chokusu"), alias, label("q2", "Victoria")),
        ]
    )
    peak, town = s.resolve_entity("q1"), s.resolve_entity("q2")
    assert [m.entity for m in s.search("vict")] == [town, peak]
    assert s.search("victory")[0].entity == peak
    nameless = [s.resolve_entity("q3"), s.resolve_entity("q4")]
    assert [m.entity for m in s.search("q")] == [*nameless, peak, town]


def test_a_typo_in_a_whole_label_comes_before_one_in_a_part_of_a_label() -> None:
    labels, degree = ["new york", "york"], np.array([9, 0], np.int32)
    matches = index_of(labels).search("yrok", degree, None, 10)
    assert [labels[m.entity] for m in matches] == ["york", "new york"]


def test_a_long_label_is_found_by_its_first_words() -> None:
    labels = ["one two three four five six seven eight nine"]
    assert found(index_of(labels), "eight", labels) == [(labels[0], "word")]
    assert found(index_of(labels), "nine", labels) == []


def test_references_resolve_or_say_what_is_near(snapshot_of) -> None:
    s = snapshot_of(
        [
            *(("q1", "likes", "q2"), ("q3", "likes", "q1"), ("q4", "likes", "q1")),
            *(label("q1", "Georgia"), label("q2", "Georgia"), label("q3", "Ghana")),
            *(typed("q1", "Country"), typed("q2", "State"), label("q4", "GHANA ")),
        ]
    )
    q1, q3 = s.entity_iris.find("urn:sightline:entity:q1"), s.resolve_entity("q3")
    for ref in ("urn:sightline:entity:q1", "<urn:sightline:entity:q1>", "entity:q1", "q1"):
        assert s.resolve_entity(ref) == q1
    assert s.resolve_entity("Ghana") == q3
    with pytest.raises(AmbiguousEntity) as ambiguous:
        s.resolve_entity("georgia")
    assert ambiguous.value.candidates[0] == "Georgia (entity:q1, Country)"
    with pytest.raises(UnknownEntity, match=r"nearest: Ghana"):
        s.resolve_entity("Ghanna")
    with pytest.raises(BadReference):
        s.resolve_entity("  ")
    with pytest.raises(UnknownRelation, match="likes"):
        s.resolve_relation("like s")
    state = s.resolve_class("State")
    assert [m.entity for m in s.search("geo", class_id=state)] == [s.resolve_entity("q2")]
    assert [m.how for m in s.search("entity:q1")] == ["exact"]
    assert s.search("entity:q1", class_id=state) == []


def test_a_name_that_several_relations_or_types_share_is_asked_back(snapshot_of) -> None:
    one, two = "https://one.example/", "https://two.example/"
    s = snapshot_of(
        [
            statement("q1", one + "country", "q2"),
            statement("q1", two + "country", "q3"),
            statement("q1", RDF + "type", one + "Town"),
            statement("q1", RDF + "type", two + "town"),
        ]
    )
    with pytest.raises(AmbiguousRelation, match="names 2 relations; ask") as relations:
        s.resolve_relation("Country")
    assert relations.value.candidates == (f"country ({one}country)", f"country ({two}country)")
    assert s.resolve_relation(two + "country") == s.relation_iris.find(two + "country")
    with pytest.raises(AmbiguousClass, match="names 2 types; ask") as types:
        s.resolve_class("TOWN")
    assert types.value.extra == {"candidates": [f"Town ({one}Town)", f"town ({two}town)"]}
    assert s.resolve_class("town") == s.class_iris.find(two + "town"), "written exactly"


def test_a_raw_id_is_a_name_beside_labels_and_symbols_are_names(snapshot_of) -> None:
    other = "https://one.example/country"
    s = snapshot_of(
        [
            statement("che", "urn:sightline:relation:country", "q2"),
            statement("che", other, "q3"),
            *(label("q2", "che"), label("q3", "CHE"), label("q4", "<3")),
        ]
    )
    with pytest.raises(AmbiguousRelation, match=r"\(https:.*, country \(relation:country\)"):
        s.resolve_relation("country")
    assert s.resolve_relation("relation:country") == 1 - s.resolve_relation(other)
    with pytest.raises(AmbiguousEntity) as alike:
        s.resolve_entity("che")
    assert len(alike.value.candidates) == 3
    assert s.resolve_entity("CHE") == s.resolve_entity("q3"), "written exactly"
    assert s.resolve_entity("<3") == s.resolve_entity("q4")
    assert s.resolve_entity("<entity:che>") == s.resolve_entity("entity:che")


def statement(head: str, predicate: str, tail: str) -> dict[str, object]:
    ends = [name if ":" in name else f"urn:sightline:entity:{name}" for name in (head, tail)]
    return {"subject": ends[0], "predicate": predicate, "object": ends[1], "row": 1}


ODD = ["!!!", "😀", "+/-", "…", "C++", "C#", "काम", "कम", "किम", "zero\u200bwidth", "a_b", "__"]


@pytest.mark.parametrize("text", ODD)
def test_a_label_written_exactly_finds_its_entity_alone_or_among_those_alike(text: str) -> None:
    labels = [label for label, how in found(index_of(ODD), text, ODD) if how == "exact"]
    assert text in labels
    assert len(labels) == (2 if text in ("C++", "C#") else 1)


def test_columns_are_normalised_as_texts_are() -> None:
    texts = [*ODD, *LABELS, " A  b ", "-", "- -", "x\ty", "É\0É", "", "  ", "İstanbul", "STRASSE"]
    assert _normalised(pl.Series(texts)).to_list() == [normalise(text) for text in texts]


def test_string_tables_find_and_match() -> None:
    names = sorted(["", "a", "é", "zz", "日本"], key=str.encode)
    table = StringTable.of(names)
    assert list(table) == names
    assert [table.find(name) for name in names] == list(range(5))
    assert table.find("b") is None
    assert table.take([2, 0]) == [names[2], names[0]]
    other = StringTable.of(sorted(["é", "a", "x"], key=str.encode))
    assert match_sorted(other, table).tolist() == [table.find(name) or -1 for name in other]
    with pytest.raises(IndexError):
        table[5]


def test_of_many_names_those_are_compared_that_share_letters() -> None:
    names = [f"thing {i}" for i in range(2 * MOST_COMPARED)]
    few = _likest("thin 9", ["a", "b"])
    assert few == ["a", "b"]
    many = _likest("rivver", [*names, "river", "lake"])
    assert len(many) == MOST_COMPARED
    assert "river" in many
    assert "lake" not in many
