"""The student's numbers and the formula that they stand for, in NumPy.

Knows entities and directed relations by number; knows no name and no file but its own.
Per entity it stores ``WIDTH`` numbers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from sightline.graph.arrays import Floats, Ids

#: Numbers stored per entity, all told.
WIDTH = 64
#: A question reads an entity's numbers, and their products with the numbers so many places before.
SHIFTS = (0, 1, 2)
#: Times this, so that products of small numbers weigh as much as the numbers.
GAIN = 10.0
#: Numbers of a question that reads products, too.
READ = WIDTH * (1 + len(SHIFTS))
#: Entities whose products are held at once.
BLOCK = 4096
#: Groups that ``best`` looks at first.
GROUPS = 64
#: Added to the variance in the layer normalisation.
NORM_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class StudentArrays:
    """All numbers of a student, float32.

    Attributes:
        entity: ``(N, WIDTH)``, whole multiples of a row's 127th part of its largest number; read as
            WIDTH / 2 complex numbers by the product.
        rel: ``(2 R, WIDTH + C)``: the product's part, then the context.
        hidden_weight, hidden_bias: ``(WIDTH, H)`` and ``(H,)``, applied to the entity.
        gate_weight, gate_bias: ``(WIDTH + C, H)`` and ``(H,)``: how the directed relation scales
            that.
        shift_weight: ``(WIDTH + C, H)``: how the directed relation shifts it.
        norm_weight, norm_bias: ``(H,)`` each, of the layer normalisation.
        out_weight, out_bias: ``(H, Q)`` and ``(Q,)``: Q is ``READ``, or ``WIDTH`` where questions
            read no products.
    """

    entity: Floats
    rel: Floats
    hidden_weight: Floats
    hidden_bias: Floats
    gate_weight: Floats
    gate_bias: Floats
    shift_weight: Floats
    norm_weight: Floats
    norm_bias: Floats
    out_weight: Floats
    out_bias: Floats

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` file per array."""
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def open(cls, folder: Path) -> StudentArrays:
        """Map the arrays, as plain ones: every slice of a memmap costs microseconds."""
        files = (np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in fields(cls))
        return cls(*(file.view(np.ndarray) for file in files))

    def scores(self, heads: Ids, rels: Ids) -> Floats:
        """Scores of all tails of each question, higher is more plausible: float32 ``(B, N)``."""
        return self.scores_of(self.entity[heads], rels)

    def scores_of(self, vectors: Floats, rels: Ids) -> Floats:
        """The same for vectors float32 ``(B, WIDTH)``, of entities that need have no row."""
        queries = self.queries_of(vectors, rels)
        found = np.empty((len(queries), len(self.entity)), np.float32)
        for start in range(0, len(self.entity), BLOCK):
            part = slice(start, start + BLOCK)
            read = quadratic_features(self.entity[part], queries.shape[1])
            np.matmul(queries, read.T, out=found[:, part])
        return found

    def queries_of(self, x: Floats, rels: Ids) -> Floats:
        """What each question multiplies a tail's features with: float32 ``(B, Q)``."""
        half, s = WIDTH // 2, self.rel[rels]
        gate, shift = self.gates(s)
        real, imaginary, a, b = x[:, :half], x[:, half:], s[:, :half], s[:, half:WIDTH]
        hidden = (x @ self.hidden_weight + self.hidden_bias) * gate + shift
        hidden -= hidden.mean(axis=1, keepdims=True)
        hidden /= np.sqrt(np.square(hidden).mean(axis=1, keepdims=True) + NORM_EPSILON)
        hidden = hidden * self.norm_weight + self.norm_bias
        # silu(v) = v / (1 + exp(-v)), in the form that cannot overflow.
        hidden = hidden * (0.5 * (1.0 + np.tanh(0.5 * hidden)))
        query: Floats = hidden @ self.out_weight + self.out_bias
        query[:, :half] += real * a - imaginary * b
        query[:, half:WIDTH] += real * b + imaginary * a
        return query

    def gates(self, s: Floats) -> tuple[Floats, Floats]:
        """How directed relations, rows of ``rel``, scale and shift what the network reads: float32
        ``(B, H)`` each."""
        return 1.0 + s @ self.gate_weight + self.gate_bias, s @ self.shift_weight


def quadratic_features(entity: Floats, size: int) -> Floats:
    """What questions of Q numbers compare with: float32 ``(N, WIDTH)`` to ``(N, Q)``."""
    if size == WIDTH:
        return entity
    products = [GAIN * entity * np.roll(entity, shift, axis=1) for shift in SHIFTS]
    read: Floats = np.concatenate([entity, *products], axis=1)
    return read


def best(row: Floats, k: int) -> Ids:
    """Columns of the ``k`` highest numbers, best first, ties by column. O(n + k log k)."""
    if k <= 0:
        return np.zeros(0, np.int32)
    k = min(k, len(row))
    # The k-th highest of the groups' maxima is no higher than that of the row, and soon found.
    groups = len(row) // GROUPS
    maxima = row[: groups * GROUPS].reshape(GROUPS, groups).max(axis=0) if groups >= k else row
    floor = np.partition(maxima, len(maxima) - k)[len(maxima) - k]
    # Everything that ties with the k-th stays in, so that ties end by column and not by luck.
    candidates = np.flatnonzero(row >= floor)
    order = np.lexsort((candidates, -row[candidates]))[:k]
    return candidates[order].astype(np.int32)


def log_softmax(rows: Floats) -> Floats:
    """Log-probabilities per row, float32 ``(B, N)``; -inf stays."""
    shifted = rows - rows.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    out: Floats = logs.astype(np.float32)
    return out
