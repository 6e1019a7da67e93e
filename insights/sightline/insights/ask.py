"""One served snapshot and model, opened: what the function of every kind of answer is given.

Names in questions become ids here, and nowhere else. An opened ``Sightline`` never changes and may
be shared between threads. Knows no kind of answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

from sightline.distill.serving import ServedModel, model_beside
from sightline.graph.arrays import Flags
from sightline.graph.errors import SightlineError
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.artifact import read_json
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.storage.workspace import METRICS, Workspace
from sightline.insights.conditions import edges_saying
from sightline.insights.facts import Facts
from sightline.insights.model_view import ModelView
from sightline.insights.names import Names
from sightline.models.errors import NoModel

if TYPE_CHECKING:
    from sightline.graph.mining.constraints import Constraints
    from sightline.insights.checkup import Checkup

#: Answers to which edges meet some conditions that are kept.
MASKS = 4


class Sightline:
    """One snapshot and the model that is served beside it.

    Attributes:
        snapshot: the graph.
        model: None where nothing can be predicted; ``no_model`` says why.
        no_model: the error that a question to the model raises, or None.
        metrics: what the evaluation of the model found; empty where it was not evaluated.
        facts, names: the tables of the graph, and its labels.
        edges_saying: ``conditions.edges_saying`` of this graph; the last few answers are kept.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        model: ServedModel | None,
        no_model: SightlineError | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.model = model
        self.no_model = no_model
        measured = None if model is None else model.folder / METRICS
        self.metrics = read_json(measured) if measured and measured.exists() else {}
        self.facts = Facts(snapshot)
        self.names = Names(snapshot)
        self.edges_saying: Callable[[tuple[str, ...]], Flags | None] = lru_cache(MASKS)(
            partial(edges_saying, snapshot)
        )

    @classmethod
    def open(cls, ws: Workspace) -> Sightline:
        """Open what a workspace serves. A model that is missing or damaged stops no answer that
        needs the graph only.

        Raises:
            NothingCompiled, DamagedArtifact, FormatMismatch: there is no usable snapshot.
        """
        return cls.beside(ws, served_snapshot(ws))

    @classmethod
    def beside(cls, ws: Workspace, snapshot: Snapshot) -> Sightline:
        """A stored snapshot, served or not, with the model that is or was served beside it."""
        model_id = model_beside(ws, snapshot)
        if model_id is None:
            return cls(snapshot, None, NoModel(ws.path))
        try:
            return cls(snapshot, ServedModel.open(ws, snapshot, model_id))
        except (NoModel, DamagedArtifact, FormatMismatch) as error:
            return cls(snapshot, None, error)

    @cached_property
    def model_view(self) -> ModelView:
        """The model in ids of the snapshot.

        Raises:
            NoModel, DamagedArtifact, FormatMismatch: why there is none.
        """
        if self.model is None:
            assert self.no_model is not None
            raise self.no_model.with_traceback(None)
        return ModelView(self.model, self.facts)

    @cached_property
    def checkup(self) -> Checkup:
        """What looks wrong with the graph; each check is done once."""
        from sightline.insights.checkup import Checkup

        return Checkup(self.snapshot, lambda: self.constraints)

    @cached_property
    def constraints(self) -> Constraints:
        """What nearly all facts of the graph keep."""
        from sightline.graph.mining.constraints import Constraints

        return Constraints(self.snapshot)

    @property
    def reads_graph(self) -> bool:
        """Whether the model reads the graph for each question: it takes longer the larger it is."""
        return self.model is not None and self.model.scorer.reads_graph

    def can_predict(self, entity: int) -> bool:
        """Whether anything can be predicted about an entity: by its own vector, or one made of its
        edges or of those whose texts are like its own."""
        return self.model is not None and self.model_view.answers_about(entity)

    def entity(self, name: str) -> int:
        """The entity of a name.

        Raises:
            BadReference, UnknownEntity, AmbiguousEntity
        """
        return self.snapshot.resolve_entity(name)

    def relation(self, name: str | None) -> int | None:
        """The relation of a name, None for none.

        Raises:
            BadReference, UnknownRelation
        """
        return None if name is None else self.snapshot.resolve_relation(name)
