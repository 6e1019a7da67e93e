"""The student while it learns: the network of ``student.py`` in torch. Knows tensors only.

    hidden = silu(norm(Hidden(entity) * gate(directed relation) + shift(directed relation)))
    query = [entity * directed relation (ComplEx product), 0, 0, 0] + Out(hidden)
    score(tail) = query . features(tail)

The directed relation gates what the network reads from the entity: without gate and normalisation
the same student ends two MRR points lower (docs/experiments.md). Everything stored per entity is
its ``WIDTH`` numbers; there is no bias beside them. A question reads these numbers and their
products with their neighbours: a plain product of ``WIDTH`` numbers cannot rank as finely as the
teacher does, and products are stored nowhere. On a large graph reading them would cost too much
time. Rows are learnt freely, or made of the edges (``encoder``); those are read without products.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from sightline.distill.student.arrays import GAIN, NORM_EPSILON, READ, SHIFTS, WIDTH, StudentArrays
from sightline.distill.student.quantise import quantise
from sightline.distill.training.encoder import HALF, Encoder
from sightline.models.training.presets import StudentConfig

#: Standard deviation of the entity and directed relation vectors that training starts from.
START = 0.1
#: How much the product is made of likeness and of nearness at the start, where rows are encoded.
LIKE, NEAR = 1.0, 8.0
#: The unit in which these are learnt: a step of Adam is as large for small numbers as for large.
UNIT = 10.0


class StudentNetwork(nn.Module):
    """Scores every tail of a question without a graph.

    Args:
        encoded: ``entity`` holds the rows that ``encoder`` made of some edges.
    """

    entity: Tensor

    def __init__(
        self, num_entities: int, num_relations: int, config: StudentConfig, encoded: bool = False
    ) -> None:
        super().__init__()
        rels, width = 2 * num_relations, WIDTH + config.context
        rows, rel = torch.randn(num_entities, WIDTH), START * torch.randn(rels, width)
        if encoded:
            self.encoder = Encoder(num_entities, rels)
            self.register_buffer("entity", rows)
            rel[:, :WIDTH] *= LIKE / START / UNIT
            rel[:, : HALF // 2] += NEAR / UNIT
        else:
            self.entity = nn.Parameter(START * rows)
        self.unit = UNIT if encoded else 1.0
        self.rel = nn.Parameter(rel)
        self.hidden = nn.Linear(WIDTH, config.hidden)
        self.gate = nn.Linear(width, config.hidden)
        self.shift = nn.Linear(width, config.hidden, bias=False)
        self.norm = nn.LayerNorm(config.hidden, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)
        self.products = not encoded and num_entities <= config.products
        self.out = nn.Linear(config.hidden, READ if self.products else WIDTH)
        # The MLP starts silent, so that learning begins as plain ComplEx.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def start_from(self, vectors: Tensor) -> None:
        """Begin with the teacher's entity vectors, float32 ``(N, D)``, cut to their first
        ``WIDTH`` principal axes (truncated SVD)."""
        if not vectors.shape[1]:
            return
        _, _, axes = torch.linalg.svd(vectors, full_matrices=False)
        cut = vectors @ axes[:WIDTH].T
        with torch.no_grad():
            # Vectors of fewer than WIDTH numbers leave the other columns to chance.
            self.entity[:, : cut.shape[1]] = START * cut / cut.std()

    def query(self, head: Tensor, rel: Tensor) -> Tensor:
        """float32 ``(B, Q)`` for int64 ``(B,)`` rows and directed relations."""
        x, s = self.entity[head], self.rel[rel]
        real, imaginary = x.chunk(2, dim=1)
        a, b = (self.unit * s[:, :WIDTH]).chunk(2, dim=1)
        product = torch.cat([real * a - imaginary * b, real * b + imaginary * a], dim=1)
        hidden = self.norm(self.hidden(x) * (1.0 + self.gate(s)) + self.shift(s))
        mixed: Tensor = self.out(self.dropout(nn.functional.silu(hidden)))
        return mixed + nn.functional.pad(product, (0, mixed.shape[1] - WIDTH))

    def features(self, entity: Tensor | None = None) -> Tensor:
        """What questions compare with, of rows int64 ``(C,)`` or of all: float32 ``(C, Q)``."""
        x = self.entity if entity is None else self.entity[entity]
        if not self.products:
            return x
        products = [GAIN * x * torch.roll(x, shift, 1) for shift in SHIFTS]
        return torch.cat([x, *products], dim=1)

    def scores(self, head: Tensor, rel: Tensor, entity: Tensor | None = None) -> Tensor:
        """Scores of some tails, int64 ``(C,)``, or of all: float32 ``(B, C)``."""
        return self.query(head, rel) @ self.features(entity).T

    def arrays(self) -> StudentArrays:
        """What ships, as NumPy arrays: entities rounded to int8 multiples of a number per row."""
        arrays = {}
        for name, value in self.state_dict().items():
            if name.startswith("encoder."):
                continue
            array = value.cpu().numpy()
            # torch multiplies with the transpose of a weight.
            array = array.T if name.endswith(".weight") else array
            arrays[name.replace(".", "_")] = np.ascontiguousarray(array)
        # What ships knows no unit: what is larger in the product is read by smaller weights.
        unit = np.ones(arrays["rel"].shape[1], np.float32)
        unit[:WIDTH] = self.unit
        arrays["rel"] = arrays["rel"] * unit
        for name in ("gate_weight", "shift_weight"):
            arrays[name] = arrays[name] / unit[:, None]
        numbers, scale = quantise(arrays["entity"])
        return StudentArrays(**{**arrays, "entity": numbers * scale})
