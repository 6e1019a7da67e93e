"""The student that ships: opened from a model folder, it answers with scores and probabilities.

Knows a model's entities and relations by number and by IRI; knows no graph, no id of a snapshot and
no torch.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.student.arrays import READ, WIDTH, StudentArrays
from sightline.distill.student.context import Context, ContextEncoder
from sightline.graph.arrays import Floats, Ids, Offsets
from sightline.graph.storage.artifact import open_artifact, verify_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.models.errors import NoModel
from sightline.models.format import MODEL_FORMAT

if TYPE_CHECKING:
    from sightline.distill.student.compiled import CompiledStudent

#: The folder of the curve for entities of which texts alone are known.
TEXTS = "texts"
#: Scores held at once, so few that they stay near the processor, or so many questions.
BLOCK, QUESTIONS = 500_000, 8


@dataclass(frozen=True, eq=False)
class Student:
    """An opened student.

    Attributes:
        name: what answers say of the model; reads_graph: no question does.
        calibration: from scores to probabilities.
        entity_iris, relation_iris: the term of each entity and relation.
        context: makes vectors for entities that it does not know; None where it was distilled
            without.
        texts: the calibration for entities of which texts alone are known; None where no text says
            more of an entity than how often it is an answer.
    """

    name: ClassVar[str] = "student"
    reads_graph: ClassVar[bool] = False

    arrays: StudentArrays
    calibration: Calibration
    entity_iris: StringTable
    relation_iris: StringTable
    context: ContextEncoder | None = None
    texts: Calibration | None = None

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
                Calibration.read(texts) if (texts := folder / "student" / TEXTS).is_dir() else None,
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
        """Scores of all tails of each question, higher is more plausible: float32 ``(B, N)``. The
        same bits whatever is asked beside."""
        return self.scores_of(self.arrays.entity[heads], rels)

    def scores_of(self, vectors: Floats, rels: Ids) -> Floats:
        """The same for vectors float32 ``(B, WIDTH)``, of entities that need not be known."""
        return self._compiled.scores(vectors, rels)

    @property
    def vectors(self) -> Floats:
        """The numbers of each entity: float32 ``(N, WIDTH)``."""
        return self.arrays.entity

    def start(self, entity: int) -> Floats:
        """What a question about an entity starts from."""
        vector: Floats = self.arrays.entity[entity]
        return vector

    def start_from(self, rels: Ids, neighbours: Ids) -> Floats | None:
        """The same of an entity that it does not know, from its edges; None where it was distilled
        without a way. Both int32 ``(n,)``; a neighbour is -1 where it is not known."""
        if self.context is None:
            return None
        owner = np.zeros(len(rels), np.int64)
        vector: Floats = self.context.encode(self.arrays, Context(owner, rels, neighbours, 1))[0]
        return vector

    def start_like(self, rows: Ids) -> Floats:
        """The same of one that is like some that it knows, int32 ``(n,)``."""
        vector: Floats = self.arrays.entity[rows].mean(axis=0)
        return vector

    def ask(
        self, starts: Sequence[Floats], owner: Offsets, rels: Ids
    ) -> Generator[Floats, None, None]:
        """Scores of all entities for each of some questions, some of them at once: float32
        ``(b, N)``. ``owner``, int64 ``(n,)``, says which of ``starts`` each starts from."""
        vectors = np.stack(starts)
        size = max(QUESTIONS, BLOCK // self.num_entities)
        for first in range(0, len(rels), size):
            part = slice(first, first + size)
            yield self.scores_of(vectors[owner[part]], rels[part])

    @cached_property
    def _compiled(self) -> CompiledStudent:
        # Made when first asked for: opening a student costs the same whatever its size.
        from sightline.distill.student.compiled import CompiledStudent

        return CompiledStudent.of(self.arrays)

    def _check(self, folder: Path) -> None:
        a, rels = self.arrays, 2 * self.num_relations
        width, hidden, read = a.rel.shape[-1], len(a.hidden_bias), len(a.out_bias)
        of_rel, of_hidden = (width, hidden), (hidden,)
        wanted = [
            *((self.num_entities, WIDTH), (rels, width), (WIDTH, hidden), of_hidden),
            *(of_rel, of_hidden, of_rel, of_hidden, of_hidden, (hidden, read), (read,)),
        ]
        shapes_fit = (
            [getattr(a, field.name).shape for field in fields(a)] == wanted
            and read in (WIDTH, READ)
            and all(
                len(curve.rel_offset) == rels
                for curve in (self.calibration, self.texts)
                if curve is not None
            )
            and (
                self.context is None or self.context.weight.shape == (2 * (WIDTH + rels + 1), WIDTH)
            )
        )
        if not shapes_fit:
            raise DamagedArtifact(folder, "the student's arrays do not fit its vocabulary")
