"""What the foundation member is taught with: facts that are seen, questions about others, and the
loss of its answers.

Knows the network; knows no data set and no step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sightline.models.data.queries import KnownAnswers
from sightline.models.data.questions import tensors
from sightline.models.foundation.network import Foundation
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.graph import PathGraph

#: Answers of a question that are learnt from.
ANSWERS = 16
NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Task:
    """What is seen, and questions with the answers that are not.

    Attributes:
        asked: each question once, both directions, in random order.
        known: all true answers.
    """

    name: str
    seen: RelationGraph
    asked: KnownAnswers
    known: KnownAnswers


def loss_of(
    model: Foundation, seen: PathGraph, task: Task, questions: Any, rng: np.random.Generator
) -> tuple[Tensor, int]:
    """The mean cross entropy of some answers to some questions of a task, each against all that are
    no known answer; and how many answers.

    Args:
        seen: what the task shows, on a device.
        questions: positions in ``task.asked``.
    """
    asked: KnownAnswers = task.asked
    heads, rels = asked.head[questions], asked.rel[questions]
    scores = model(seen, heads, rels)
    row, answer = asked.at(questions)
    order = np.lexsort((rng.random(len(row)), row))
    turn = np.arange(len(row)) - np.searchsorted(row, row)
    # Of a question with very many answers some are enough; its rows are in order already.
    row, answer = row[order][turn < ANSWERS], answer[order][turn < ANSWERS]
    known = tuple(tensors(seen.device, *task.known.of(heads, rels)))
    rest = torch.logsumexp(scores.index_put(known, scores.new_tensor(NEVER)), dim=1)
    at = tuple(tensors(seen.device, row, answer))
    own = scores[at]
    return (torch.logaddexp(rest[at[0]], own) - own).mean(), len(row)
