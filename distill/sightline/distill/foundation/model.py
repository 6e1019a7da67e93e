"""The foundation member beside one graph: opened from a model folder, it answers as a student does.

Knows a model's entities and relations by number and by IRI; knows no id of a snapshot, no label and
no torch.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sightline.distill.calibration.calibrate import Calibration
from sightline.graph.arrays import Floats, Ids, Offsets
from sightline.graph.storage.artifact import open_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.models.errors import NoVectors
from sightline.models.format import MODEL_FORMAT
from sightline.models.foundation.file import WEIGHTS, Weights, weights_in
from sightline.models.foundation.relations import RelationGraph

if TYPE_CHECKING:
    from sightline.models.foundation.arrays import FoundationArrays

#: The part of a model folder that it is stored in.
PART = "foundation"
#: Questions asked at once: the kernels let go of the interpreter.
THREADS = 2

#: What a question starts from: a number, or the directed relations and neighbours of an entity that
#: has none.
Start = int | tuple[Ids, Ids]


@dataclass(frozen=True, eq=False)
class FoundationModel:
    """Pre-trained weights, a graph and a calibration.

    Attributes:
        reads_graph: each question does.
        texts: it has no rows to take from entities with like texts.
        calibration: from scores to probabilities.
        entity_iris, relation_iris: the term of each entity and relation.
        learnt_from: graphs of the pre-training whose facts this one states.
    """

    reads_graph: ClassVar[bool] = True
    texts: ClassVar[None] = None

    weights: Weights
    graph: RelationGraph
    calibration: Calibration
    entity_iris: StringTable
    relation_iris: StringTable
    learnt_from: Sequence[str] = ()

    @classmethod
    def open(cls, folder: Path) -> FoundationModel:
        """Map a model folder (``models/ID``) after checking manifest and sizes.

        Raises:
            DamagedArtifact, FormatMismatch
        """
        manifest = open_artifact(folder, format=MODEL_FORMAT, again="sightline compile")
        part, names = folder / PART, folder / "vocabulary"
        try:
            model = cls(
                weights_in((part / WEIGHTS).read_bytes()),
                RelationGraph.open(part),
                Calibration.read(part),
                StringTable.open(names, "entity_iris"),
                StringTable.open(names, "relation_iris"),
                # A folder of an older version does not say; `sightline compile` makes it anew.
                manifest.get("learnt_from", ()),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedArtifact(folder, str(error)) from error
        found = [model.graph.num_entities, model.graph.num_relations]
        found.append(len(model.calibration.rel_offset))
        if found != [model.num_entities, model.num_relations, 2 * model.num_relations]:
            raise DamagedArtifact(folder, "its arrays do not fit its vocabulary")
        return model

    @property
    def name(self) -> str:
        """What answers say of the model."""
        if self.learnt_from:
            return "foundation, pre-trained on facts of this graph"
        return "foundation, not trained on this graph"

    @property
    def num_entities(self) -> int:
        return len(self.entity_iris)

    @property
    def num_relations(self) -> int:
        return len(self.relation_iris)

    @property
    def vectors(self) -> Floats:
        """None: what it says of an entity it reads off the graph for each question.

        Raises:
            NoVectors
        """
        raise NoVectors

    def start(self, entity: int) -> Start:
        """What a question about an entity starts from."""
        return entity

    def start_from(self, rels: Ids, neighbours: Ids) -> Start | None:
        """The same of an entity that it does not know, from its edges; None where it knows no
        neighbour. Both int32 ``(n,)``; a neighbour is -1 where it is not known."""
        known = neighbours >= 0
        return (rels[known], neighbours[known]) if known.any() else None

    def start_like(self, rows: Ids) -> Start:
        """None.

        Raises:
            NoVectors
        """
        raise NoVectors

    def ask(
        self, starts: Sequence[Start], owner: Offsets, rels: Ids
    ) -> Generator[Floats, None, None]:
        """Scores of all entities for each of some questions, one after the other: float32
        ``(1, N)``, higher is more plausible. The same bits whatever is asked beside. ``owner``,
        int64 ``(n,)``, says which of ``starts`` each starts from."""
        pool = ThreadPoolExecutor(THREADS) if len(rels) > 1 else None
        try:
            for number in dict.fromkeys(owner.tolist()):
                questions = self._arrays.questions(starts[number])
                asked = rels[owner == number].tolist()
                run = map if pool is None else pool.map
                yield from (scores[None] for scores in run(questions.scores, asked))
        finally:
            # Who asked may have no time for the rest.
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def scores_without(self, entity: int, rel: int, facts: Ids) -> Floats:
        """Scores of all entities for a question, float32 ``(N,)``, where some facts are not read:
        int32 ``(n, 3)``."""
        return self._arrays.questions(entity, facts).scores(rel)

    def scores(self, heads: Ids, rels: Ids) -> Floats:
        """Scores of all entities of each question: float32 ``(B, N)``."""
        return self._arrays.scores(heads, rels, THREADS)

    @cached_property
    def _arrays(self) -> FoundationArrays:
        # Its kernels are loaded when first asked for.
        from sightline.models.foundation.arrays import FoundationArrays

        return FoundationArrays(self.weights, self.graph)
