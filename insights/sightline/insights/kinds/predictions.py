"""What is missing: a fact with one gap, completed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_doc import Doc

from sightline.graph.errors import UsageError
from sightline.insights.kind import MAX_K, DeadlineMs, Kind, Names, Sightline, Span
from sightline.insights.records import Fact, Reliability

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


@dataclass(frozen=True, slots=True)
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
    from sightline.insights.deadline import Deadline
    from sightline.insights.ranking import Room, complete, connect, reliability, told

    if asked.coverage is not None and asked.k is not None:
        raise UsageError(
            "coverage says how many answers there are, and so does k; leave one of them out"
        )
    if asked.coverage is not None and asked.relation is None:
        raise UsageError("coverage is for a missing head or tail; leave it out")
    k = DEFAULT_K if asked.k is None else asked.k
    head = None if asked.head is None else sight.entity(asked.head)
    tail = None if asked.tail is None else sight.entity(asked.tail)
    relation, deadline = sight.relation(asked.relation), Deadline(asked.deadline_ms)
    view = sight.model_view
    room: Room | None = None
    if head is not None and relation is not None and tail is None:
        found, room = complete(view, head, relation, k, asked.new_only, asked.coverage)
    elif head is None and relation is not None and tail is not None:
        rel = sight.facts.inverse(relation)
        found, room = complete(view, tail, rel, k, asked.new_only, asked.coverage)
    elif head is not None and relation is None and tail is not None:
        found = connect(view, head, tail, k, asked.new_only, deadline)
    else:
        raise UsageError("a prediction fills one gap: give two of head, relation and tail")
    facts = told(sight, found)
    nothing = "nothing fits by type" + (" that is not stated" if asked.new_only else "")
    return Predictions(
        **reliability(sight, facts, deadline.reason, nothing),
        known=None if room is None else room.known,
        possible=None if room is None else room.possible,
        set_size=None if room is None else room.set_size,
        predictions=facts,
    )


KIND = Kind(
    predict,
    PredictionQuestion,
    Predictions,
    route="POST /v1/predictions",
    tag="predictions",
    order="Likeliest first.",
    command="predict",
    example='sightline predict --head Kenya --relation "member of" --new-only -w world',
    examples={
        "missing tail": {"head": "Kenya", "relation": "member of", "k": 3, "new_only": True},
        "several": {"questions": [{"head": "Kenya", "relation": "member of"}]},
    },
    batch=True,
    deadline=True,
)
