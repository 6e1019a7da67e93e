"""Shapes checked by columns, against pySHACL on small random graphs and shapes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
import rdflib

from sightline.graph.record.statements import TERMS
from sightline.graph.shapes.check import Check
from sightline.graph.shapes.core import SH, NotCompiled, read_shape, targeted
from sightline.graph.shapes.errors import ShapesUnusable
from sightline.graph.shapes.facts import Facts
from sightline.graph.shapes.validate import Violation, by_pyshacl, read_shapes, told
from sightline.graph.vocabulary import GENID, RDF_LANG_STRING, RDF_TYPE, RDFS, XSD

EX = "urn:x:"
NODES = [*(f"{EX}n{i}" for i in range(5)), GENID + "a:b0"]
CLASSES = [EX + "A", EX + "B", EX + "C"]
PROPERTIES = [EX + "p", EX + "q", EX + "r"]
LITERALS = [
    *(
        (text, XSD + "integer", None)
        for text in ("1", "01", "7", "-3", "x", "12345678901234567890")
    ),
    *((text, XSD + "decimal", None) for text in ("1.0", "2.5", "7", "7.00")),
    *((text, XSD + "double", None) for text in ("1e0", "NaN", "2.5", "7")),
    *((text, XSD + "date", None) for text in ("2020-01-02", "2020-02-30", "1999-12-31")),
    *((text, XSD + "dateTime", None) for text in ("2020-01-02T00:00:00", "2020-01-02T00:00:00Z")),
    *((text, XSD + "boolean", None) for text in ("true", "1", "maybe")),
    *((text, XSD + "gYear", None) for text in ("1999", "99")),
    *((text, XSD + "string", None) for text in ("", "a", "abc", "äöü", "urn:x:n1", "A-1")),
    *(("abc", RDF_LANG_STRING, tag) for tag in ("en", "EN", "de-CH")),
    ("POINT", EX + "wkt", None),
]
PREFIXES = f"@prefix sh: <{SH}> . @prefix : <{EX}> . @prefix xsd: <{XSD}> .\n"


def facts_of(seed: random.Random) -> Facts:
    """Up to 40 statements about six nodes, one of them blank, and a small hierarchy."""
    rows: list[tuple[str, str, str, str | None, str | None]] = []
    for _ in range(seed.randint(1, 40)):
        s, p = seed.choice(NODES), seed.choice(PROPERTIES)
        literal = seed.random() < 0.6
        rows.append(
            (s, p, *(seed.choice(LITERALS) if literal else (seed.choice(NODES), None, None)))
        )
    rows += [(s, RDF_TYPE, seed.choice(CLASSES), None, None) for s in NODES if seed.random() < 0.7]
    below = RDFS + "subClassOf"
    rows += [(a, below, b, None, None) for a in CLASSES for b in CLASSES if seed.random() < 0.15]
    return Facts.made(pl.LazyFrame(rows, dict.fromkeys(TERMS, pl.String), orient="row"))


def path_of(seed: random.Random, depth: int = 0) -> str:
    step = f"<{seed.choice(PROPERTIES)}>"
    if depth > 1 or seed.random() < 0.6:
        return step
    kind = seed.choice(
        ["inverse", "list", "alternativePath", "zeroOrMore", "oneOrMore", "zeroOrOne"]
    )
    if kind == "inverse":
        return f"[ sh:inversePath {step} ]"
    if kind in ("list", "alternativePath"):
        several = f"( {path_of(seed, depth + 1)} {path_of(seed, depth + 1)} )"
        return several if kind == "list" else f"[ sh:{kind} {several} ]"
    return f"[ sh:{kind}Path {path_of(seed, depth + 1)} ]"


def literal_of(seed: random.Random) -> str:
    text, datatype, language = seed.choice(LITERALS)
    return f'"{text}"@{language}' if language else f'"{text}"^^<{datatype}>'


def term_of(seed: random.Random) -> str:
    return literal_of(seed) if seed.random() < 0.6 else f"<{seed.choice(NODES[:5])}>"


def constraint_of(seed: random.Random, of_property: bool, depth: int) -> str:
    def inner() -> str:
        return f"[ {body_of(seed, False, depth + 1)} ]"

    number = seed.randint(0, 3)
    every = [
        lambda: f"sh:class <{seed.choice(CLASSES)}>",
        lambda: f"sh:datatype <{seed.choice(LITERALS)[1]}>",
        lambda: (
            "sh:nodeKind sh:" + seed.choice(["IRI", "Literal", "BlankNodeOrIRI", "IRIOrLiteral"])
        ),
        lambda: f"sh:minLength {number}",
        lambda: f"sh:maxLength {number}",
        lambda: 'sh:pattern "^A" ; sh:flags "i"' if number else 'sh:pattern "[0-9]"',
        lambda: 'sh:languageIn ( "en" "de" )',
        lambda: f"sh:in ( {' '.join(term_of(seed) for _ in range(6))} )",
        lambda: f"sh:hasValue {term_of(seed)}",
        lambda: f"sh:{seed.choice(['equals', 'disjoint'])} <{seed.choice(PROPERTIES)}>",
        lambda: (
            f"sh:{seed.choice(['min', 'max'])}{seed.choice(['Ex', 'In'])}clusive {literal_of(seed)}"
        ),
        lambda: f"sh:closed true ; sh:ignoredProperties ( <{PROPERTIES[0]}> <{RDF_TYPE}> )",
    ]
    if of_property:
        every += [
            lambda: f"sh:minCount {number}",
            lambda: f"sh:maxCount {number}",
            lambda: "sh:uniqueLang true",
            lambda: f"sh:lessThan{seed.choice(['', 'OrEquals'])} <{seed.choice(PROPERTIES)}>",
        ]
    if depth < 2:
        every += [
            lambda: f"sh:not {inner()}",
            lambda: f"sh:{seed.choice(['and', 'or', 'xone'])} ( {inner()} {inner()} )",
            lambda: f"sh:node {inner()}",
            lambda: f"sh:property [ {body_of(seed, True, depth + 1)} ]",
        ]
        if of_property:
            disjoint = seed.choice(["true", "false"])
            every.append(
                lambda: (
                    f"sh:qualifiedValueShape {inner()} ; sh:qualifiedMinCount {number} ; "
                    f"sh:qualifiedMaxCount 1 ; sh:qualifiedValueShapesDisjoint {disjoint}"
                )
            )
    return seed.choice(every)()


def body_of(seed: random.Random, of_property: bool, depth: int = 0) -> str:
    """What a shape says between its brackets, each constraint once."""
    said = {}
    for _ in range(seed.randint(1, 3)):
        one = constraint_of(seed, of_property, depth)
        said[one.partition(" ")[0]] = one
    severity = ["sh:severity sh:Warning"] if seed.random() < 0.2 else []
    path = [f"sh:path {path_of(seed)}"] if of_property else []
    return " ; ".join([*path, *said.values(), *severity])


def shapes_of(seed: random.Random, file: Path) -> rdflib.Graph:
    targets = [f"sh:targetClass <{seed.choice(CLASSES)}>", "sh:targetNode :n0 , :gone"]
    targets += [f"sh:target{seed.choice(['Subjects', 'Objects'])}Of <{seed.choice(PROPERTIES)}>"]
    shapes = [
        f":S{i} {seed.choice(targets)} ; {body_of(seed, of_property)} ."
        for i, of_property in enumerate((False, True))
    ]
    file.write_text(PREFIXES + "\n".join(shapes))
    return read_shapes(file)


def summary(found: Sequence[Violation]) -> Counter[tuple[str | None, ...]]:
    return Counter(
        (one.focus, one.path, one.value, one.severity, one.constraint, one.shape) for one in found
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(10))
def test_columns_and_pyshacl_find_the_same(number: int, tmp_path: Path) -> None:
    compared = 0
    for turn in range(12):
        seed = random.Random(1000 * number + turn)
        facts, graph = facts_of(seed), shapes_of(seed, tmp_path / "shapes.ttl")
        try:
            shapes = [read_shape(graph, node) for node in targeted(graph)]
            check = Check(facts, shapes)
            ours = [one for shape in shapes for one in told(check.shape(shape), check.terms)]
            theirs = list(by_pyshacl("random", graph, facts.graph()))
        except (NotCompiled, ShapesUnusable):
            continue  # what one of the two does not do
        compared += 1
        assert summary(ours) == summary(theirs), (number, turn, graph.serialize(format="turtle"))
    assert compared >= 6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ("sh:path :p ; sh:uniqueLang true", {"UniqueLang": 1}),
        # Numbers that are one as float64.
        ('sh:path :q ; sh:maxExclusive "123456789.000000002"^^xsd:decimal', {"MaxExclusive": 1}),
        (
            "sh:property [ sh:path :r ; sh:qualifiedValueShape [ sh:class :A ] ;"
            " sh:qualifiedValueShapesDisjoint true ; sh:qualifiedMinCount 2 ] ,"
            " [ sh:path :r ; sh:qualifiedValueShape [ sh:class :B ] ; sh:qualifiedMinCount 1 ]",
            {"QualifiedMinCount": 1},
        ),
        ("sh:xone ( [ sh:class :A ] [ sh:class :B ] )", {"Xone": 1}),
    ],
)
def test_cases_that_chance_seldom_makes(shape: str, wanted: dict[str, int], tmp_path: Path) -> None:
    decimal, n0, n1, n2 = XSD + "decimal", *NODES[:3]
    rows = [
        *((n0, EX + "p", text, RDF_LANG_STRING, tag) for text, tag in (("a", "en"), ("b", "EN"))),
        *((n0, EX + "q", f"123456789.00000000{end}", decimal, None) for end in "12"),
        *((n0, EX + "r", other, None, None) for other in (n1, n2)),
        *((n, RDF_TYPE, EX + name, None, None) for n, name in ((n1, "A"), (n2, "A"), (n2, "B"))),
    ]
    facts = Facts.made(pl.LazyFrame(rows, dict.fromkeys(TERMS, pl.String), orient="row"))
    file = tmp_path / "shapes.ttl"
    about = ":n2" if "xone" in shape else ":n0"
    file.write_text(f"{PREFIXES} :S sh:targetNode {about} ; {shape} .")
    graph = read_shapes(file)
    (read,) = [read_shape(graph, node) for node in targeted(graph)]
    check = Check(facts, [read])
    ours = list(told(check.shape(read), check.terms))
    assert Counter(one.constraint for one in ours) == wanted
    assert summary(ours) == summary(list(by_pyshacl("these", graph, facts.graph())))
