"""What texts state is found, kept apart from what is stated, and taken out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from sightline.graph.errors import OutOfRange
from sightline.graph.extraction import relations
from sightline.graph.extraction.candidates import Candidates, candidates
from sightline.graph.extraction.errors import NoText
from sightline.graph.extraction.extract import Options, about, extract, preview
from sightline.graph.extraction.linking import Names, Told, find, link, together
from sightline.graph.extraction.tokens import Words
from sightline.graph.rdf.index import index_of
from sightline.graph.rdf.worker import evaluate
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import active_loads, retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.extracted import Extracted
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import EXTRACTED_GRAPH, TEXT
from tests.graph.conftest import BASE, add_load, fact, label, literal, typed

TOWNS, RIVERS = 12, 4
SKOS_ALT = "http://www.w3.org/2004/02/skos/core#altLabel"


def world(ws: Workspace) -> None:
    """Towns on rivers; the rivers of the last two towns are not stated."""
    rows = []
    for town in range(TOWNS):
        rows += [label(f"t{town}", f"Town{'abcdefghijkl'[town]}ia"), typed(f"t{town}", "Town")]
        if town < TOWNS - 2:
            rows.append(fact((f"t{town}", "lies_on", f"r{town % RIVERS}")))
    for river in range(RIVERS):
        rows += [label(f"r{river}", f"River{'wxyz'[river]}o"), typed(f"r{river}", "River")]
    add_load(ws, rows)


def sentences_of_towns() -> list[str]:
    names = [f"Town{'abcdefghijkl'[town]}ia" for town in range(TOWNS)]
    rivers = [f"River{'wxyz'[town % RIVERS]}o" for town in range(TOWNS)]
    told = [f"{town} lies on the {river}." for town, river in zip(names, rivers)]
    elsewhere = [f"{town} is far from the {river}." for town, river in zip(names, rivers[1:])]
    return [*told, *elsewhere[:8], "Townkia does not lie on the Riverwo."]


def add_text(ws: Workspace, texts: list[str]) -> str:
    """A load of sentences, in the rows 1, 101, ..."""
    rows = [literal("doc", TEXT, text, row=100 * i + 1) for i, text in enumerate(texts)]
    return add_load(ws, rows, role="text", name="towns").id


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Snapshot]:
    ws = Workspace.create(tmp_path_factory.mktemp("text") / "ws")
    world(ws)
    add_text(ws, sentences_of_towns())
    extract(ws)
    return ws, compile_snapshot(ws)


def said(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {
        (snapshot.entity_labels[one.head], snapshot.entity_labels[one.tail])
        for one in snapshot.extractions()
    }


def test_what_sentences_add_is_extracted_with_its_sentence(
    read: tuple[Workspace, Snapshot],
) -> None:
    ws, snapshot = read
    assert said(snapshot) == {("Townkia", "Riveryo"), ("Townlia", "Riverzo")}
    one = snapshot.extractions()[0]
    assert one.sentence == "Townkia lies on the Riveryo."
    assert str(one.origin) == "towns.csv, row 1001"
    assert 0.5 < one.confidence < 1
    (load,) = (load for load in active_loads(ws) if load.role == "extracted")
    found = about(load)
    assert found["sentences"] == TOWNS + 9
    assert found["denied"] > 0
    (relation,) = found["relations"]
    assert relation["known"] == TOWNS - 2
    assert relation["precision"] >= Options().precision
    assert relation["curve"]
    assert preview(load)[0][0] == "Townkia —lies on→ Riveryo"


def test_an_extracted_fact_is_no_edge_and_in_no_default_graph(
    read: tuple[Workspace, Snapshot],
) -> None:
    from pyoxigraph import Store

    _, snapshot = read
    assert snapshot.num_edges == TOWNS - 2
    store = Store.read_only(str(index_of(snapshot.folder)))
    asked = f"{{<{BASE}entity:t10> <{BASE}relation:lies_on> ?river}}"
    request = {
        "prefixes": {},
        "base": BASE,
        "union": True,
        "less": EXTRACTED_GRAPH,
        "default_graph": None,
        "named_graphs": None,
        "media_type": "text/csv",
        "max_rows": 10,
        "max_bytes": 10_000,
    }
    plain = evaluate(store, {**request, "text": f"SELECT ?river {asked}"})
    named = f"SELECT ?river {{GRAPH <{EXTRACTED_GRAPH}> {asked}}}"
    assert plain.split() == [b"river"]
    assert evaluate(store, {**request, "text": named}).split()[1:] == [b"urn:sightline:entity:r2"]


def test_it_is_kept_up_to_date_and_taken_out(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    with pytest.raises(NothingLoaded):
        extract(ws)
    world(ws)
    with pytest.raises(NoText):
        extract(ws)
    text = add_text(ws, sentences_of_towns())
    with pytest.raises(OutOfRange):
        extract(ws, Options(precision=1.5))
    first = extract(ws)
    assert extract(ws).id == first.id
    add_load(ws, [fact(("t10", "lies_on", "r2"))], name="more")
    snapshot = compile_snapshot(ws, rdf=False)
    assert said(snapshot) == {("Townlia", "Riverzo")}  # what is stated now is not extracted
    retract(ws, text)
    assert compile_snapshot(ws, rdf=False).num_extracted == 0
    assert not [load for load in active_loads(ws) if load.role == "extracted"]


def test_a_text_without_a_sentence_adds_nothing(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    world(ws)
    add_text(ws, [])
    assert extract(ws).counts.statements == 0


@pytest.mark.parametrize(
    "text",
    [
        "No town like Townlia is on the Riverzo.",
        "Townlia doesn't lie on the Riverzo.",
        "Townlia isn’t on the Riverzo.",
        "It is false that Townlia lies on the Riverzo.",
        "Imagine a world in which the town of Townlia lies on the Riverzo.",
        "Is it true that Townlia lies on the Riverzo?",
        "Towns such as Townkia lie on the Riveryo; Townlia at the feet of hills.",
        "Townlia has hills, whereas the Riverzo has ships.",
        "Townlia used to lie on the Riverzo.",
        "Townlia n'est pas sur la Riverzo.",
        "Townlia liegt nicht an der Riverzo.",
        "Townlia no longer lies there, or on the Riverzo.",
    ],
)
def test_what_is_denied_asked_or_supposed_is_left_out(
    read: tuple[Workspace, Snapshot], text: str
) -> None:
    snapshot = read[1]
    mentions = link(snapshot, [text], np.zeros(1, np.int32), Told())
    found = candidates(snapshot, mentions)
    labels = {snapshot.entity_labels[head] for head in found.head.tolist()}
    assert "Townlia" not in labels
    assert found.denied > 0


def test_a_denial_is_of_its_sentence_and_its_place_alone(read: tuple[Workspace, Snapshot]) -> None:
    texts = [
        "Not so.",
        "Is it not?",
        "It would be a mistake to forget how very old the place is: Townkia lies on the Riveryo.",
        "Townlia lies on the Riverzo, and this is true of many towns that are not so large.",
        "A novel and a film tell of Townlia on the Riverzo.",
    ]
    mentions = link(read[1], texts, np.zeros(5, np.int32), Told())
    found = candidates(read[1], mentions)
    assert (found.sentence.tolist(), found.denied) == ([2, 3, 4], 0)


def test_the_past_counts_for_relations_that_are_told_so(read: tuple[Workspace, Snapshot]) -> None:
    towns = [f"Town{letter}ia" for letter in "abcd"]
    was = [f"{town} was a town on the River{letter}o." for town, letter in zip(towns, "wxyz")]
    new = "Townkia was a town on the Riveryo."

    def left(texts: list[str]) -> list[int]:
        mentions = link(read[1], texts, np.zeros(len(texts), np.int32), Told())
        return candidates(read[1], mentions).sentence.tolist()

    assert left([*was, new]) == [0, 1, 2, 3, 4]
    assert left([*was[1:], new]) == []
    wrong = [f"{town} was a town on the Riverzo." for town in towns[:3]]
    more = [f"Town{letter}ia was a town on the Riverzo." for letter in "efi"]
    assert left([*was, *wrong, *more, new]) == []


def pairs_of(snapshot: Snapshot, texts: list[str]) -> list[tuple[str, str, bool, bool]]:
    """Head, tail, known and wrong of each pair that sentences might state a relation of."""
    found = candidates(snapshot, link(snapshot, texts, np.zeros(len(texts), np.int32), Told()))
    labels = snapshot.entity_labels
    columns = (found.head, found.tail, found.known, found.wrong)
    return sorted(
        (labels[h], labels[t], k, w) for h, t, k, w in zip(*(column.tolist() for column in columns))
    )


@pytest.fixture(scope="module")
def friends(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """People who know each other, one of whom owns one of a hundred cats and knows a cat."""
    ws = Workspace.create(tmp_path_factory.mktemp("friends") / "ws")
    rows = [row for name in "abcd" for row in (label(name, f"Per{name}"), typed(name, "Person"))]
    rows += [label("cat", "Felix"), typed("cat", "Cat"), fact(("a", "knows", "cat"))]
    rows += [fact((f"p{i}", "knows", f"p{i + 1}")) for i in range(0, 300, 2)]
    rows += [typed(f"p{i}", "Person") for i in range(300)]
    rows += [fact(("a", "knows", "b"))]
    add_load(ws, rows)
    return compile_snapshot(ws, rdf=False)


def test_members_of_a_list_and_rare_types_are_no_pairs(friends: Snapshot) -> None:
    assert pairs_of(friends, ["Pera, Perb and Perc are here."]) == []
    assert ("Pera", "Perb", True, False) in pairs_of(friends, ["Pera is a friend of Perb."])
    # One fact in a hundred is with a cat: that is no way of the relation.
    assert pairs_of(friends, ["Perd is a friend of Felix."]) == []


def test_a_nearer_fact_tells_why_its_tail_is_named(friends: Snapshot) -> None:
    told = pairs_of(friends, ["Perd has a dog, and Pera is a friend of Perb."])
    assert ("Pera", "Perb", True, False) in told
    assert ("Perd", "Perb", False, True) in told
    assert ("Perd", "Perb", False, False) in pairs_of(friends, ["Perd is a friend of Perb."])


def test_what_the_graph_would_hold_is_not_likely() -> None:
    share = np.array([0.98, 0.5, 0.98, 0.1, 0.98, 0.1])
    known = np.array([True, True, False, False, False, False])
    wrong = np.array([False, False, True, True, False, False])
    whole = relations.chance(share, known, wrong)
    assert whole[2:4].tolist() == [0, 0]  # the graph would name it beside the others of the head
    assert whole[4] > 0.5 > whole[5]
    # Five facts are too few to be sure by.
    few = relations.chance(np.full(6, 0.99), np.arange(6) < 5, np.zeros(6, np.bool_))
    assert few[-1] == pytest.approx(5.5 / 7)
    # Of open pairs few are true where few read like facts.
    crowd = relations.chance(
        np.array([0.9] * 9 + [0.1] * 9 + [0.5] + [0.02] * 99),
        np.array([True] * 9 + [False] * 109),
        np.array([False] * 9 + [True] * 9 + [False] * 100),
    )
    assert crowd[18] < 0.2
    # A few that all read alike do not tell that all, or none, are true.
    for share in (0.6, 0.8):
        alike = relations.chance(
            np.array([0.7] * 20 + [share] * 10),
            np.array([True] * 14 + [False] * 16),
            np.array([False] * 14 + [True] * 6 + [False] * 10),
        )
        assert alike[-1] == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize(("each", "told"), [(3, 0.75), (300, 1.0)])
def test_a_share_that_few_pairs_show_is_nearer_to_that_of_all(each: int, told: float) -> None:
    score = np.repeat([1.0, 2.0], each)
    share = relations._shares(score, score > 1.5, np.array([2.0]))
    assert share == pytest.approx(told, abs=0.01)


def test_what_is_held_out_is_a_sentence_or_a_whole_document() -> None:
    # Each document has a word of its own for what is so, and none says what is not.
    document = np.repeat(np.arange(12), 4)
    known = np.tile([True, True, False, False], 12)
    columns = np.where(known, document, 100)
    ids = np.arange(48, dtype=np.int32)
    found = Candidates(
        head=ids,
        relation=np.zeros(48, np.int32),
        tail=ids,
        sentence=np.arange(48),
        known=known,
        wrong=~known,
        features=sparse.csr_matrix((np.ones(48), (np.arange(48), columns)), (48, relations.WIDTH)),
        denied=0,
        cut=0,
    )
    assert relations.scores(found, found.sentence)[known].max() > 0.5
    assert relations.scores(found, document)[known].max() == pytest.approx(0)


@pytest.mark.parametrize("apart", [False, True])
def test_a_document_of_which_nothing_is_known_is_read_as_one_that_was_not_learnt_from(
    read: tuple[Workspace, Snapshot], monkeypatch: pytest.MonkeyPatch, apart: bool
) -> None:
    texts = sentences_of_towns()
    document = np.zeros(len(texts), np.int32)
    document[TOWNS - 2 : TOWNS] = apart  # of the two whose river the graph lacks
    found = candidates(read[1], link(read[1], texts, document, Told()))
    sure = np.where(found.wrong, -5.0, 5.0)
    monkeypatch.setattr(
        relations, "scores", lambda _, unit: sure if unit is found.sentence else -sure
    )
    taken = relations.extract(read[1], found, document, 0.5)
    assert len(taken.head) == (0 if apart else 2)


def test_its_confidence_is_what_models_that_did_not_read_it_know(
    read: tuple[Workspace, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = sentences_of_towns()
    texts += [
        f"Town{'abcdefgh'[t]}ia looks at the River{'wxyz'[(t + 1) % RIVERS]}o." for t in range(8)
    ]

    def stated(apart: bool) -> np.ndarray:
        document = np.zeros(len(texts), np.int32)
        document[TOWNS - 2 : TOWNS] = apart
        found = candidates(read[1], link(read[1], texts, document, Told()))
        sure, misled = np.where(found.wrong, -5.0, 5.0), np.where(found.wrong, 9.0, 5.0)
        monkeypatch.setattr(
            relations, "scores", lambda _, unit: sure if unit is found.sentence else misled
        )
        return relations.extract(read[1], found, document, 0.1).confidence

    near, elsewhere = stated(apart=False), stated(apart=True)
    assert near.min() > 0.8
    assert elsewhere.max(initial=0) < 0.7


def test_a_sentence_states_the_likelier_relation_of_two(friends: Snapshot) -> None:
    one = np.zeros(3, np.int32)
    found = Candidates(
        head=np.array([0, 1, 0], np.int32),
        relation=np.array([0, 1, 2], np.int32),
        tail=np.array([1, 0, 2], np.int32),
        sentence=one.astype(np.int64),
        known=one == 1,
        wrong=one == 1,
        features=sparse.csr_matrix((3, 4)),
        denied=0,
        cut=0,
    )
    score = relations.best_read(found, np.array([2.0, -2.0, -3.0]))
    assert score.tolist() == [2.0, relations.UNREAD, -3.0]


def test_values_of_a_property_are_texts_where_asked(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    world(ws)
    texts = " ".join(sentences_of_towns())
    add_load(ws, [literal("t0", f"{BASE}property:about", texts)], name="more")
    extract(ws, Options(properties=(f"{BASE}property:about",)))
    assert said(compile_snapshot(ws, rdf=False)) == {
        ("Townkia", "Riveryo"),
        ("Townlia", "Riverzo"),
    }


def linked(tmp_path: Path, rows: list[dict[str, object]], texts: list[str]) -> list[set[str]]:
    """Labels, by raw name, of what each text names."""
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, rows)
    snapshot = compile_snapshot(ws, rdf=False)
    document = np.arange(len(texts), dtype=np.int32)
    found = link(snapshot, texts, document, Told())
    names = [
        iri.rpartition(":")[2] for iri in snapshot.entity_iris.take(range(snapshot.num_entities))
    ]
    out: list[set[str]] = [set() for _ in texts]
    for sentence, entity in zip(found.sentence.tolist(), found.entity.tolist()):
        out[sentence].add(names[entity])
    return out


def test_names_are_found_at_word_boundaries_the_longest_first(tmp_path: Path) -> None:
    rows = [
        label("guinea", "Guinea"),
        label("bissau", "Guinea-Bissau"),
        label("tome", "São Tomé (island)"),
        label("us", "US"),
        label("virus", "retrovirus infection"),
        label("tokyo", "東京"),
        label("x", "X"),
        label("n", "1984"),
        label("it", "it"),
    ]
    texts = [
        "Guinea-Bissau is near Guinea.",
        "Guineans live there, and Sao Tome is an island.",
        "Tell us of the US.",
        "Retrovirus infections, 1984 of them; X marks it.",
        "東京は首都。",
        "tell us",
    ]
    assert linked(tmp_path, rows, texts) == [
        {"bissau", "guinea"},
        {"tome"},
        {"us"},
        {"virus"},
        {"tokyo"},
        set(),
    ]


def test_an_ambiguous_name_means_what_stands_around_it_or_is_left_out(tmp_path: Path) -> None:
    rows = [
        label("state", "Georgia"),
        label("country", "Georgia"),
        label("atlanta", "Atlanta"),
        label("tbilisi", "Tbilisi"),
        fact(("atlanta", "in", "state")),
        fact(("tbilisi", "in", "country")),
    ]
    texts = ["Atlanta is in Georgia.", "Tbilisi is in Georgia.", "Georgia is large."]
    assert linked(tmp_path, rows, texts) == [{"atlanta", "state"}, {"tbilisi", "country"}, set()]


def test_names_that_are_all_numbers_give_nothing(tmp_path: Path) -> None:
    rows = [label(f"n{i}", str(i)) for i in range(20)]
    assert linked(tmp_path, rows, ["1 and 2 make 3."]) == [set()]


def test_words_have_the_same_hash_in_any_case_number_and_accent() -> None:
    for one, other, same in (
        ("Città", "citta", True),
        ("rivers", "River", True),
        ("gas", "ga", False),
        ("virus", "viru", False),
    ):
        assert (len(set(Words.of([one, other]).hash.tolist())) == 1) == same
    assert len(Words.of(["", "a b", "..."]).hash) == 2


def test_what_is_named_together_is_counted(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, [label("a", "Alpha"), label("b", "Beta"), label("c", "Gamma")])
    snapshot = compile_snapshot(ws, rdf=False)
    texts = ["Alpha and Beta.", "Alpha, Beta, Alpha.", "Gamma.", "Gamma and Alpha."]
    mentions = link(snapshot, texts, np.zeros(4, np.int32), Told())
    found = together(mentions, 4)
    pairs = dict(zip(zip(found.one.tolist(), found.other.tolist()), found.sentences.tolist()))
    assert pairs == {(0, 1): 2, (0, 2): 1}
    assert found.pmi[0] == pytest.approx(np.log2(2 * 4 / (3 * 2)))
    assert len(find(Names.of(snapshot, Told()), Words.of(["Beta"])).text) == 1


def test_of_each_relation_the_surest_fact_comes_the_surest_relation_first() -> None:
    class Some(Extracted):
        num_extracted = 5
        extracted_confidence = np.array([0.6, 0.9, 0.7, 0.9, 0.8])
        extracted_relation = np.array([1, 2, 0, 2, 1], np.int32)
        extraction_at = staticmethod(lambda at: at)

    some = Some.__new__(Some)
    assert some.surest_extractions(9) == [1, 4, 2]
    assert some.surest_extractions(2) == [1, 4]


def test_candidates_are_the_same_however_many_are_made_together(
    read: tuple[Workspace, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = sentences_of_towns()
    mentions = link(read[1], texts, np.zeros(len(texts), np.int32), Told())
    whole = candidates(read[1], mentions)
    monkeypatch.setattr("sightline.graph.extraction.candidates.WINDOW", 1)
    monkeypatch.setattr("sightline.graph.extraction.features.BLOCK", 3)
    parts = candidates(read[1], mentions)
    assert whole.denied
    assert (parts.denied, parts.cut) == (whole.denied, whole.cut)
    for name in ("head", "relation", "tail", "sentence", "known", "wrong"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
    assert (parts.features != whole.features).nnz == 0
    monkeypatch.setattr("sightline.graph.extraction.candidates.MOST", 5)
    few = candidates(read[1], mentions)
    assert (len(few.head), few.cut) == (5, len(whole.head) - 5)
    assert set(few.sentence.tolist()) <= set(whole.sentence.tolist())
