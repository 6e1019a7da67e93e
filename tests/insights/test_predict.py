"""One gap is filled; stated answers are marked; probabilities follow scores."""

from __future__ import annotations

import math

import pytest

from sightline.distill.student import student
from sightline.graph.errors import OutOfRange, SightlineError, UsageError
from sightline.graph.progress import Cancelled, cancelled
from sightline.insights.errors import DoesNotApply
from sightline.insights.kinds import predictions, related
from sightline.insights.model_view import ModelView
from sightline.models.errors import UnknownToModel
from tests.graph.conftest import fact, label
from tests.insights.conftest import FACTS, ROWS, Model, calibrated, name_of, one_more

SCORES = {
    ("ann", "lives_in", "york"): 6.0,
    ("bob", "lives_in", "york"): 5.0,
    ("bob", "lives_in", "bern"): 1.0,
}


def test_a_missing_tail(world_of) -> None:
    world = world_of(model=Model(SCORES))
    answer = world.predict("bob", "lives_in", None)
    assert [name_of(p.tail) for p in answer] == ["york", "bern"]
    assert [p.rank for p in answer] == [1, 2]
    assert [p.score for p in answer] == pytest.approx([5.0, 1.0])
    total = math.exp(5) + math.exp(1) + 6
    for p, score in zip(answer, (5.0, 1.0)):
        share = math.exp(score) / total
        assert p.probability_if_any == pytest.approx(share / (1 + share), rel=1e-4)
        # Two of eight entities live somewhere, both among the four persons.
        another = one_more((2, 8), (2, 4))
        assert p.probability == pytest.approx(another * p.probability_if_any)
        assert p.direction == "out"
        assert p.status == "predicted"
        assert p.status == "predicted"
        assert p.origins == ()
        assert name_of(p.head) == "bob"
    assert answer[0].support[0].text == "Bob —works at→ Acme —located in→ York"
    assert answer[1].support_note == "no support found"


def test_a_missing_head(world_of) -> None:
    world = world_of(model=Model(SCORES))
    answer = world.predict(None, "lives_in", "york", k=2)
    assert [(name_of(p.head), name_of(p.tail), p.status) for p in answer] == [
        ("ann", "york", "stated"),
        ("bob", "york", "predicted"),
    ]


def test_a_stated_answer_is_never_sold_as_a_prediction(world_of) -> None:
    world = world_of(model=Model(SCORES))
    stated, new = world.predict("ann", "lives_in", None)
    assert (name_of(stated.tail), stated.status) == ("york", "stated")
    assert stated.probability is stated.probability_if_any is None
    assert stated.surprising is None
    assert not stated.abstain
    assert (stated.support, stated.support_note) == ((), None)
    assert [origin.row for origin in stated.origins] == [8]
    assert (name_of(new.tail), new.status) == ("bern", "predicted")


def test_a_stated_fact_read_backwards_is_told_as_such(world_of) -> None:
    facts = [("a", "borders", "b"), ("b", "borders", "c")]
    world = world_of(facts, Model({("b", "borders", "a"): 9.0}))
    new = world.predict("b", "borders", None, new_only=True)
    assert [(name_of(p.tail), p.support_note) for p in new] == [("a", "the reverse is stated")]
    assert new[0].support[0].text == "b ←borders— a"


def test_questions_asked_together_have_the_answers_that_each_has_alone(
    world_of, monkeypatch
) -> None:
    monkeypatch.setattr(student, "BLOCK", 1)
    monkeypatch.setattr(student, "QUESTIONS", 3)
    world = world_of(model=Model(SCORES, without=["bolt"]))
    asked = [
        predictions.PredictionQuestion(*gap, **more)
        for gap in (
            ("bob", "lives_in", None), (None, "lives_in", "york"), ("ann", "lives_in", None),
            ("bob", None, "york"), (None, "works_at", "bolt"), ("york", "lives_in", None),
            ("nobody at all", "lives_in", None), ("bob", None, None),
        )
        for more in ({}, {"k": 1, "new_only": True}, {"coverage": 0.3}, {"k": 0})
    ]  # fmt: skip
    alone: list[object] = []
    for question in asked:
        try:
            alone.append(predictions.KIND.answer(world.sight, question))
        except SightlineError as error:
            alone.append(str(error))

    together = predictions.predict_each(world.sight, asked)
    assert [str(a) if isinstance(a, SightlineError) else a for a in together] == alone
    assert 8 < sum(isinstance(one, str) for one in alone) < len(alone) - 8


def test_new_only_leaves_out_what_is_stated(world_of) -> None:
    world = world_of(model=Model(SCORES))
    answer = world.predict("ann", "lives_in", None, new_only=True)
    assert [(p.rank, name_of(p.tail)) for p in answer] == [(1, "bern")]


def test_a_missing_relation(world_of) -> None:
    rows = [*ROWS, fact(("ann", "born_in", "york")), fact(("cid", "born_in", "york"))]
    scores = {("bob", "lives_in", "york"): 5.0, ("bob", "born_in", "york"): 2.0}
    world = world_of(rows, Model(scores))
    answer = world.predict("bob", None, "york")
    # A person works at no city, so that is not proposed.
    assert [name_of(p.relation) for p in answer] == ["lives_in", "born_in"]
    ahead = math.exp(5) / (math.exp(5) + 7)
    # Two of eight entities live somewhere, both among the four persons.
    another = one_more((2, 8), (2, 4))
    assert answer[0].probability_if_any == pytest.approx(calibrated(ahead), rel=1e-5)
    assert answer[0].probability == pytest.approx(another * calibrated(ahead), rel=1e-5)
    assert {p.direction for p in answer} == {None}
    assert answer[0].score == pytest.approx(math.log(ahead), rel=1e-4)


def test_a_missing_relation_that_is_stated(world_of) -> None:
    world = world_of(model=Model(SCORES))
    answer = world.predict("ann", None, "york")
    assert [(name_of(p.relation), p.status, p.probability) for p in answer] == [
        ("lives_in", "stated", None)
    ]
    assert world.predict("ann", None, "york", new_only=True) == ()


def test_nothing_links_an_entity_to_itself(world_of) -> None:
    world = world_of(FACTS)
    assert world.predict("ann", None, "ann") == ()


@pytest.mark.parametrize(
    "given",
    [
        (None, None, None),
        ("ann", None, None),
        (None, "lives_in", None),
        (None, None, "york"),
        ("ann", "lives_in", "york"),
    ],
)
def test_a_question_has_exactly_one_gap(world_of, given) -> None:
    world = world_of()
    with pytest.raises(UsageError, match="one gap"):
        world.predict(*given)


@pytest.mark.parametrize("k", [0, 1001])
def test_k_outside_its_range_is_refused(world_of, k) -> None:
    world = world_of()
    with pytest.raises(OutOfRange, match="1 to 1000"):
        world.predict("bob", "lives_in", None, k=k)


def test_ties_are_broken_by_id(world_of) -> None:
    world = world_of(FACTS, Model())
    answer = world.predict("bob", "lives_in", None)
    assert [name_of(p.tail) for p in answer] == [
        *("acme", "ann", "bern", "bolt", "cid", "dot", "york")
    ]
    assert len({p.probability for p in answer}) == 1


def test_an_entity_or_relation_that_came_after_training_is_named(world_of) -> None:
    world = world_of(model=Model(without=["bob", "located_in"]))
    with pytest.raises(UnknownToModel, match="entity 'Bob"):
        world.predict("bob", "lives_in", None)
    with pytest.raises(UnknownToModel, match="relation 'located in'"):
        world.predict("acme", "located_in", None)
    with pytest.raises(UnknownToModel, match="entity 'Bob"):
        world.predict("ann", None, "bob")


def test_new_entities_shift_no_answer(world_of, tmp_path) -> None:
    """The model has its own rows; entities that sort first renumber the snapshot only."""
    rows = [*ROWS, fact(("aaa", "aaa_likes", "aab")), label("aaa", "First")]
    world = world_of(rows, Model(SCORES, without=["aaa", "aab", "aaa_likes"]))
    assert world.id("aaa") == 0
    answer = world.predict("bob", "lives_in", None)
    assert [(name_of(p.tail), p.score) for p in answer] == [
        ("york", pytest.approx(5.0)),
        ("bern", pytest.approx(1.0)),
    ]


def test_a_stated_answer_that_the_model_does_not_know_stands_last_without_a_score(world_of) -> None:
    rows = [*ROWS, fact(("bob", "lives_in", "aaa"))]
    world = world_of(rows, Model(SCORES, without=["aaa"]))
    answer = world.predict("bob", "lives_in", None)
    assert [name_of(p.tail) for p in answer] == ["york", "bern", "aaa"]
    assert answer[-1].status == "stated"
    assert answer[-1].score is None


def test_surprise_is_what_the_probability_adds_to_popularity(world_of) -> None:
    """York has 1 of the 2 lives-in facts, whose answers are 2: popularity (1 + 1) / (2 + 2 + 1)."""
    world = world_of(model=Model(SCORES))
    best = world.predict("bob", "lives_in", None)[0]
    assert best.surprising == pytest.approx(math.log2(best.probability_if_any / 0.4))


def test_a_hub_surprises_less_than_a_rare_answer_of_the_same_probability(world_of) -> None:
    facts = [(f"p{i}", "visits", "hub") for i in range(9)] + [("p0", "visits", "rare")]
    facts += [("new", "knows", "p0")]
    world = world_of(facts, Model({("new", "visits", "hub"): 5, ("new", "visits", "rare"): 5}))
    hub, rare = world.predict("new", "visits", None, k=2)
    assert (name_of(hub.tail), name_of(rare.tail)) == ("hub", "rare")
    assert hub.probability == rare.probability
    assert rare.surprising - hub.surprising == pytest.approx(math.log2(10 / 2))


def test_similar_entities_by_cosine_and_type(world_of) -> None:
    vectors = {"ann": [1, 0], "bob": [2, 1], "cid": [-1, 1], "dot": [0, 0], "york": [1, 0.1]}
    world = world_of(model=Model(vectors=vectors))
    answer = world.similar("ann")
    assert [name_of(s.entity) for s in answer] == ["bob", "dot", "cid"]
    expected = [2 / math.sqrt(5), 0.0, -1 / math.sqrt(2)]
    assert [s.similarity for s in answer] == pytest.approx(expected)
    anyone = world.similar("ann", same_type=False, k=3)
    assert [name_of(s.entity) for s in anyone] == ["york", "bob", "acme"]
    # From an entity in no direction all others are equally far.
    assert {s.similarity for s in world.similar("dot")} == {0.0}


def test_an_answer_set_holds_what_is_within_the_bound_of_its_coverage(world_of) -> None:
    # Surprisals of york and bern: -log of e^5 and e^1 over e^5 + e^1 + 6.
    total = math.exp(5) + math.exp(1) + 6
    york, bern = (-math.log(math.exp(s) / total) for s in (5, 1))
    bounds = [york / 2] * 10 + [york + 1e-3] * 10 + [bern + 1e-3] * 10
    world = world_of(model=Model(SCORES, calibration={"surprisal": tuple(bounds)}))
    question = ("bob", "lives_in", None)
    sizes = [len(world.predict(*question, coverage=c)) for c in (0.05, 0.2, 0.3, 0.9)]

    # Nothing can be promised beyond 30 %: then every sensible answer is in the set.
    assert sizes == [0, 1, 2, 2]


def test_an_answer_says_among_how_many_it_was_chosen(world_of) -> None:
    world = world_of(model=Model(SCORES, calibration={"surprisal": (1e9,) * 30}))
    ann = world.ask(predictions, "ann", "lives_in", None, k=1)
    both = world.ask(predictions, "ann", "lives_in", None, coverage=0.3)

    # She lives in York; Bern is the one other city.
    assert (ann.known, ann.possible, ann.set_size) == (1, 1, None)
    assert (both.known, both.possible, both.set_size) == (1, 1, 1)
    assert world.ask(predictions, "ann", None, "york").known is None


def test_an_answer_set_is_for_a_missing_entity(world_of) -> None:
    world = world_of(model=Model(SCORES))
    with pytest.raises(UsageError, match="missing head or tail"):
        world.predict("bob", None, "york", coverage=0.9)
    with pytest.raises(OutOfRange, match=r"allowed are 0\.01 to 0\.99"):
        world.predict("bob", "lives_in", None, coverage=1.5)


def test_a_relation_that_no_entity_of_its_type_has_is_not_asked_about(world_of) -> None:
    world = world_of(model=Model(SCORES))
    with pytest.raises(DoesNotApply, match="no City has a works at; leave"):
        world.predict("york", "works_at")
    with pytest.raises(DoesNotApply, match="no Person is the works at of anything"):
        world.predict(None, "works_at", "ann")
    with pytest.raises(DoesNotApply, match="no City has a works at; leave"):
        world.related("york", relation="works_at")
    assert world.related("york", relation="works_at", predicted=False) == ()


def test_a_coverage_and_a_number_of_answers_are_not_asked_for_together(world_of) -> None:
    world = world_of(model=Model(SCORES))
    with pytest.raises(UsageError, match=r"coverage says how many .* leave one of them out"):
        world.predict("bob", "lives_in", k=3, coverage=0.9)


def test_an_answer_says_how_far_it_can_be_relied_on(world_of) -> None:
    world = world_of(model=Model(SCORES, calibration={"abstain_below": 0.1}))
    answer = world.ask(predictions, "bob", "lives_in")
    assert (answer.abstain_below, answer.base_rate, answer.calibration_error) == (0.1, 0.1, None)
    assert answer.guesses == sum(p.abstain for p in answer.predictions) == 1


def test_without_a_model_nothing_is_said_about_reliability(world_of) -> None:
    none = world_of(model=None).ask(related, "bob")
    assert none.abstain_below is none.base_rate is none.guesses is None


def test_a_batch_that_nobody_waits_for_is_given_up_between_its_blocks(
    world_of, monkeypatch
) -> None:
    monkeypatch.setattr(student, "BLOCK", 1)
    monkeypatch.setattr(student, "QUESTIONS", 1)
    world = world_of(model=Model(SCORES))
    choose, chosen = ModelView._chosen, []
    monkeypatch.setattr(ModelView, "_chosen", lambda *given: chosen.append(0) or choose(*given))
    asked = [predictions.PredictionQuestion(who, "lives_in", None) for who in ("ann", "bob", "cid")]
    token = cancelled.set(lambda: len(chosen) == 1)
    try:
        with pytest.raises(Cancelled):
            list(predictions.predict_each(world.sight, asked))
    finally:
        cancelled.reset(token)
    assert len(chosen) == 1
