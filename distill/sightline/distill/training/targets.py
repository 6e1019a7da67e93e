"""What the teacher answers to each training question: the only thing the student sees of it.

The teacher is asked for an answer with that answer's own edges taken out of its graph, as in its
own training; with them its answers would be copies of what the student already has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sightline.graph.progress import Progress
from sightline.models.data.questions import Parts, Questions
from sightline.models.teacher import Encoded, Teacher
from sightline.models.training.presets import StudentConfig, batch_for


@dataclass(frozen=True, slots=True)
class SoftTargets:
    """The teacher's scores per training question, on the CPU.

    Attributes:
        score: float32 ``(Q, k)``; k is all entities, in row order, where ``entity`` is None.
        entity: int64 ``(Q, k)``: whose scores these are, the k best; None on a small graph.
        vectors: float32 ``(N, D)``: the members' entity vectors beside each other; D may be 0.
        rest: float32 ``(Q, T)``: per temperature the log of the sum of exp(score / T) over all
            other entities; empty where there are none.
    """

    score: Tensor
    entity: Tensor | None
    rest: Tensor
    vectors: Tensor


#: Parts that the training facts are divided into; questions that are asked at once.
PARTS, AT_ONCE = 4, 128

#: Of some questions: score, entity (without a column on a small graph) and rest, as above.
Answers = tuple[Tensor, Tensor, Tensor]


def soft_targets(
    teacher: Teacher,
    questions: Questions,
    config: StudentConfig,
    progress: Progress,
    shares: Sequence[float] = (),
) -> SoftTargets:
    """Ask the teacher every training question, with a part of its answers hidden each time.

    Args:
        shares: of the questions that each member is asked, at random; all by default.
    """
    groups = question_groups(questions)
    drawn = np.random.default_rng(0).permutation(len(groups)) / max(1, len(groups))
    weights = [teacher.weight_of([place < share for share in shares]) for place in drawn]
    found: list[Answers] = []
    for answers in ask(teacher, questions, config, zip(groups, weights)):
        progress("teach", len(found), len(groups), "asking the teacher")
        found.append(answers)
    progress("teach", len(groups), len(groups), "asking the teacher")
    return joined(found, teacher, questions)


def question_groups(questions: Questions) -> Sequence[Tensor]:
    """The positions of all training questions, int64, in groups that are asked at once."""
    return torch.split(torch.arange(len(questions)), min(AT_ONCE, batch_for(len(questions))))


@torch.no_grad()
def ask(
    teacher: Teacher,
    questions: Questions,
    config: StudentConfig,
    groups: Iterable[tuple[Tensor, Tensor]],
) -> Iterator[Answers]:
    """What ``soft_targets`` keeps of each group of questions, on the CPU.

    Args:
        groups: positions, and the weights of the members; see ``Teacher.weight_of``.
    """
    teacher.eval()
    dense = questions.known.num_entities <= config.dense
    parts = questions.parts(PARTS)
    encoded = [teacher.encode(rest) for rest in parts.rest]
    for positions, weight in groups:
        row = _answers(teacher, encoded, parts, questions, positions, weight)
        if dense:
            none = torch.zeros((len(row), 0))
            yield row.cpu(), none.long(), none
            continue
        best, ids = row.topk(config.top, dim=1)
        row.scatter_(1, ids, float("-inf"))
        rest = [torch.logsumexp(row / t, dim=1) for t in config.temperatures]
        yield best.cpu(), ids.cpu(), torch.stack(rest, dim=1).cpu()


@torch.no_grad()
def joined(found: Sequence[Answers], teacher: Teacher, questions: Questions) -> SoftTargets:
    """The targets of all groups, in their order."""
    # Each member counts alike, whatever the size of its numbers; one that reads paths has none.
    learnt = [x for x in teacher.encode(questions.messages) if isinstance(x, Tensor)]
    none = torch.zeros(questions.known.num_entities, 0)
    vectors = torch.cat([none.to(questions.device), *(x / x.std() for x in learnt)], dim=1)
    score, entity, rest = (torch.cat(column) for column in zip(*found))
    return SoftTargets(score, entity if entity.shape[1] else None, rest, vectors.cpu())


def _answers(
    teacher: Teacher,
    encoded: list[Encoded],
    parts: Parts,
    questions: Questions,
    positions: Tensor,
    weights: Tensor,
) -> Tensor:
    """Scores of some questions, float32 ``(B, N)``.

    A question is asked once per part that has an answer of it. An answer's score is the one given
    where it was hidden; that of any other entity is the mean, so that the teacher knows what else
    is an answer, as it does when it is asked for an answer that no graph states.
    """
    batch = questions.batch(positions)
    part = torch.from_numpy(parts.of_answer[questions.known.entries(positions.numpy())])
    part = part.to(batch.head.device)
    size = len(batch.head), questions.known.num_entities
    total, times = batch.head.new_zeros(size, dtype=torch.float32), batch.head.new_zeros(size[0])
    hidden = batch.head.new_zeros(len(batch.answer), dtype=torch.float32)
    for number, x in enumerate(encoded):
        own = part == number
        asked = torch.unique(batch.row[own])
        row = teacher.scores(x, batch.head[asked], batch.rel[asked], weights)
        total.index_add_(0, asked, row)
        times.index_add_(0, asked, torch.ones_like(asked))
        hidden[own] = row[torch.searchsorted(asked, batch.row[own]), batch.answer[own]]
    total /= times[:, None]
    total[batch.row, batch.answer] = hidden
    return total
