"""The door: one served snapshot and model, and the questions that can be put to them.

Entities, relations and classes are ids of the snapshot here; ``Snapshot.resolve_entity`` and its
like turn names into ids. Checks limits; the answers themselves are made by the modules beside it.
An opened ``Sightline`` never changes and may be shared between threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from sightline.distill.serving import ServedModel
from sightline.graph.errors import SightlineError, UsageError, require_range
from sightline.graph.paths.find import find_paths
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.storage.workspace import Workspace
from sightline.insights import explore, predict, related
from sightline.insights.facts import Facts
from sightline.insights.infer import infer
from sightline.insights.learned import Learned
from sightline.insights.names import Names
from sightline.insights.neighborhood import neighborhood
from sightline.insights.paths import path_view
from sightline.insights.records import (
    Direction,
    EntityView,
    Inferred,
    Neighborhood,
    PathsView,
    Prediction,
    Related,
    RelationView,
    Schema,
    SearchHit,
    Similar,
    Stats,
)
from sightline.insights.similar import similar
from sightline.models.errors import NoModel

MAX_K = 1000
#: Coverages that an answer set may be asked for.
COVERAGE = (0.01, 0.99)
MAX_HOPS = 4


class Sightline:
    """Answers about one snapshot, with the model that is served beside it.

    Attributes:
        snapshot: the graph.
        model: None where nothing can be predicted; ``no_model`` says why.
        no_model: the error that a question to the model raises, or None.
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
        self._facts = Facts(snapshot)
        self._names = Names(snapshot)

    @classmethod
    def open(cls, ws: Workspace) -> Sightline:
        """Open what a workspace serves. A model that is missing or damaged stops no answer that
        needs the graph only.

        Raises:
            NothingCompiled, DamagedArtifact, FormatMismatch: there is no usable snapshot.
        """
        snapshot = served_snapshot(ws)
        model_id = ws.current.model
        if model_id is None:
            return cls(snapshot, None, NoModel(ws.path))
        try:
            return cls(snapshot, ServedModel.open(ws, snapshot, model_id))
        except (NoModel, DamagedArtifact, FormatMismatch) as error:
            return cls(snapshot, None, error)

    def related(
        self,
        entity: int,
        *,
        relation: int | None = None,
        direction: Direction | Literal["both"] = "both",
        k: int = 10,
        known: bool = True,
        predicted: bool = True,
    ) -> tuple[Related, ...]:
        """Entities related to one: at most ``k`` stated facts, then at most ``k`` predicted ones.

        Stated facts take turns over relations, the rarer neighbours first; predicted ones come by
        probability. A longer list begins with the shorter one. Where the model cannot be asked the
        stated facts are the answer.

        Args:
            relation: only this relation.
            direction: ``out``: the entity is the head of the facts; ``in``: the tail.

        Raises:
            OutOfRange
            UsageError: neither stated nor predicted facts are wanted.
            NoModel, DamagedArtifact, FormatMismatch, UnknownToModel: only predicted facts are
                wanted, and there are none.
        """
        require_range("k", k, 1, MAX_K)
        if not known and not predicted:
            raise UsageError("neither known nor predicted facts are asked for; ask for one of them")
        wanted = self._facts.rels(relation, direction)
        found = related.stated(self._facts, self._names, entity, wanted, k) if known else []
        asked = self.model is not None and self._learned.answers_about(entity)
        if predicted and (asked or not known):
            found += related.predicted(self._learned, self._names, entity, wanted, k)
        return tuple(found)

    def paths(
        self,
        source: int,
        target: int,
        *,
        max_hops: int = 3,
        k: int = 10,
        include: Sequence[int] = (),
        exclude: Sequence[int] = (),
        types: Sequence[int] = (),
        pattern: str | None = None,
        deadline_ms: float = 1000,
    ) -> PathsView:
        """How two entities are connected; see ``graph.paths.find_paths``.

        Raises:
            OutOfRange, BadPattern, UnknownRelation
        """
        found = find_paths(
            self.snapshot,
            source,
            target,
            max_hops=max_hops,
            k=k,
            include=include,
            exclude=exclude,
            types=types,
            pattern=pattern,
            deadline_ms=deadline_ms,
        )
        return path_view(self._names, source, target, found)

    def predict(
        self,
        head: int | None,
        relation: int | None,
        tail: int | None,
        *,
        k: int = 10,
        new_only: bool = False,
        coverage: float | None = None,
    ) -> tuple[Prediction, ...]:
        """The best ``k`` answers to a fact with one gap, the part that is None.

        Missing heads and tails are ranked by the model's score, missing relations by probability,
        which then counts the chance that such a fact is there at all (``room``).
        What the graph states already is marked, or left out with ``new_only``.

        With ``coverage`` the answers are, instead of the best ``k``, the new ones of a set that
        holds the true one with this probability (``Calibration.surprisal``), at most ``MAX_K``.

        Raises:
            OutOfRange
            UsageError: not exactly one part is None, or a missing relation with ``coverage``.
            NoModel, DamagedArtifact, FormatMismatch, UnknownToModel
        """
        require_range("k", k, 1, MAX_K)
        if coverage is not None:
            require_range("coverage", coverage, *COVERAGE)
            if relation is None:
                raise UsageError("coverage is for a missing head or tail; leave it out")
        learned = self._learned
        shift = self.snapshot.num_relations
        if head is not None and relation is not None and tail is None:
            found = predict.complete(learned, head, relation, k, new_only, coverage)
        elif head is None and relation is not None and tail is not None:
            found = predict.complete(learned, tail, relation + shift, k, new_only, coverage)
        elif head is not None and relation is None and tail is not None:
            found = predict.connect(learned, head, tail, k, new_only)
        else:
            raise UsageError("a prediction fills one gap: give two of head, relation and tail")
        return tuple(predict.describe(learned, self._names, found))

    def new_facts(self, entity: int, *, k: int = 10) -> tuple[Prediction, ...]:
        """The ``k`` likeliest facts about an entity that the graph lacks, whatever the relation;
        see ``related.new_neighbours``.

        Raises:
            OutOfRange, NoModel, DamagedArtifact, FormatMismatch, UnknownToModel
        """
        require_range("k", k, 1, MAX_K)
        wanted = self._facts.rels(None, "both")
        answers = related.new_neighbours(self._learned, entity, wanted, k)
        found = predict.candidates(self._learned, entity, answers)
        return tuple(predict.describe(self._learned, self._names, found))

    def infer(
        self,
        edges: Sequence[tuple[int, int]],
        *,
        relation: int | None = None,
        direction: Direction | Literal["both"] = "both",
        k: int = 10,
    ) -> Inferred:
        """The ``k`` likeliest facts about an entity that the graph does not hold.

        Args:
            edges: what is known about it: (directed relation as read from it, entity of the graph)
            each.
            relation: only this relation, whether or not entities like it have such facts.
            direction: ``out``: the new entity is the head of the facts; ``in``: the tail.

        Raises:
            OutOfRange, NoModel, DamagedArtifact, FormatMismatch
            UnknownToModel: it knows the relation of no edge, or not the relation asked about.
        """
        require_range("k", k, 1, MAX_K)
        wanted = self._facts.rels(relation, direction)
        return infer(self._learned, self._names, edges, wanted, relation is not None, k)

    def similar(self, entity: int, *, k: int = 10, same_type: bool = True) -> tuple[Similar, ...]:
        """The nearest entities in the learned space; see ``similar.similar``.

        Raises:
            OutOfRange, NoModel, DamagedArtifact, FormatMismatch, UnknownToModel
        """
        require_range("k", k, 1, MAX_K)
        return similar(self._learned, self._names, entity, k, same_type)

    def entity(self, entity: int) -> EntityView:
        """What the graph holds about one entity."""
        known = self.model is not None and self._learned.knows(entity)
        return explore.entity_view(self._facts, self._names, entity, known)

    def search(
        self, query: str, *, class_id: int | None = None, limit: int = 10
    ) -> tuple[SearchHit, ...]:
        """Entities by label or identifier, best first; see ``Snapshot.search``.

        Raises:
            OutOfRange
        """
        require_range("limit", limit, 1, MAX_K)
        return explore.search(self._names, query, class_id, limit)

    def neighborhood(
        self, entity: int, *, hops: int = 1, limit: int = 50, relations: Sequence[int] = ()
    ) -> Neighborhood:
        """The graph around an entity; see ``neighborhood.neighborhood``.

        Args:
            limit: most entities shown, the centre included.
            relations: only these; empty means all.

        Raises:
            OutOfRange
        """
        require_range("hops", hops, 1, MAX_HOPS)
        require_range("limit", limit, 1, MAX_K)
        return neighborhood(self._facts, self._names, entity, hops, limit, relations)

    def relations(self) -> tuple[RelationView, ...]:
        """Every relation with its cardinality, the most used first."""
        return explore.relations(self._facts, self._names)

    def schema(self) -> Schema:
        """The types, and how facts run between them, the largest first."""
        return self._schema

    def stats(self) -> Stats:
        """The size of what is served."""
        return explore.stats(self._names, None if self.model is None else self.model.id)

    @cached_property
    def _schema(self) -> Schema:
        return explore.schema(self._names)

    @cached_property
    def _learned(self) -> Learned:
        if self.model is None:
            assert self.no_model is not None
            raise self.no_model.with_traceback(None)
        return Learned(self.model, self._facts)
