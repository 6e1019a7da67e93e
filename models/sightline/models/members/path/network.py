"""The member of the teacher that learns no entity: the foundation member, fine-tuned on one graph.

Knows tensors of rows and directed relations; knows no file, no loss and no rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sightline.models.data.messages import Messages
from sightline.models.foundation.network import Foundation
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.backends import asked_of
from sightline.models.members.path.graph import PathGraph

if TYPE_CHECKING:
    from sightline.models.foundation.arrays import FoundationArrays


class PathMember(Foundation):
    """Scores every tail by the paths to it.

    Args:
        limit: rows a question may have; the nearest count.
    """

    def __init__(self, num_relations: int, *, limit: int) -> None:
        super().__init__()
        self.num_relations, self.limit = num_relations, limit

    def encode(self, messages: Messages) -> FoundationArrays | PathGraph:
        """What ``scores`` reads, with the weights as they are now: nothing is computed before a
        question is asked."""
        (head, tail), rel = messages.ends.cpu().numpy(), messages.rel.cpu().numpy()
        triples = np.stack([head, rel, tail], axis=1)[rel < self.num_relations].astype(np.int32)
        relations = RelationGraph.of(triples, messages.num_entities, self.num_relations)
        return asked_of(self.state_dict(), relations, messages.rel.device, self.limit)

    def scores(self, read: FoundationArrays | PathGraph, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``; nothing is learnt by them."""
        if not isinstance(read, PathGraph):
            asked = head.numpy(), rel.numpy()
            return torch.from_numpy(read.scores(*asked, threads=torch.get_num_threads()))
        found = head.new_zeros((len(head), read.num_entities), dtype=torch.float32)
        # Questions of one directed relation share its weights.
        order = torch.argsort(rel, stable=True)
        for start in range(0, len(order), read.group):
            some = order[start : start + read.group]
            asked = head[some].cpu().numpy(), rel[some].cpu().numpy()
            found[some] = self(read, *asked)
        return found
