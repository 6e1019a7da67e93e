"""The member of the teacher that learns no entity: the foundation member, fine-tuned on one graph.

Knows tensors of rows and directed relations; knows no file, no loss and no rank.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sightline.models.data.messages import Messages
from sightline.models.foundation.network import Foundation
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.backends import path_graph
from sightline.models.members.path.graph import PathGraph


class PathMember(Foundation):
    """Scores every tail by the paths to it.

    Args:
        limit: rows a question may have; the nearest count.
    """

    def __init__(self, num_relations: int, *, limit: int) -> None:
        super().__init__()
        self.num_relations, self.limit = num_relations, limit

    def encode(self, messages: Messages) -> PathGraph:
        """What ``scores`` reads: nothing is computed before a question is asked."""
        (head, tail), rel = messages.ends.cpu().numpy(), messages.rel.cpu().numpy()
        triples = np.stack([head, rel, tail], axis=1)[rel < self.num_relations].astype(np.int32)
        relations = RelationGraph.of(triples, messages.num_entities, self.num_relations)
        return path_graph(relations, messages.rel.device)

    def scores(self, graph: PathGraph, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, a few questions at a time."""
        found = head.new_zeros((len(head), graph.num_entities), dtype=torch.float32)
        # Questions of one directed relation share its weights.
        order = torch.argsort(rel, stable=True)
        for start in range(0, len(order), graph.group):
            some = order[start : start + graph.group]
            asked = (each[some].cpu().numpy() for each in (head, rel))
            found[some] = self(graph, *asked)
        return found
