"""What the teacher answers to each training question: the only thing the student sees of it.

The teacher is asked in groups with the group's own edges taken out of its graph, as in its own
training; with them its answers would be copies of what the student already has.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sightline.graph.progress import Progress
from sightline.models.presets import StudentConfig, batch_for
from sightline.models.teacher import Teacher
from sightline.models.trainer import Questions


@dataclass(frozen=True, slots=True)
class SoftTargets:
    """The teacher's scores per training question, on the CPU.

    Attributes:
        score: float32 ``(Q, k)``; k is all entities, in row order, where ``entity`` is None.
        entity: int64 ``(Q, k)``: whose scores these are, the k best; None on a small graph.
        vectors: float32 ``(N, D)``: the members' entity vectors beside each other.
        rest: float32 ``(Q, T)``: per temperature the log of the sum of exp(score / T) over all
            other entities; empty where there are none.
    """

    score: Tensor
    entity: Tensor | None
    rest: Tensor
    vectors: Tensor


def soft_targets(
    teacher: Teacher, questions: Questions, config: StudentConfig, progress: Progress
) -> SoftTargets:
    """Ask the teacher every training question once."""
    teacher.eval()
    num_entities = questions.known.num_entities
    dense = num_entities <= config.dense
    scores, entities, rests = [], [], []
    groups = torch.split(torch.arange(len(questions)), batch_for(len(questions)))
    for done, positions in enumerate(groups):
        progress("teach", done, len(groups), "asking the teacher")
        batch = questions.batch(positions)
        with torch.no_grad():
            x = teacher.encode(questions.messages_without(positions))
            row = teacher.scores(x, batch.head, batch.slot)
        if dense:
            scores.append(row.cpu())
            continue
        best, ids = row.topk(config.top, dim=1)
        row.scatter_(1, ids, float("-inf"))
        rest = [torch.logsumexp(row / t, dim=1) for t in config.temperatures]
        scores.append(best.cpu())
        entities.append(ids.cpu())
        rests.append(torch.stack(rest, dim=1).cpu())
    progress("teach", len(groups), len(groups), "asking the teacher")
    empty = torch.zeros((len(questions), 0))
    with torch.no_grad():
        # Each member counts alike, whatever the size of its numbers.
        parts = [x / x.std() for x in teacher.encode(questions.messages)]
        vectors = torch.cat(parts, dim=1)
    return SoftTargets(
        score=torch.cat(scores),
        entity=None if dense else torch.cat(entities),
        rest=empty if dense else torch.cat(rests),
        vectors=vectors.cpu(),
    )
