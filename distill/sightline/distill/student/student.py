"""The student that ships: arrays and a few lines of NumPy.

Knows model rows, scores and calibrated probabilities; knows no graph, no snapshot id and no torch.
Per entity it stores ``WIDTH`` numbers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.student.context import ContextEncoder
from sightline.graph.arrays import Floats, Ids
from sightline.graph.storage.artifact import open_artifact, verify_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.models.errors import NoModel
from sightline.models.format import MODEL_FORMAT

if TYPE_CHECKING:
    from sightline.distill.student.scan import ScanTable


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
#: No row is left out.
NOTHING = np.zeros(0, np.int32)
#: Questions up to which a pass each is faster than one matrix product.
FEW = 32
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
        """Map the arrays."""
        return cls(*(np.load(folder / f"{f.name}.npy", mmap_mode="r") for f in fields(cls)))

    def scores(self, heads: Ids, rels: Ids) -> Floats:
        """Scores of all tails of each question, higher is more plausible: float32 ``(B, N)``."""
        return self.compare(self.queries(heads, rels))

    def compare(self, queries: Floats) -> Floats:
        """The same for questions float32 ``(B, Q)``."""
        found = np.empty((len(queries), len(self.entity)), np.float32)
        for start in range(0, len(self.entity), BLOCK):
            part = slice(start, start + BLOCK)
            read = readings(self.entity[part], queries.shape[1])
            np.matmul(queries, read.T, out=found[:, part])
        return found

    def queries(self, heads: Ids, rels: Ids) -> Floats:
        """What each question compares with the ``readings`` of tails: float32 ``(B, Q)``."""
        return self.queries_of(self.entity[heads], rels)

    def queries_of(self, x: Floats, rels: Ids) -> Floats:
        """The same for vectors float32 ``(B, WIDTH)``, of entities that need have no row."""
        return self.ask(x, self.rel[rels], *self.gates(self.rel[rels]))

    def gates(self, s: Floats) -> tuple[Floats, Floats]:
        """How directed relations, rows of ``rel``, scale and shift what the network reads: float32
        ``(B, H)`` each."""
        return 1.0 + s @ self.gate_weight + self.gate_bias, s @ self.shift_weight

    def ask(self, x: Floats, s: Floats, gate: Floats, shift: Floats) -> Floats:
        """Questions from rows of entities, of directed relations, and of their gates."""
        half = WIDTH // 2
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


class Student:
    """An opened student.

    Attributes:
        entity_iris, relation_iris: the term of each row.
        vectors: float32 ``(N, WIDTH)``: one row per entity, for similarity.
        abstain_below: a probability under which an answer should be called a guess.
        calibration: from scores to probabilities.
        context: makes vectors for entities without a row; None where it was distilled without.
    """

    def __init__(
        self,
        arrays: StudentArrays,
        calibration: Calibration,
        entity_iris: StringTable,
        relation_iris: StringTable,
        context: ContextEncoder | None = None,
    ) -> None:
        self.arrays = arrays
        self.calibration = calibration
        self.entity_iris = entity_iris
        self.relation_iris = relation_iris
        self.context = context
        self.vectors = arrays.entity
        self.abstain_below = calibration.abstain_below

    @classmethod
    def open(cls, folder: Path) -> Student:
        """Map the student of a model folder (``models/ID``) after checking manifests and sizes.

        Raises:
            NoModel: the model was trained but not distilled, or is not there.
            DamagedArtifact, FormatMismatch
        """
        if not (folder / "student").is_dir():
            raise NoModel(folder.parent.parent)
        open_artifact(folder / "student", format=MODEL_FORMAT, again="sightline train")
        verify_artifact(folder, full=False)
        try:
            student = cls(
                StudentArrays.open(folder / "student"),
                Calibration.read(folder / "student"),
                StringTable.open(folder / "vocabulary", "entity_iris"),
                StringTable.open(folder / "vocabulary", "relation_iris"),
                ContextEncoder.open(folder / "student"),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedArtifact(folder, str(error)) from error
        student._check(folder)
        return student

    @property
    def num_entities(self) -> int:
        return len(self.entity_iris)

    @property
    def num_relations(self) -> int:
        return len(self.relation_iris)

    def scores(self, heads: Ids, rels: Ids) -> Floats:
        """Scores of all tails of each question, higher is more plausible: float32 ``(B, N)``."""
        return self.compare(self.arrays.queries(heads, rels))

    def compare(self, queries: Floats) -> Floats:
        """The same for questions float32 ``(B, Q)``."""
        # Without products one matrix product is as fast, and needs no second table in memory.
        plain = queries.shape[1] == WIDTH
        if plain or len(queries) > FEW or not self._scan_table.exact:
            return self.arrays.compare(queries)
        rows = [self._scan_table.scores(query) for query in queries]
        return np.array(rows, np.float32).reshape(len(rows), len(self.arrays.entity))

    def top_k(self, head: int, rel: int, k: int, exclude: Ids | None = None) -> tuple[Ids, Floats]:
        """The best tails of one question, best first, ties by row. Exact, and several times faster
        than ``scores``, which a probability needs.

        Args:
            exclude: rows that are no answer, such as those known already.

        Returns:
            ids int32 and scores float32, both ``(min(k, what is left),)``.
        """
        from sightline.distill.student.scan import ask_one

        entity, rels, gate, shift, *rest = self._fixed
        asked = (entity[head], rels[rel], gate[rel], shift[rel])
        query: Floats = ask_one(*asked, *rest, NORM_EPSILON)  # type: ignore[call-arg, arg-type]
        left_out = NOTHING if exclude is None else np.unique(exclude).astype(np.int32)
        return self._scan_table.top_k(query, k, left_out)

    @cached_property
    def _fixed(self) -> list[Floats]:
        from sightline.distill.student.scan import fixed

        # The gates of every directed relation: they are most of what asking one question would
        # compute.
        a = self.arrays
        arrays = (a.entity, a.rel, *a.gates(a.rel), a.hidden_weight, a.hidden_bias)
        return [
            fixed(one) for one in (*arrays, a.norm_weight, a.norm_bias, a.out_weight, a.out_bias)
        ]

    @cached_property
    def _scan_table(self) -> ScanTable:
        # Made when first asked for: opening a student costs the same whatever its size.
        from sightline.distill.student.scan import ScanTable

        return ScanTable.of(self.arrays.entity)

    def probabilities(self, rel: int, scores: Floats, ids: Ids) -> Floats:
        """Calibrated probability that each of some answers is a true fact the graph lacks.

        Args:
            scores: float32 ``(N,)``: the whole row of the question, as ``scores`` gives it or with
                answers that are known already at -inf (which is how the calibration was fitted).
            ids: int32 ``(k,)``: the answers asked about.

        Returns:
            float32 ``(k,)`` in [0, 1]; within a row it never falls as the score rises.
        """
        return self.calibration.probabilities(rel, scores, ids)

    def _check(self, folder: Path) -> None:
        a = self.arrays
        shapes_fit = (
            a.entity.shape == (self.num_entities, WIDTH)
            and a.rel.shape[0] == 2 * self.num_relations
            and a.hidden_weight.shape == (WIDTH, len(a.hidden_bias))
            and a.gate_weight.shape == (a.rel.shape[1], len(a.hidden_bias))
            and a.shift_weight.shape == a.gate_weight.shape
            and a.out_weight.shape == (len(a.hidden_bias), len(a.out_bias))
            and len(a.out_bias) in (WIDTH, READ)
            and len(self.calibration.rel_offset) == 2 * self.num_relations
            and (
                self.context is None
                or self.context.weight.shape == (2 * (WIDTH + len(a.rel) + 1), WIDTH)
            )
        )
        if not shapes_fit:
            raise DamagedArtifact(folder, "the student's arrays do not fit its vocabulary")


def readings(entity: Floats, size: int) -> Floats:
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
    # Everything that ties with the k-th stays in, so that ties end by column and not by luck.
    floor = np.partition(row, len(row) - k)[len(row) - k]
    candidates = np.flatnonzero(row >= floor)
    order = np.lexsort((candidates, -row[candidates]))[:k]
    return candidates[order].astype(np.int32)


def log_softmax(rows: Floats) -> Floats:
    """Log-probabilities per row, float32 ``(B, N)``; -inf stays."""
    shifted = rows - rows.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    out: Floats = logs.astype(np.float32)
    return out
