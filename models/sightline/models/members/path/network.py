"""A member of the teacher that learns no entity: it reads the paths from a question's head.

Bellman-Ford in vectors (NBFNet, Zhu et al. 2021, arXiv:2106.06935): the question's vector starts at
its head; in every step a row hears its neighbours, each message multiplied by a weight that depends
on the edge's directed relation and on the question, and several summaries of what it heard (PNA,
Corso et al. 2020, arXiv:2004.05718) change it. Only rows that the question has reached take part
(AdaProp, Zhang et al. 2023, arXiv:2205.15319), so a step costs what the neighbourhood holds and not
the graph.

Knows tensors of rows and directed relations; knows no file, no loss and no rank.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sightline.models.data.messages import Messages
from sightline.models.members.path.backends import path_graph
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.rows import LARGEST, SMALLEST, SQUARES, SUM, WIDTH, MaskedQuery

#: Standard deviation of what draws directed relations apart at the start.
DEVIATION = 0.1


class PathLayer(nn.Module):
    """One step: every row hears its neighbours and changes."""

    def __init__(self, rels: int) -> None:
        super().__init__()
        self.rel_weight = nn.Parameter(1.0 + DEVIATION * torch.randn(rels, WIDTH))
        self.of_question = nn.Linear(WIDTH, rels * WIDTH)
        nn.init.normal_(self.of_question.weight, std=DEVIATION / 2)
        nn.init.zeros_(self.of_question.bias)
        self.change = nn.Linear(9 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, question: Tensor, near: Neighbourhood, step: int) -> Tensor:
        """The rows after one step more.

        Args:
            x: float32 ``(before, WIDTH)``; question: float32 ``(B, WIDTH)``.

        Returns:
            float32 ``(after, WIDTH)``.
        """
        weight = self.rel_weight + self.of_question(question).view(len(question), -1, WIDTH)
        heard, count = near.graph.backend.gather(x, weight, near, step)
        start = near.start[step]
        question_of, _, within = near.rows(step - 1)
        x = x.new_zeros(len(heard), WIDTH).index_copy(0, start[question_of] + within, x)
        # What is counted is what was heard: an entity's degree would tell where an edge is hidden.
        few, many = 1 / (count + 1), torch.log1p(count) / near.graph.log_degree
        # The head hears its question in every step, as from itself.
        at_head = start[:-1]
        mean = heard[:, SUM].index_add(0, at_head, question) * few[:, None]
        square = heard[:, SQUARES].index_add(0, at_head, question.square()) * few[:, None]
        spread = (square - mean.square()).clamp(min=1e-6).sqrt()
        told = torch.cat([mean, spread, heard[:, LARGEST], heard[:, SMALLEST]], dim=1)
        change = self.change(torch.cat([x, told, told * many[:, None]], dim=1))
        return x + torch.relu(self.norm(change))


class PathMember(nn.Module):
    """Scores every tail by the paths to it; entities it does not reach score alike.

    Args:
        steps: edges of the longest path.
        limit: rows a question may have; the nearest count.
    """

    def __init__(self, num_relations: int, *, steps: int, limit: int) -> None:
        super().__init__()
        rels = 2 * num_relations
        self.question = nn.Embedding(rels, WIDTH)
        self.layers = nn.ModuleList(PathLayer(rels) for _ in range(steps))
        self.read = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.score = nn.Linear(2 * WIDTH, 1)
        self.limit = limit

    def encode(self, messages: Messages) -> PathGraph:
        """What ``scores`` reads: nothing is computed before a question is asked."""
        return path_graph(messages)

    def scores(self, graph: PathGraph, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, a few questions at a time."""
        parts = [head.new_zeros((0, graph.num_entities), dtype=torch.float32)]
        for start in range(0, len(head), graph.group):
            some, rels = (each[start : start + graph.group] for each in (head, rel))
            parts.append(self.ask(graph, MaskedQuery.of(some.cpu().numpy()), rels))
        return torch.cat(parts)

    def ask(self, graph: PathGraph, masked: MaskedQuery, rel: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, for questions with something to hide."""
        question = self.question(rel)
        near = Neighbourhood.around(graph, masked, len(self.layers), self.limit)
        x = question
        for step, layer in enumerate(self.layers, start=1):
            x = layer(x, question, near, step)
        row, entity, _ = near.rows(len(self.layers))
        # One product for each question's half of the input instead of one for each row's.
        of_row, of_question = torch.split(self.read.weight, WIDTH, dim=1)
        base = question @ of_question.T + self.read.bias
        scores = self.score(torch.relu(x @ of_row.T + base[row])).squeeze(1)
        unreached = self.score(torch.relu(base))
        found: Tensor = unreached.expand(-1, graph.num_entities).index_put((row, entity), scores)
        return found
