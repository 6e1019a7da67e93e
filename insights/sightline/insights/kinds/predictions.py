"""What is missing: a fact with one gap, completed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.graph.errors import SightlineError, UsageError
from sightline.graph.progress import stop_if_cancelled
from sightline.insights.kind import MAX_K, DeadlineMs, Kind, Names, Sightline, Span
from sightline.insights.records import Fact, Reliability

if TYPE_CHECKING:
    from sightline.insights.ranking import Candidate, Gap, Room

#: Answers where neither their number nor a coverage is asked for.
DEFAULT_K = 10


@dataclass(frozen=True, slots=True)
class PredictionQuestion:
    """A fact with one gap: two of head, relation and tail, each an IRI, a CURIE or a label."""

    head: Annotated[str | None, Names("entity"), Doc("Leave out what is asked for.")] = None
    relation: Annotated[str | None, Names("relation"), Doc("Leave out what is asked for.")] = None
    tail: Annotated[str | None, Names("entity"), Doc("Leave out what is asked for.")] = None
    k: Annotated[int | None, Span(1, MAX_K), Doc("How many answers: 10, or as said.")] = None
    new_only: Annotated[bool, Doc("Only what the graph does not state.")] = False
    coverage: Annotated[
        float | None,
        Span(0.01, 0.99),
        Doc("Instead of k: new answers that hold the true one with this probability."),
    ] = None
    deadline_ms: DeadlineMs = 1000


@dataclass(frozen=True)
class Predictions(Reliability):
    """Ranked answers to one question.

    Attributes:
        known: how many answers the graph states; null, as the next two, of a missing relation.
        possible: how many entities may be a further one, by their types.
        set_size: how many answers the set of the ``coverage`` has, of which at most 1000 are given;
            null where none is asked for.
    """

    known: int | None
    possible: int | None
    set_size: int | None
    predictions: tuple[Fact, ...]


def predict(sight: Sightline, asked: PredictionQuestion) -> Predictions:
    """What is missing: the likeliest answers to a fact with one gap, with what speaks for them.

    Give two of head, relation and tail. Missing heads and tails are ranked by the model's score,
    missing relations by probability. What the graph states already is marked, or left out. A model
    that reads the graph for each question has a deadline for missing relations.

    Raises:
        UsageError: not exactly one part is None, or a coverage beside k or for a missing relation.
        NoModel, DamagedArtifact, FormatMismatch, UnknownToModel
        DoesNotApply: no entity of its type has such a fact.
    """
    (answer,) = predict_each(sight, [asked])
    if isinstance(answer, SightlineError):
        raise answer
    return answer


def predict_each(
    sight: Sightline, asked: Sequence[PredictionQuestion]
) -> Iterator[Predictions | SightlineError]:
    """The answers to several questions, in their order, or why one has none: the model is asked
    about all missing heads and tails together."""
    from sightline.insights.ranking import Gap, complete

    gaps: list[Gap | SightlineError | None] = []
    for question in asked:
        try:
            KIND.check(question)
            gaps.append(_gap_of(sight, question))
        except SightlineError as error:
            gaps.append(error)
    found = [gap for gap in gaps if isinstance(gap, Gap)]
    completed = iter(complete(sight.model_view, found) if found else [])
    for question, gap in zip(asked, gaps):
        stop_if_cancelled()
        if isinstance(gap, SightlineError):
            yield gap
        elif gap is None:
            try:
                yield _connected(sight, question)
            except SightlineError as error:
                yield error
        else:
            yield _told(sight, question, *next(completed))


def _gap_of(sight: Sightline, asked: PredictionQuestion) -> Gap | None:
    """What is to be completed; None where it is the relation."""
    from sightline.insights.ranking import Gap

    if asked.coverage is not None and asked.k is not None:
        raise UsageError(
            "coverage says how many answers there are, and so does k; leave one of them out"
        )
    if asked.coverage is not None and asked.relation is None:
        raise UsageError("coverage is for a missing head or tail; leave it out")
    head, tail = (None if end is None else sight.entity(end) for end in (asked.head, asked.tail))
    relation = sight.relation(asked.relation)
    if [head, relation, tail].count(None) != 1:
        raise UsageError("a prediction fills one gap: give two of head, relation and tail")
    if relation is None:
        return None
    if head is None:
        head, relation = tail, sight.facts.inverse(relation)
    assert head is not None
    k = DEFAULT_K if asked.k is None else asked.k
    gap = Gap(head, relation, k, asked.new_only, asked.coverage)
    gap.check(sight.model_view)
    return gap


def _connected(sight: Sightline, asked: PredictionQuestion) -> Predictions:
    """The missing relation."""
    from sightline.insights.deadline import Deadline
    from sightline.insights.ranking import connect

    assert asked.head is not None
    assert asked.tail is not None
    deadline, k = Deadline(asked.deadline_ms), DEFAULT_K if asked.k is None else asked.k
    ends = sight.entity(asked.head), sight.entity(asked.tail)
    found = connect(sight.model_view, *ends, k, asked.new_only, deadline)
    return _told(sight, asked, found, None, deadline.reason)


def _told(
    sight: Sightline,
    asked: PredictionQuestion,
    found: Sequence[Candidate],
    room: Room | None,
    cut: str | None = None,
) -> Predictions:
    from sightline.insights.names import NOBODY
    from sightline.insights.ranking import reliability, told

    facts = told(sight, found)
    nothing = "nothing fits by type" + (" that is not stated" if asked.new_only else "")
    return Predictions(
        **reliability(sight, facts, cut, nothing, found[0].end if found else NOBODY),
        known=None if room is None else room.known,
        possible=None if room is None else room.possible,
        set_size=None if room is None else room.set_size,
        predictions=facts,
    )


KIND = Kind(
    predict,
    route="POST /v1/predictions",
    tag="predictions",
    order="Likeliest first.",
    command="predict",
    example='sightline predict --head Kenya --relation "member of" --new-only -w world',
    examples={
        "missing tail": {"head": "Kenya", "relation": "member of", "k": 3, "new_only": True},
        "several": {"questions": [{"head": "Kenya", "relation": "member of"}]},
    },
    batch=predict_each,
)
