"""What the model expects of a link beside what the graph states.

A link is asked of one of its ends for all of them, the one of which fewer entities come into
question: ``(head, relation, ?)`` or ``(?, relation, tail)``. Knows the model and the graph; knows
no other condition.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Flags
from sightline.graph.progress import stop_if_cancelled
from sightline.insights.logic.pairs import Pairs, linked
from sightline.insights.model_view import ModelView


@dataclass(frozen=True, slots=True)
class Likely:
    """What the graph states of a link, and what the model adds.

    Attributes:
        forward: the heads were asked about their tails.
        asked, wanted: about how many entities the model was asked, and about how many it would
            have been without a deadline.
    """

    pairs: Pairs
    forward: bool
    asked: int
    wanted: int


def likely(
    view: ModelView,
    relation: int,
    head: Flags,
    tail: Flags,
    least: float,
    end: float,
) -> Likely:
    """The pairs that a relation joins or that the model expects it to, within two sets.

    Args:
        head, tail: bool ``(N,)``; of those the model is asked about what types allow.
        least: chance of a predicted fact.
        end: of the time, as ``time.perf_counter`` has it.

    Raises:
        UnknownToModel: the relation.
    """
    facts = view.facts
    view.require_rel(relation)
    inverse = facts.inverse(relation)
    stated = linked(facts, relation, head, tail)
    heads, tails = head & facts.fitting(inverse), tail & facts.fitting(relation)
    forward = bool(heads.sum() <= tails.sum())
    anchors, among, rel = (heads, tails, relation) if forward else (tails, heads, inverse)
    wanted = np.flatnonzero(anchors).tolist()
    parts: list[Pairs] = []
    asked = 0
    for anchor in wanted:
        if time.perf_counter() > end:
            break
        stop_if_cancelled()
        asked += 1
        if not view.answers_about(anchor):
            continue
        answers = view.answers_above(anchor, rel, least, among)
        own = np.full(len(answers.entity), anchor, np.int32)
        parts.append(Pairs(own, answers.entity, answers.chance))
    if not forward:
        parts = [part.turned() for part in parts]
    every = [Pairs(stated.left, stated.right, np.ones(len(stated), np.float32)), *parts]
    joined = Pairs(
        np.concatenate([part.left for part in every]).astype(np.int32),
        np.concatenate([part.right for part in every]).astype(np.int32),
        np.concatenate([part.chance for part in every if part.chance is not None]),
    )
    return Likely(joined, forward, asked, len(wanted))
