"""Logical questions mean what SPARQL says of what is stated; predictions have their chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyoxigraph as ox
import pytest

from sightline.cli.main import run
from sightline.graph.errors import OutOfRange, SightlineError, UsageError
from sightline.graph.paths.errors import BadPattern
from sightline.graph.snapshot.errors import (
    UnknownClass,
    UnknownEntity,
    UnknownProperty,
    UnknownRelation,
)
from sightline.graph.vocabulary import RDFS
from sightline.insights.ask import Sightline
from sightline.insights.errors import BadQuery
from sightline.insights.kinds import query
from sightline.insights.logic import join
from sightline.insights.logic.atoms import Atom
from sightline.insights.logic.text import atoms_of
from tests.graph.conftest import BASE, XSD, build, fact, label, literal, typed
from tests.insights.conftest import ROWS, Model, World, name_of

NAMES = "abcdefgh"
RELATIONS, TYPES, SIGNS = "rst", "XY", ("=", "!=", "<", "<=", ">", ">=")
PATTERNS = ["r/s", "r+", "^r/s*", "(r|s)/t?", "t*"]


def graph_of(seed: int, facts: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    rows = [
        fact((NAMES[h], RELATIONS[r], NAMES[t]))
        for h, r, t in rng.integers((8, 3, 8), size=(facts, 3))
    ]
    rows += [typed(NAMES[i], TYPES[c]) for i, c in rng.integers((8, 2), size=(7, 2))]
    sizes = [(NAMES[i], str(n)) for i, n in rng.integers((8, 4), size=(9, 2))]
    size = BASE + "property:size"
    return [
        *rows,
        *(literal(name, size, number, datatype=XSD + "integer") for name, number in sizes),
        *(literal(name, BASE + "property:code", f"c{number}") for name, number in sizes[:5]),
    ]


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Sightline, ox.Store]]:
    """A sparse graph and a dense one, each with its RDF index."""
    made = []
    for seed, facts in ((1, 12), (2, 40)):
        snapshot = build(tmp_path_factory.mktemp("query") / "ws", graph_of(seed, facts), rdf=True)
        store = ox.Store.read_only(str(snapshot.folder / "rdf"))
        made.append((Sightline(snapshot, None), store))
    return made


def random_atoms(rng: np.random.Generator) -> list[Atom]:
    """Up to five conditions on up to three variables; what is ruled out comes last."""

    def one_of(*options: Any) -> Any:
        return options[rng.integers(len(options))]

    def end() -> str:
        return one_of("?x", "?x", "?y", "?y", "?z", "?", one_of(*NAMES))

    def atom(negated: bool) -> Atom:
        kind = rng.integers(8)
        if kind < 5:
            relation = one_of(*RELATIONS, one_of(*PATTERNS))
            return Atom(end(), relation=relation, tail=end(), negated=negated)
        if kind == 5:
            return Atom(end(), type=one_of(*TYPES), negated=negated)
        name, value = one_of(("size", int(rng.integers(4))), ("code", f"c{rng.integers(4)}"))
        sign = one_of(*(SIGNS if name == "size" else SIGNS[:2]))
        return Atom(end(), property=name, sign=sign, value=value, negated=negated)

    found = [atom(False) for _ in range(rng.integers(1, 4))]
    found += [atom(True) for _ in range(rng.integers(0, 2))]
    if rng.random() < 0.2:
        found.append(Atom(one_of("?x", "?y"), sign="!=", tail=one_of("?y", "?z")))
    return found


def in_sparql(atoms: list[Atom], shown: list[str]) -> str:
    """The question as SPARQL; every variable is an entity there, as it is here."""
    anything = iter(range(1000))

    def term(name: str) -> str:
        if name == "?":
            return f"?any{next(anything)}"
        return name if name.startswith("?") else f"<{BASE}entity:{name}>"

    parts, filters = [], []
    for atom in atoms:
        head = term(atom.head)
        if atom.relation is not None:
            path = "".join(f"<{BASE}relation:{c}>" if c in RELATIONS else c for c in atom.relation)
            tail = term(str(atom.tail))
            said = f"{entity(head)} {entity(tail)} {head} {path} {tail} ."
        elif atom.type is not None:
            said = f"{head} a <{BASE}class:{atom.type}> ."
        elif atom.property is not None:
            value = next(anything)
            wanted = f'"{atom.value}"' if isinstance(atom.value, str) else atom.value
            said = f"{head} <{BASE}property:{atom.property}> ?v{value} . "
            said += f"FILTER(?v{value} {atom.sign} {wanted})"
        else:
            filters.append(f"FILTER({head} != {term(str(atom.tail))})")
            continue
        parts.append(f"FILTER NOT EXISTS {{ {said} }}" if atom.negated else said)
    ordered = sorted(parts, key=lambda part: part.startswith("FILTER"))
    return f"SELECT DISTINCT {' '.join(shown)} {{ {' '.join(ordered + filters)} }}"


def entity(term: str) -> str:
    """A path of no step joins anything in SPARQL with itself, literals and classes too."""
    if not term.startswith("?"):
        return ""
    return f"FILTER(STRSTARTS(STR({term}), '{BASE}entity:'))"


def variables_of(atoms: list[Atom], negated: bool) -> set[str]:
    chosen = [a for a in atoms if (a.negated or a.relation is a.type is a.property) is negated]
    return {e for a in chosen for e in (a.head, a.tail) if e and e.startswith("?") and e != "?"}


def test_answers_are_those_of_sparql(graphs: list[tuple[Sightline, ox.Store]]) -> None:
    rng = np.random.default_rng(3)
    sizes = []
    for _ in range(600):
        sight, store = graphs[rng.integers(len(graphs))]
        atoms = random_atoms(rng)
        bound = variables_of(atoms, False)
        if not bound or variables_of(atoms, True) - bound:
            with pytest.raises(UsageError):
                query.KIND.answer(sight, query.QueryQuestion(atoms=tuple(atoms)))
            continue
        shown = [str(v) for v in rng.permutation(sorted(bound))[: rng.integers(1, 4)]]
        asked = query.QueryQuestion(atoms=tuple(atoms), show=tuple(shown), limit=1000)
        found = query.KIND.answer(sight, asked)
        rows = [tuple(value.iri for value in row.values) for row in found.rows]
        solutions = store.query(in_sparql(atoms, shown), use_default_graph_as_union=True)
        expected = {tuple(row[name[1:]].value for name in shown) for row in solutions}
        assert set(rows) == expected, atoms
        assert rows == sorted(rows)
        assert len(rows) == found.found
        assert (found.note is None) == bool(rows)
        sizes.append(len(rows))
    assert np.count_nonzero(sizes) > 200


TEXTS: dict[str, Atom] = {
    "?a r ?b": Atom("?a", relation="r", tail="?b"),
    "Kenya member of ?o": Atom("Kenya", relation="member of", tail="?o"),
    "?a <member of>/r* 'East Africa'": Atom("?a", relation="<member of>/r*", tail="East Africa"),
    'not ?d treats "Alzheimer\'s disease"': Atom(
        "?d", relation="treats", tail="Alzheimer's disease", negated=True
    ),
    "likely Alzheimer's ^r ?": Atom("Alzheimer's", relation="^r", tail="?", likely=True),
    "?a a New Class": Atom("?a", type="New Class"),
    "NOT ?a rdf:type <http://x/y?z=1,2>": Atom("?a", type="<http://x/y?z=1,2>", negated=True),
    "?c population>=1.5e6": Atom("?c", property="population", sign=">=", value=1500000),
    "?c population <5": Atom("?c", property="population", sign="<", value=5),
    "?c 'calling code' = '+254'": Atom("?c", property="calling code", sign="=", value="+254"),
    "?c born < 2001-05": Atom("?c", property="born", sign="<", value="2001-05"),
    "?c name != New York": Atom("?c", property="name", sign="!=", value="New York"),
    "?a != ?b": Atom("?a", sign="!=", tail="?b"),
    '?a says "?b, \\"so\\""': Atom("?a", relation="says", tail='<?b, "so">'),
}


@pytest.mark.parametrize("text", TEXTS)
def test_text_says_what_conditions_say_one_by_one(text: str) -> None:
    assert atoms_of(text) == (TEXTS[text],)
    assert atoms_of(f"{text}, ?x r ?y,{text}") == (TEXTS[text], atoms_of("?x r ?y")[0], TEXTS[text])


BAD = {
    "": (1, "a condition"),
    "?a r ?b,": (9, "a condition"),
    ", ?a r ?b": (1, "a condition before the comma"),
    "?a r": (5, "what the relation leads to"),
    "?a": (3, "a relation and what it leads to"),
    "?a r ?b ?c s ?d": (6, "a comma"),
    "?a a ?t": (6, "the name of a type"),
    "?a a": (5, "the name of a type"),
    "?a r 'b": (6, "its closing quote"),
    '?a r "b': (6, "its closing quote"),
    "?a p >": (7, "a value after >"),
    "?a p > ?b": (8, "a number"),
    "?a > 5": (4, "a property before the sign"),
    "> 5": (1, "before the sign"),
    "not likely ?a r ?b": (12, "one of not and likely"),
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_read_is_said_with_its_place(text: str) -> None:
    with pytest.raises(BadQuery) as error:
        atoms_of(text)
    position, expected = BAD[text]
    assert error.value.extra == {"position": position}
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("?c member of African Union", ("?c", "member of", "African Union")),
        ("not South Africa member of ?o", ("South Africa", "member of", "?o")),
        ("?c <member of> African Union", ("?c", "<member of>", "African Union")),
        ("Kenya member of Union", ("Kenya", "member of", "Union")),
        ("Kenya is of Union", ("Kenya", "is of", "Union")),  # nothing is called so: as ever
    ],
)
def test_words_without_quotes_are_parted_as_the_graph_has_names(
    text: str, read: tuple[str, str, str]
) -> None:
    relations = {"member of", "<member of>"}
    names = {"?c", "?o", "African Union", "South Africa", "Kenya", "Union"}
    (atom,) = atoms_of(text, lambda a: a.relation in relations and {a.head, a.tail} <= names)
    assert (atom.head, atom.relation, atom.tail) == read


def test_words_that_can_be_parted_in_two_ways_are_asked_back() -> None:
    names = {("A", "b", "c d"), ("A b", "c", "d")}
    with pytest.raises(BadQuery, match='"A" "b" "c d" or "A b" "c" "d"'):
        atoms_of("A b c d", lambda a: (a.head, a.relation, a.tail) in names)


def test_words_are_parted_by_the_names_of_the_graph_that_is_asked(
    world_of: Callable[..., World],
) -> None:
    club = [fact(("eve", "member_of", "old_club")), label("old_club", "Old Club")]
    world = world_of(club, Model())
    assert named(ask(world, "?x member of Old Club")) == [("eve",)]


@pytest.mark.parametrize(
    "asked", ["?x <part of>+ Old Club", "?x <urn:sightline:relation:part_of>+ old_club"]
)
def test_a_plus_behind_a_name_in_brackets_is_of_the_relation_and_not_of_the_tail(
    world_of: Callable[..., World], asked: str
) -> None:
    parts = [fact(("bar", "part_of", "old_club")), fact(("tap", "part_of", "bar"))]
    world = world_of([*parts, label("old_club", "Old Club")], Model())
    assert named(ask(world, asked)) == [("bar",), ("tap",)]


@pytest.fixture
def world(world_of: Callable[..., World]) -> World:
    born = [
        literal("ann", BASE + "property:born", "1990-02-03", datatype=XSD + "date"),
        literal("bob", BASE + "property:born", "1991-01-01", datatype=XSD + "date"),
        literal("cid", BASE + "property:code", "007"),
        literal("dot", BASE + "property:code", "7"),
    ]
    scores = {("bob", "lives_in", "york"): 8.0, ("dot", "lives_in", "bern"): 7.0}
    return world_of([*ROWS, *born], Model(scores))


def ask(world: World, text: str, **more: Any) -> query.Answers:
    return world.ask(query, text, **more)


def named(found: query.Answers) -> list[tuple[str, ...]]:
    return [tuple(name_of(value) for value in row.values) for row in found.rows]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("?x born < 1991", [("ann",)]),
        ("?x born <= 1991", [("ann",), ("bob",)]),
        ("?x born > 1990-02", [("bob",)]),
        ("?x code = 7", [("dot",)]),
        ("?x code = '007'", [("cid",)]),
        ("?x works at Acme, ?x != Ann", [("bob",)]),
        ("?x works at ?, not ?x lives_in ?", [("bob",), ("dot",)]),
        ("?x works_at/located_in York, ?x a Person", [("ann",), ("bob",)]),
        ("?x works_at Acme, Bob works at Acme", [("ann",), ("bob",)]),
        ("?x works_at Acme, Bob works at Bolt", []),
    ],
)
def test_conditions_mean_what_they_say(
    world: World, text: str, names: list[tuple[str, ...]]
) -> None:
    assert named(ask(world, text)) == names


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("?x works_in Acme", UnknownRelation, "works at"),
        ("?x works/located_in York", UnknownRelation, "works at"),
        ("?x works_at Acmee", UnknownEntity, "Acme"),
        ("?x a Persn", UnknownClass, "Person"),
        ("?x brn > 5", UnknownProperty, "born"),
        ("?x works_at > 5", UsageError, "links entities"),
        ("?x born Acme", UsageError, "has values"),
        ("?x code > abc", UsageError, "no number and no date"),
        ("?x works_at/ ?y", BadPattern, "expected a relation"),
        ("?x works_at Acme, not ?y works_at Acme", UsageError, "[?]y is only"),
        ("?x works_at Acme, ?x != ?y", UsageError, "[?]y is only"),
        ("Ann works_at Acme", UsageError, "no variable"),
        ("?x works_at Acme, ? != ?x", UsageError, "name both sides"),
        ("likely ?x works_at/located_in ?y", UsageError, "single links"),
        ("likely ?x works_at ?x", UsageError, "to itself"),
        ("likely ?x a Person", UsageError, "only links"),
        (", ".join(f"?x{i} works_at Acme" for i in range(21)), OutOfRange, "21; allowed are 1 to"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_out(
    world: World, text: str, error: type[SightlineError], said: str
) -> None:
    with pytest.raises(error, match=said):
        ask(world, text)


def test_a_word_of_a_relation_finds_it(world_of: Callable[..., World]) -> None:
    world = world_of([("a", "Compound - treats - Disease", "b"), ("a", "tricks", "b")], None)
    with pytest.raises(UnknownRelation, match="nearest: Compound - treats - Disease"):
        ask(world, "?d treats ?x")


def test_text_or_atoms_are_given_and_what_is_shown_is_there(world: World) -> None:
    with pytest.raises(UsageError, match="one of them"):
        world.ask(query)
    with pytest.raises(UsageError, match="one of them"):
        ask(world, "?x works_at Acme", atoms=(Atom("?x", type="Person"),))
    with pytest.raises(UsageError, match=r"there are: \?x"):
        ask(world, "?x works_at Acme", show=("y",))


def test_an_empty_answer_says_which_conditions_do_not_go_together(world: World) -> None:
    note = ask(world, "?x works_at Acme, ?x lives_in Bern").note
    assert note is not None
    assert "?x —lives in→ Bern" in note
    assert "together" in note
    note = ask(
        world, "?x works_at ?y, ?z works_at ?y, ?x born < 1991, ?z born < 1991, ?x != ?z"
    ).note
    assert note is not None
    assert "ruled out" in note


def test_facts_of_an_answer_say_where_they_are_stated(world: World) -> None:
    (row,) = ask(world, "?x works_at ?c, ?c located_in York, ?x lives_in York", show=("x",)).rows
    assert [(name_of(f.head), f.relation.label, name_of(f.tail)) for f in row.facts] == [
        ("ann", "works at", "acme"),
        ("acme", "located in", "york"),
        ("ann", "lives in", "york"),
    ]
    assert all(fact.status == "stated" and fact.origins for fact in row.facts)
    assert (row.probability, row.predicted) == (None, ())


def test_a_likely_condition_has_the_chance_that_a_prediction_has(world: World) -> None:
    found = ask(
        world,
        "?x works_at ?c, likely ?x lives_in ?y, not ?x lives_in ?y",
        above=0.01,
        deadline_ms=60_000,
    )
    assert named(found)[:2] == [("bob", "acme", "york"), ("dot", "bolt", "bern")]
    assert [c.asked for c in found.conditions] == [None, "tail", None]
    for row in found.rows:
        who, _, where = row.values
        (expected,) = (
            fact for fact in world.predict(relation="lives_in", tail=where.id) if fact.head == who
        )
        assert row.predicted == (2,)
        assert row.probability == pytest.approx(expected.probability)
        assert row.facts[1].probability == expected.probability
        assert row.facts[1].support == expected.support
    assert found.abstain_below == 0.5


def test_chances_multiply_and_a_stated_fact_has_none(world: World) -> None:
    text = "likely ?x lives_in ?y, ?x works_at Acme, likely ?z lives_in ?w, ?z works_at Bolt"
    found = ask(world, text, above=0.01)
    by_names = dict(zip(named(found), found.rows))
    assert by_names["ann", "york", "dot", "bern"].predicted == (3,)
    assert by_names["ann", "york", "cid", "bern"].probability is None
    both = [row for row in found.rows if len(row.predicted) == 2]
    assert both
    for row in both:
        product = np.prod([fact.probability for fact in row.facts if fact.probability])
        assert row.probability == pytest.approx(product)
    chances = [1.0 if row.probability is None else row.probability for row in found.rows]
    assert chances == sorted(chances, reverse=True)


def test_a_fact_that_two_conditions_share_counts_once(world: World) -> None:
    found = ask(world, "likely ?x lives_in ?y, likely ?x lives_in ?z, ?x works_at Acme", above=0.01)
    for row in found.rows:
        if row.values[1] == row.values[2]:
            chances = {fact.tail.id: fact.probability for fact in row.facts[:2]}
            (chance,) = chances.values()
            assert row.probability == (None if chance is None else pytest.approx(chance))


def test_of_several_ways_to_an_answer_the_likeliest_counts(world: World) -> None:
    text, above = "likely ?x lives_in ?y, not ?x lives_in ?y", 0.01
    ways = ask(world, text, above=above).rows
    for row in ask(world, text, above=above, show=("?x",)).rows:
        chances = [r.probability for r in ways if r.values[0] == row.values[0] and r.probability]
        assert row.probability == max(chances)


def test_no_prediction_below_the_chance_asked_for(world: World) -> None:
    text = "likely ?x lives_in ?y, not ?x lives_in ?y"
    everything = ask(world, text, above=0.01).rows
    chances = [row.probability for row in everything if row.probability]
    above = (max(chances) + min(chances)) / 2
    assert [row.probability for row in ask(world, text, above=above).rows] == [
        chance for chance in chances if chance >= above
    ]


def test_the_table_counts_answers_that_rest_on_guesses_and_shows_none(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "likely ?x lives_in ?y, not ?x lives_in ?y"
    rows = ask(world, text, above=0.01).rows
    assert rows
    assert all(row.facts[0].abstain for row in rows)
    assert run(["query", text, "--above", "0.01", "-w", str(world.ws.path)]) == 0
    out = capsys.readouterr().out
    assert f"0 of {len(rows)} answers shown" in out
    assert f"and {len(rows)} that rest on guesses below 50% if any" in out
    assert "York" not in out


def test_pages_make_up_the_whole(world: World) -> None:
    text = "?x works_at ?c, ?y works_at ?d"
    whole = ask(world, text)
    assert whole.found == 16
    pages, cursor = [], None
    while True:
        page = ask(world, text, limit=5, cursor=cursor)
        pages += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert tuple(pages) == whole.rows


def test_blocks_and_limits_do_not_change_what_an_answer_is(
    graphs: list[tuple[Sightline, ox.Store]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sight, _ = graphs[1]
    asked = query.QueryQuestion("?x r ?y, ?y (s|t)+ ?z, not ?z r ?x, ?a a X", limit=1000)
    whole = query.KIND.answer(sight, asked)
    monkeypatch.setattr(join, "BLOCK", 3)
    assert query.KIND.answer(sight, asked) == whole
    asked = query.QueryQuestion("?x r ?y, ?z s ?a, ?b t ?c", max_rows=1000, limit=1000)
    cut = query.KIND.answer(sight, asked)
    assert cut.truncated
    assert cut.next is None
    assert cut.found
    assert "1,000 rows" in str(cut.reason)
    for row in cut.rows[:20]:
        assert len(row.facts) == 3


def test_a_type_takes_in_what_is_stated_to_lie_below_it(tmp_path: Path) -> None:
    below = (("Wolf", "Mammal"), ("Mammal", "Animal"), ("Animal", "Wolf's kin"), ("Oak", "Plant"))
    rows = [
        {**typed(name, kind), "row": i}
        for i, (name, kind) in enumerate([("a", "Wolf"), ("b", "Oak")])
    ]
    rows += [
        {
            **typed("a", up),
            "subject": f"{BASE}class:{kind}",
            "predicate": RDFS + "subClassOf",
        }
        for kind, up in (*below, ("Wolf's kin", "Wolf"))  # in a circle
    ]
    sight = Sightline(build(tmp_path / "ws", [*rows, fact(("a", "r", "b"))]), None)

    def answers(text: str) -> list[str]:
        found = query.KIND.answer(sight, query.QueryQuestion(text))
        return [row.values[0].iri.removeprefix(f"{BASE}entity:") for row in found.rows]

    assert answers("?x a Animal") == answers("?x a Wolf") == ["a"]
    assert answers("?x a Plant") == ["b"]
    assert answers("?x r ?, not ?x a Plant") == ["a"]
