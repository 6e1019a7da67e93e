"""The student while it learns: the network of ``student.py`` in torch. Knows tensors only.

    query = entity * slot (ComplEx product) + MLP([entity, slot])
    score(tail) = query . entity(tail)

Everything stored per entity is its row of ``WIDTH`` numbers; there is no bias beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sightline.distill.student import WIDTH, Floats, StudentArrays
from sightline.models.presets import StudentConfig


class StudentNetwork(nn.Module):
    """Scores every tail of a question without a graph."""

    def __init__(self, num_entities: int, num_relations: int, config: StudentConfig) -> None:
        super().__init__()
        slots = 2 * num_relations
        self.entity = nn.Parameter(0.05 * torch.randn(num_entities, WIDTH))
        self.slot = nn.Parameter(0.05 * torch.randn(slots, WIDTH + config.context))
        self.hidden = nn.Linear(2 * WIDTH + config.context, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, WIDTH)
        # The MLP starts silent, so that learning begins as plain ComplEx.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def query(self, head: Tensor, slot: Tensor) -> Tensor:
        """float32 ``(B, WIDTH)`` for int64 ``(B,)`` rows and slots."""
        x, s = self.entity[head], self.slot[slot]
        real, imaginary = x.chunk(2, dim=1)
        a, b = s[:, :WIDTH].chunk(2, dim=1)
        product = torch.cat([real * a - imaginary * b, real * b + imaginary * a], dim=1)
        hidden = nn.functional.silu(self.hidden(torch.cat([x, s], dim=1)))
        mixed: Tensor = product + self.out(self.dropout(hidden))
        return mixed

    def scores(self, head: Tensor, slot: Tensor) -> Tensor:
        """Scores of all tails: float32 ``(B, N)``."""
        return self.query(head, slot) @ self.entity.T

    def arrays(self) -> StudentArrays:
        """What ships, as NumPy arrays."""

        def array(tensor: Tensor) -> Floats:
            values: Floats = tensor.detach().cpu().contiguous().numpy()
            return values

        return StudentArrays(
            entity=array(self.entity),
            slot=array(self.slot),
            hidden_weight=array(self.hidden.weight.T),
            hidden_bias=array(self.hidden.bias),
            out_weight=array(self.out.weight.T),
            out_bias=array(self.out.bias),
        )
