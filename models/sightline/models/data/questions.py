"""The training questions as tensors, and the graph without what would give their answers away.

Knows learning data and the device that learns; knows no member of the teacher and no loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sightline.models.data.dataset import LearningData
from sightline.models.data.messages import Messages
from sightline.models.data.queries import KnownAnswers, with_reciprocals

#: Where fewer of the pairs of ``select`` are linked in training, being linked is a sign of no other
#: link (FB15k-237 is made so), and an answer hides every edge between head and tail.
LINKED = 0.01


@dataclass(frozen=True, slots=True)
class Batch:
    """Some questions and all their answers.

    Attributes:
        head, rel: int64 ``(B,)``.
        row, answer: int64 ``(A,)``: which question, which entity.
        weight: float32 ``(A,)``: how much each answer counts; None where all count alike.
    """

    head: Tensor
    rel: Tensor
    row: Tensor
    answer: Tensor
    weight: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Training facts in parts, so that each answer can be asked for where it is not stated.

    Attributes:
        of_answer: int8 ``(A,)``: the part of every answer of the questions.
        rest: the graph without each part's facts.
    """

    of_answer: npt.NDArray[np.int8]
    rest: list[Messages]


def tensors(device: torch.device, *arrays: npt.NDArray[np.integer]) -> Iterator[Tensor]:
    """Arrays of whole numbers as int64 tensors on a device."""
    return (torch.from_numpy(array.astype(np.int64)).to(device) for array in arrays)


class Questions:
    """The training questions on a device.

    Attributes:
        data: where they come from.
        known: the questions with their training answers.
        messages: the whole training graph.
        hides_all: whether a hidden answer takes all edges between its entities with it.
    """

    def __init__(self, data: LearningData, device: torch.device) -> None:
        self.data, self.device = data, device
        self.known: KnownAnswers = data.questions
        edges = with_reciprocals(data.train, data.num_relations)
        head, rel, tail = edges.T
        turned = (rel + data.num_relations) % (2 * data.num_relations)
        ends, rels = tensors(device, np.stack([head, tail]), rel)
        self._head, self._rel, self._tail = head, rel, tail
        self.messages = Messages(ends, rels, data.num_entities)
        # Answers are in order of (head, directed relation, answer), which is unique in facts.
        self._order = np.lexsort((tail, rel, head))
        self._pair = np.minimum(head, tail) * np.int64(data.num_entities) + np.maximum(head, tail)
        self.hides_all = _hides_all(data, self._pair)
        self._asks = torch.from_numpy(self.known.find(head, rel))
        self._asks_back = torch.from_numpy(self.known.find(tail, turned))
        self._weight: Tensor | None = None
        if data.weight is not None:
            of_answer = np.concatenate([data.weight, data.weight])[self._order]
            self._weight = torch.from_numpy(of_answer).to(device)

    def __len__(self) -> int:
        return len(self.known)

    def batch(self, positions: Tensor) -> Batch:
        """Questions by position int64 ``(B,)``, with all their training answers."""
        where = positions.numpy()
        row, answer = self.known.at(where)
        asked = self.known.head[where], self.known.rel[where]
        weight = self._weight
        if weight is not None:
            weight = weight[torch.from_numpy(self.known.entries(where)).to(self.device)]
        head, rel, rows, answers = tensors(self.device, *asked, row, answer)
        return Batch(head, rel, rows, answers, weight)

    def messages_without(self, positions: Tensor) -> Messages:
        """The graph without the edges that answer these questions, in either direction.

        With them, a layer would carry each answer to its question and training would learn to copy.
        """
        asked = torch.zeros(len(self), dtype=torch.bool)
        asked[positions] = True
        dropped = asked[self._asks] | asked[self._asks_back]
        return self.messages.without(dropped.to(self.device))

    def asked_of(self, facts: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """What some training facts answer, in both directions.

        Args:
            facts: int64 ``(F,)``, places in ``data.train``.

        Returns:
            Positions of questions and the answers, int64 ``(2 F,)`` each, on the CPU; and how
            much each counts, on the device, None where all count alike.
        """
        both = torch.cat([facts, facts + len(self.data.train)])
        answers = torch.from_numpy(self._tail[both.numpy()].astype(np.int64))
        weight = None
        if self.data.weight is not None:
            weight = torch.from_numpy(self.data.weight)[facts].repeat(2).to(self.device)
        return self._asks[both], answers, weight

    def messages_without_facts(self, facts: Tensor) -> Messages:
        """The graph without some training facts, in either direction."""
        dropped = np.zeros(len(self._pair), np.bool_)
        dropped[facts.numpy()] = dropped[facts.numpy() + len(self.data.train)] = True
        return self._without(dropped)

    def _without(self, dropped: npt.NDArray[np.bool_]) -> Messages:
        if self.hides_all:
            dropped = np.isin(self._pair, self._pair[dropped])
        return self.messages.without(torch.from_numpy(dropped).to(self.device))

    def parts(self, count: int) -> Parts:
        """Divide the training facts at random into so many parts, the same for every caller."""
        facts = len(self._pair) // 2
        part = np.random.default_rng(count).integers(count, size=facts).astype(np.int8)
        of_message = np.concatenate([part, part])
        rest = [self._without(of_message == number) for number in range(count)]
        return Parts(of_message[self._order], rest)


def _hides_all(data: LearningData, linked: npt.NDArray[np.int64]) -> bool:
    if not len(data.select):
        return False
    low, high = np.sort(data.select[:, [0, 2]].astype(np.int64), axis=1).T
    return bool(np.isin(low * data.num_entities + high, linked).mean() < LINKED)
