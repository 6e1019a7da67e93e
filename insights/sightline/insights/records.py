"""What answers of several kinds are made of: frozen records of plain Python values.

Their field names are the JSON keys. Entities, relations, types and properties are CURIEs (or IRIs)
with labels here; knows no array and no id of a snapshot. The record of one kind stands beside its
question, in ``kinds``. They have no slots: JSON is made of them several times as fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sightline.graph.snapshot.statement import Origin

#: ``out``: the entity asked about is the head of the fact; ``in``: it is the tail.
Direction = Literal["out", "in"]
#: What the graph holds, stated in a source or inferred from what is stated, shows its origins and
#: has no probability; a predicted fact is the other way round. An extracted fact is not in the
#: graph: a text says so as far as it was read, with a confidence and the sentence as qualifiers.
Status = Literal["stated", "inferred", "extracted", "predicted"]
#: What may look wrong; see ``checks``.
FindingKind = Literal[
    "contradiction",
    "merged",
    "implausible",
    "duplicate relation",
    "split",
    "leakage",
    "unlabelled",
    "isolated",
    "violation",
    "misread",
]
Severity = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Ref:
    """A relation, a type or a property by CURIE (or IRI), IRI and label."""

    id: str
    iri: str
    label: str


@dataclass(frozen=True)
class EntityRef(Ref):
    """An entity by CURIE (or IRI), IRI, label and the labels of its types."""

    types: tuple[str, ...]


@dataclass(frozen=True)
class Merge:
    """A name that an entity had beside its own, until they were merged.

    Attributes:
        id: CURIE (or IRI) of the name that is gone.
        same_as: of that which the merge says it is.
        method: ``identified``: sources say so; ``compared``: by what they say of both.
        reasons: what speaks for it, and against it.
        origin: of the statement that says so.
    """

    id: str
    iri: str
    same_as: str
    probability: float
    method: str
    reasons: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True)
class Rule:
    """A Horn rule that was mined from the graph.

    Attributes:
        text: ``(X, lives in, Y) ← (X, works at, A), (A, located in, Y)``.
        confidence: share of the pairs its body joins that are facts, by Laplace's rule; ``low`` and
            ``high`` are the ends of its interval of 95 %.
        support, pairs: how many of how many.
        head_coverage: share of the facts of its head that it gives.
        sampled: share of the body's first entities that were looked at to count; 1: all.
    """

    text: str
    confidence: float
    low: float
    high: float
    support: int
    pairs: int
    head_coverage: float
    sampled: float


@dataclass(frozen=True)
class Reason:
    """A rule that gives a fact, and the best walks over stated facts in which it does.

    Attributes:
        paths: of a closed rule from head to tail; of one with constants the fact it speaks of.
        count: how many there are, as far as was looked.
    """

    rule: Rule
    paths: tuple[Path, ...]
    count: int


@dataclass(frozen=True)
class Faithfulness:
    """How far a model's score of a fact rests on the facts that support it.

    Attributes:
        fall: by how much the score falls where those are not read: of the natural logarithm of the
            fact's share among all answers, the mean over both ends.
        others: the mean fall where other facts are not read: as many, of the same relations, each
            between entities of like degrees.
        draws: how often others were drawn.
        facts: how many facts were not read.
    """

    fall: float
    others: float
    draws: int
    facts: int


@dataclass(frozen=True)
class Qualifier:
    """What a statement of a fact says about itself: a rating, a year, a publication.

    Attributes:
        key: CURIE (or IRI).
        value: a number where its datatype is one of numbers; of a thing its CURIE (or IRI).
        datatype: its IRI; null where the value is a thing.
        origin: of the statement.
    """

    key: str
    label: str
    value: str | int | float
    datatype: str | None
    language: str | None
    origin: Origin


@dataclass(frozen=True)
class Step:
    """One fact of a path.

    Attributes:
        forward: walked from its head (``source``) to its tail.
        origins: where it is stated.
        qualifiers: what those statements say about themselves.
    """

    source: EntityRef
    relation: Ref
    forward: bool
    target: EntityRef
    origins: tuple[Origin, ...]
    qualifiers: tuple[Qualifier, ...]


@dataclass(frozen=True)
class Path:
    """A path of stated facts, in one line and step by step.

    Attributes:
        score: as in ``graph.paths``.
        metapath: its relations without the entities.
    """

    text: str
    steps: tuple[Step, ...]
    score: float
    metapath: str
    length: int


@dataclass(frozen=True)
class Fact:
    """A fact, stated, inferred, extracted from a text, or predicted.

    Attributes:
        direction: as read from the entity asked about; null where two were.
        probability: chance that a predicted fact is true, as an answer to the question of the
            entity asked about, and of the head where two were; it counts the chance that there is
            one more answer at all (``chance_of_another``). The question of the other end may give
            it another chance: ``explain`` shows both. Null unless predicted.
        probability_if_any: chance that it is true given that there is one more answer: that an
            answer ranked here with this score was a held-out true fact (closed world), calibrated
            per relation; null unless predicted.
        abstain: ``probability_if_any`` is below the model's threshold; do not rely on it.
        rank: 1-based place in the list; null where the list is not ranked.
        score: what the model says before calibration; comparable within one relation and list
            only. Null where the model does not know a stated fact or was not asked about it.
        surprising: bits that the model adds over popularity; see ``ModelView.surprise``. Null
            unless predicted.
        support: up to three paths of stated facts between head and tail.
        support_note: what to know about the support, such as "no support found", or "the reverse
            is stated" where only the direction of a stated fact is new; of an inferred fact, the
            facts it follows from.
        rule: the surest mined rule that gives a predicted fact, with the facts in which it does.
        graph_chance: what the surest five rules say of it, as ``explain`` does; null where none
            gives it.
        origins: where a stated fact is stated, and an extracted one read.
        qualifiers: what those statements say about themselves.
    """

    head: EntityRef
    relation: Ref
    tail: EntityRef
    direction: Direction | None
    status: Status
    probability: float | None
    probability_if_any: float | None
    abstain: bool
    rank: int | None
    score: float | None
    surprising: float | None
    support: tuple[Path, ...]
    support_note: str | None
    rule: Reason | None
    graph_chance: float | None
    origins: tuple[Origin, ...]
    qualifiers: tuple[Qualifier, ...]


@dataclass(frozen=True)
class Reliability:
    """How far the predictions of an answer can be relied on; all null where no model answers.

    Attributes:
        model: what predicts: ``student``, ``foundation, not trained on this graph``, or
            ``foundation, pre-trained on facts of this graph``.
        abstain_below: ``probability_if_any`` under which a prediction is a guess.
        base_rate: share of true ones among the answers that probabilities were fitted on; null
            where there were too few to fit anything.
        calibration_error: mean gap between probability and truth on held-out facts; null where
            the model was not evaluated.
        guesses: how many of the listed facts are guesses.
        truncated: whether something was cut, as by the deadline.
        reason: what was cut; where nothing was and nothing is listed, why not.
    """

    model: str | None
    abstain_below: float | None
    base_rate: float | None
    calibration_error: float | None
    guesses: int | None
    truncated: bool
    reason: str | None


@dataclass(frozen=True)
class DegreeCount:
    """How many under one relation, read in one direction."""

    relation: Ref
    direction: Direction
    count: int


@dataclass(frozen=True)
class LoadRef:
    """A load and the source it was read from."""

    load: str
    source: str


@dataclass(frozen=True)
class ClassCount:
    """A type and how many entities have it; ``type`` is null for entities without one."""

    type: Ref | None
    entities: int


@dataclass(frozen=True)
class ChangedAnswer:
    """A predicted fact that is judged otherwise than before.

    Attributes:
        change: ``confirmed``: it was predicted and is stated now; ``withdrawn``: the other way
            round; ``appeared``, ``vanished``: its chance passed the least that is listed; ``rose``,
            ``fell``.
        before, after: its chance; null where the graph stated it, or nothing was predicted.
        because: facts at its ends that came (+) or went (-).
    """

    head: EntityRef
    relation: Ref
    tail: EntityRef
    change: Literal["confirmed", "withdrawn", "appeared", "vanished", "rose", "fell"]
    before: float | None
    after: float | None
    because: tuple[str, ...]
