"""What follows is what an independent reasoner finds, each statement explained by earlier ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from owlrl import DeductiveClosure, OWLRL_Semantics

from sightline.graph.errors import OutOfRange
from sightline.graph.paths.find import find_paths
from sightline.graph.rdf.index import open_rdf
from sightline.graph.reasoning import rules
from sightline.graph.reasoning.errors import TooManyInferred
from sightline.graph.reasoning.reason import explain_edges, is_stale, reason, rule_counts
from sightline.graph.reasoning.rules import infer, relevant
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import active_loads, retract
from sightline.graph.record.statements import statement_schema
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Statement
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import INFERRED_GRAPH, OWL, RDF, RDF_TYPE, RDFS, XSD
from tests.graph.conftest import add_load, fact

X = "urn:x:"
Terms = tuple[str, str, str]


def frame(triples: Iterable[Terms]) -> pl.DataFrame:
    """Statements; an object in quotes is a text."""
    rows = [
        {"subject": s, "predicate": p, "object": o.strip('"')}
        | ({"datatype": XSD + "string"} if o.startswith('"') else {})
        for s, p, o in triples
    ]
    return pl.DataFrame(rows, schema=statement_schema())


def inferred(triples: Iterable[Terms], limit: int = 10_000) -> set[Terms]:
    found = infer(relevant(frame(triples).lazy()), limit=limit).statements
    quoted = (
        pl.when(pl.col("datatype").is_null())
        .then("object")
        .otherwise(pl.concat_str(pl.lit('"'), "object", pl.lit('"')))
    )
    rows = found.select("subject", "predicate", quoted.alias("object")).rows()
    assert len(rows) == len(set(rows))
    return set(rows)


def by_owlrl(triples: set[Terms]) -> set[Terms]:
    """The closure by another implementation, less what says nothing and the rules not taken."""
    graph = rdflib.Graph()
    for s, p, o in triples:
        graph.add((term(s), term(p), term(o)))  # type: ignore[arg-type]
    DeductiveClosure(OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(graph)
    named = {t for triple in triples for t in triple}
    closure = {(text(s), text(p), text(o)) for s, p, o in graph}
    return {
        (s, p, o)
        for s, p, o in closure - triples
        if {s, p, o} <= named | {RDF_TYPE, *rules.REFLEXIVE}
        and (s != o or p not in rules.REFLEXIVE)
        and p not in (RDFS + "domain", RDFS + "range")
    }


def term(name: str) -> rdflib.term.Node:
    if name.startswith('"'):
        return rdflib.Literal(name.strip('"'))
    return rdflib.BNode(name) if name.startswith("_:") else rdflib.URIRef(name)


def text(node: rdflib.term.Node) -> str:
    return f'"{node}"' if isinstance(node, rdflib.Literal) else str(node)


def chain(prop: str, *members: str) -> set[Terms]:
    nodes = [f"urn:list:{prop[-1]}{len(members)}{i}" for i in range(len(members))] + [rules.NIL]
    out = {(prop, rules.CHAIN, nodes[0])}
    for member, node, after in zip(members, nodes, nodes[1:]):
        out |= {(node, rules.FIRST, member), (node, rules.REST, after)}
    return out


properties = st.sampled_from([X + p for p in "pqr"])
classes = st.sampled_from([X + c for c in "ABC"])
things = st.sampled_from([X + x for x in "abcd"])
axioms = st.one_of(
    st.tuples(classes, st.sampled_from([RDFS + "subClassOf", OWL + "equivalentClass"]), classes),
    st.tuples(properties, st.sampled_from([RDFS + "domain", RDFS + "range"]), classes),
    st.tuples(
        properties,
        st.sampled_from([RDFS + "subPropertyOf", OWL + "equivalentProperty", OWL + "inverseOf"]),
        properties,
    ),
    st.tuples(
        properties,
        st.just(RDF_TYPE),
        st.sampled_from([OWL + "SymmetricProperty", OWL + "TransitiveProperty"]),
    ),
)
facts = st.one_of(
    st.tuples(things, properties, things),
    st.tuples(things, st.just(RDF_TYPE), classes),
)
chains = st.builds(
    lambda p, members: chain(p, *members), properties, st.lists(properties, min_size=2, max_size=3)
)
ontologies = st.builds(
    lambda a, f, c: {*a, *f}.union(*c),
    st.lists(axioms, max_size=6),
    st.lists(facts, max_size=6),
    st.lists(chains, max_size=1),
)


@settings(max_examples=40)
@given(ontologies)
def test_the_same_follows_as_by_owlrl(triples: set[Terms]) -> None:
    assert inferred(triples) == by_owlrl(triples)


@pytest.mark.parametrize("relation", [RDFS + "subClassOf", X + "p"])
def test_a_hierarchy_of_a_hundred_thousand_levels_is_refused_before_the_first_round(
    relation: str,
) -> None:
    links = pl.int_range(100_001, eager=True).cast(pl.String)
    deep = pl.DataFrame({"subject": X + links.head(-1), "object": X + links.tail(-1)})
    said = frame([(X + "p", RDF_TYPE, OWL + "TransitiveProperty")])
    columns = [deep.with_columns(predicate=pl.lit(relation)), said]
    statements = pl.concat(columns, how="diagonal").select(said.columns)
    rounds: list[str] = []
    name = relation.replace(RDFS, "rdfs:")
    with pytest.raises(TooManyInferred, match=re.escape(f"query '?x <{name}>+ NAME'")):
        infer(statements, limit=1_000_000, progress=lambda *told: rounds.append(told[-1]))
    assert not rounds


@pytest.mark.parametrize("limit", [9, 10])
def test_a_hierarchy_is_refused_by_what_follows_and_not_by_what_is_said(limit: int) -> None:
    """Five levels below owl:Thing: 15 pairs, of which 5 are stated; what is of everything and
    what is of itself follows, but says nothing."""
    sub = RDFS + "subClassOf"
    levels = [(f"{X}{i}", sub, f"{X}{i + 1}") for i in range(5)]
    levels += [(X + "5", sub, OWL + "Thing"), (X + "0", sub, X + "0")]
    if limit == 10:
        assert len(inferred(levels, limit)) == 10
    else:
        with pytest.raises(TooManyInferred):
            inferred(levels, limit)


@settings(max_examples=60)
@given(ontologies)
def test_every_statement_follows_from_earlier_ones_by_its_rule(triples: set[Terms]) -> None:
    found = infer(frame(triples), limit=10_000)
    columns = ("subject", "predicate", "object")
    statements = {row: s for *s, row in found.statements.select(*columns, "row").rows()}
    because: dict[int, tuple[str, list[Terms]]] = {}
    for row, rule, _, *premise in found.premises.select("row", "rule", "position", *columns).rows():
        because.setdefault(row, (rule, []))[1].append(tuple(premise))
    assert because.keys() == statements.keys()
    known = set(triples)
    open_rows = dict(because)
    while open_rows:
        ready = [row for row, (_, premises) in open_rows.items() if known.issuperset(premises)]
        assert ready, "some explanation goes in a circle"
        for row in ready:
            rule, premises = open_rows.pop(row)
            assert tuple(statements[row]) in one_step(rule, premises)
        known |= {tuple(statements[row]) for row in ready}


def one_step(rule: str, premises: list[Terms]) -> set[Terms]:
    """What a rule of this name concludes from exactly these premises."""
    if rule == "prp-spo2":
        # The axiom names only the start of the chain's list: check that the steps join up.
        (prop, _, _), *steps = premises
        assert all(a[2] == b[0] for a, b in itertools.pairwise(steps))
        return {(steps[0][0], prop, steps[-1][2])}
    return {c for r in rules.RULES if r.name == rule if (c := conclusion(r, premises))}


def conclusion(rule: rules.Rule, premises: list[Terms]) -> Terms | None:
    values: dict[object, str] = {}
    for pattern, premise in zip(rule.premises, premises, strict=True):
        for place, value in zip(pattern, premise):
            known = values.setdefault(place, value if str(place).startswith("?") else str(place))
            if known != value:
                return None
    s, p, o = (values.get(place, str(place)) for place in rule.conclusion)
    return s, p, o


def test_literals_follow_subproperties_and_give_their_subject_a_type() -> None:
    triples = {
        (X + "a", X + "p", '"three"'),
        (X + "p", RDFS + "subPropertyOf", X + "q"),
        (X + "p", RDFS + "domain", X + "C"),
        (X + "p", RDFS + "range", X + "D"),
        (X + "p", RDF_TYPE, OWL + "SymmetricProperty"),
    }
    expected = {(X + "a", X + "q", '"three"'), (X + "a", RDF_TYPE, X + "C")}
    assert inferred(triples) == expected


def test_language_and_datatype_stay_with_the_text() -> None:
    rows = frame([(X + "a", X + "p", '"Bär"'), (X + "a", X + "p", '"41"')]).with_columns(
        datatype=pl.Series([RDF + "langString", XSD + "integer"]),
        language=pl.Series(["de", None]),
        object=pl.Series(['B"ä"r', "41"]),
    )
    axiom = frame([(X + "p", RDFS + "subPropertyOf", X + "q")])
    found = infer(pl.concat([rows, axiom]), limit=10).statements
    terms = set(found.select("predicate", "object", "datatype", "language").rows())
    assert terms == {
        (X + "q", 'B"ä"r', RDF + "langString", "de"),
        (X + "q", "41", XSD + "integer", None),
    }


@pytest.mark.parametrize(
    "triples",
    [
        {(X + "A", RDFS + "subClassOf", OWL + "Thing"), (X + "a", RDF_TYPE, X + "A")},
        {(X + "p", RDFS + "range", XSD + "string"), (X + "a", X + "p", X + "b")},
        {(X + "A", RDFS + "subClassOf", "urn:sightline:genid:0:b"), (X + "a", RDF_TYPE, X + "A")},
        {("urn:sightline:genid:0:b", OWL + "inverseOf", X + "p"), (X + "a", X + "p", X + "b")},
        chain(X + "p", X + "q", X + "r") - {("urn:list:p21", rules.REST, rules.NIL)},
        {(X + "p", rules.CHAIN, X + "l"), (X + "l", rules.FIRST, X + "p")}
        | {(X + "l", rules.REST, X + "l"), (X + "a", X + "p", X + "b")},
        {(X + "a", X + "p", X + "b")},
        set(),
    ],
)
def test_what_says_nothing_or_is_broken_gives_nothing(triples: set[Terms]) -> None:
    assert inferred(triples) == set()


def test_only_what_rules_may_use_is_read() -> None:
    rows = frame(
        [
            (X + "p", RDFS + "subPropertyOf", X + "q"),
            (X + "is", RDFS + "subPropertyOf", RDFS + "subClassOf"),
            (X + "A", X + "is", X + "B"),
            (X + "a", X + "p", '"x"'),
            (X + "a", X + "other", X + "b"),
        ]
    )
    assert sorted(relevant(rows.lazy())["predicate"]) == sorted(
        [RDFS + "subPropertyOf"] * 2 + [X + "is", X + "p"]
    )


def test_a_join_in_slices_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    triples = {(X + "p", RDF_TYPE, OWL + "TransitiveProperty")}
    triples |= {(f"{X}{i}", X + "p", f"{X}{i + 1}") for i in range(30)}
    whole = inferred(triples)
    monkeypatch.setattr(rules, "JOINED", 7)
    assert inferred(triples) == whole
    assert len(whole) == 30 * 31 // 2 - 30
    with pytest.raises(TooManyInferred, match="more than 100 facts follow"):
        inferred(triples, limit=100)


def schema(*triples: Terms) -> list[dict[str, object]]:
    return [
        {"subject": s, "predicate": p, "object": o, "row": i}
        for i, (s, p, o) in enumerate(triples, 1)
    ]


ENTITY, RELATION = "urn:sightline:entity:", "urn:sightline:relation:"
INVERSE = schema((RELATION + "part_of", OWL + "inverseOf", RELATION + "has_part"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, [fact(("wheel", "part_of", "car")), *INVERSE], name="a")
    return ws


def stated(s: Snapshot, edge: int) -> Statement:
    iris = s.entity_iris
    return Statement(iris[s.head[edge]], s.relation_iris[s.relation[edge]], iris[s.tail[edge]])


def test_what_follows_is_a_load_whose_edges_are_marked_and_explained(workspace: Workspace) -> None:
    load = reason(workspace)
    assert (load.role, load.counts.statements) == ("inferred", 1)
    assert rule_counts(load) == {"prp-inv1": 1}
    assert reason(workspace) == load
    s = compile_snapshot(workspace)
    marks = {s.relation_labels[s.relation[e]]: bool(s.edge_inferred[e]) for e in range(s.num_edges)}
    assert marks == {"has part": True, "part of": False}
    edge = next(e for e in range(s.num_edges) if s.edge_inferred[e])
    assert [origin.load for origin in s.origins(edge)] == [load.id]
    statement = stated(s, edge)
    assert statement == Statement(ENTITY + "car", RELATION + "has_part", ENTITY + "wheel")
    [(explained, explanation)] = explain_edges(s, range(s.num_edges)).items()
    assert explained == edge
    assert explanation.rule == "prp-inv1"
    assert explanation.premises == (
        Statement(RELATION + "part_of", OWL + "inverseOf", RELATION + "has_part"),
        Statement(ENTITY + "wheel", RELATION + "part_of", ENTITY + "car"),
    )
    assert explain_edges(s, []) == {}
    query = f"SELECT ?s WHERE {{ GRAPH <{INFERRED_GRAPH}> {{ ?s ?p ?o }} }}"
    assert [str(r[0]) for r in open_rdf(s.folder).query(query)] == [ENTITY + "car"]  # type: ignore[index]


def test_paths_and_degrees_stay_when_only_reverses_follow(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    ws = Workspace.create(tmp_path / "ws")
    rows = schema(
        (RELATION + "near", RDF_TYPE, OWL + "SymmetricProperty"),
        (RELATION + "part_of", OWL + "inverseOf", RELATION + "has_part"),
    )
    for h, r, t in rng.integers((9, 3, 9), size=(40, 3)):
        rows.append(fact((f"e{h}", ("near", "part_of", "likes")[r], f"e{t}")))
    add_load(ws, rows)
    before = compile_snapshot(ws, rdf=False)
    reason(ws)
    after = compile_snapshot(ws, rdf=False)
    assert after.num_edges > before.num_edges + 10
    assert after.degree.tolist() == before.degree.tolist()
    for pair in itertools.combinations(range(9), 2):
        told = [
            [
                ([stated(s, e) for e in path.edges], path.entities, path.score)
                for path in find_paths(s, *pair, max_hops=4, k=1000).paths
            ]
            for s in (before, after)
        ]
        assert told[0]
        assert told[0] == told[1]


def test_inferred_types_are_marked(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    rows = schema(
        (RELATION + "drives", RDFS + "domain", X + "Driver"),
        (ENTITY + "Ann", RDF_TYPE, X + "Person"),
    )
    add_load(ws, [fact(("Ann", "drives", "car")), *rows])
    reason(ws)
    s = compile_snapshot(ws, rdf=False)
    ann = s.resolve_entity("Ann")
    start, end = s.type_indptr[ann : ann + 2]
    inferred = s.type_inferred[start:end].tolist()
    marks = dict(zip(s.class_labels.take(s.types_of(ann)), inferred))
    assert marks == {"Driver": True, "Person": False}


def test_retracting_takes_out_everything_inferred(workspace: Workspace) -> None:
    before = compile_snapshot(workspace, rdf=False)
    load = reason(workspace)
    assert compile_snapshot(workspace, rdf=False).num_edges == 2
    retract(workspace, load.id)
    after = compile_snapshot(workspace, rdf=False)
    assert (after.id, after.num_edges) == (before.id, 1)


def test_compiling_other_facts_infers_anew(workspace: Workspace) -> None:
    old = reason(workspace)
    more = add_load(workspace, [fact(("bolt", "part_of", "wheel"))], name="b")
    assert is_stale(active_loads(workspace))
    s = compile_snapshot(workspace, rdf=False)
    assert s.num_edges == 4
    assert not is_stale(active_loads(workspace))
    assert old.id not in [load.id for load in active_loads(workspace)]
    retract(workspace, more.id)
    assert compile_snapshot(workspace, rdf=False).num_edges == 2
    assert old.id in [load.id for load in active_loads(workspace)]


def test_facts_held_out_are_never_looked_at(workspace: Workspace) -> None:
    add_load(workspace, [fact(("bolt", "part_of", "wheel"))], role="test", name="t")
    assert reason(workspace).counts.statements == 1


def test_nothing_that_follows_is_a_load_too(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    with pytest.raises(NothingLoaded):
        reason(ws)
    add_load(ws, [fact(("a", "r", "b"))])
    load = reason(ws)
    assert (load.counts.statements, rule_counts(load)) == (0, {})
    s = compile_snapshot(ws, rdf=False)
    assert s.num_edges == 1
    assert explain_edges(s, [0]) == {}


@pytest.mark.parametrize("limit", [0, -1, 10**12, float("nan")])
def test_the_limit_has_a_range(workspace: Workspace, limit: int) -> None:
    with pytest.raises(OutOfRange, match="allowed are 1 to"):
        reason(workspace, limit=limit)


def test_too_many_facts_change_nothing(workspace: Workspace) -> None:
    add_load(workspace, [fact(("bolt", "part_of", "wheel"))], name="b")
    before = active_loads(workspace)
    with pytest.raises(TooManyInferred):
        reason(workspace, limit=1)
    assert active_loads(workspace) == before
