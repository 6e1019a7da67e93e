"""A model beside a snapshot: which of its entities and relations is which id, by IRI.

A model keeps its own vocabulary; new data renumbers a snapshot but not a model, so the maps between
them are made once per pair, when the pair is published. Knows ids and a model's numbers; knows no
route and no torch.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.foundation.model import PART as FOUNDATION
from sightline.distill.foundation.model import FoundationModel
from sightline.distill.student.student import Student
from sightline.graph.arrays import Floats, Ids, Offsets
from sightline.graph.progress import Progress, silent
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.artifact import (
    MANIFEST,
    new_artifact,
    open_artifact,
    read_manifest,
    verify_artifact,
)
from sightline.graph.storage.errors import DamagedArtifact, NoFormerPair, UnknownPair
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.storage.workspace import METRICS, Pair, Workspace
from sightline.models.errors import NoModel, WorseModel

MAPS = ("entity_index", "entity_ids", "relation_index")
#: Beside them, where texts say something of entities without a fact.
TEXT_MAPS = ("text_entities", "text_nearest")
#: Entities of which texts alone are known that are answered about, a millisecond each at 100,000
#: others; the model does not know the rest.
MOST_ALONE = 50_000
#: Of a folder of maps, which `sightline compile` writes again.
MAPS_FORMAT = 3


class Scorer(Protocol):
    """What answers, in numbers of its own: a student, or the foundation member."""

    @property
    def name(self) -> str:
        """What answers say of the model."""

    @property
    def reads_graph(self) -> bool:
        """Whether each question reads the graph, which takes longer the larger it is."""

    @property
    def calibration(self) -> Calibration:
        """From scores to probabilities."""

    @property
    def texts(self) -> Calibration | None:
        """The same for an entity that is known by its texts alone; None where it cannot be asked
        about such."""

    @property
    def entity_iris(self) -> StringTable:
        """The term of each entity."""

    @property
    def relation_iris(self) -> StringTable:
        """The term of each relation."""

    @property
    def num_entities(self) -> int: ...

    @property
    def num_relations(self) -> int: ...

    @property
    def vectors(self) -> Floats:
        """What is near of entities that are alike: float32 ``(N, W)``.

        Raises:
            NoVectors
        """

    def scores(self, heads: Ids, rels: Ids) -> Floats:
        """Scores of all entities of each question: float32 ``(B, N)``."""

    def start(self, entity: int) -> Any:
        """What a question about an entity starts from."""

    def start_from(self, rels: Ids, neighbours: Ids) -> Any | None:
        """The same of an entity that it does not know, from its edges, int32 ``(n,)`` both; None
        where that cannot be. A neighbour is -1 where it is not known."""

    def start_like(self, rows: Ids) -> Any:
        """The same of one that is like some that it knows, int32 ``(n,)``.

        Raises:
            NoVectors
        """

    def ask(
        self, starts: Sequence[Any], owner: Offsets, rels: Ids
    ) -> Generator[Floats, None, None]:
        """Scores of all entities for each of some questions, some of them at once: float32
        ``(b, N)``.

        Args:
            owner: int64 ``(n,)``: which of ``starts`` a question starts from; those of one stand
                together.
            rels: int32 ``(n,)``: directed relations.
        """


def scorer_in(folder: Path) -> Scorer:
    """The student of a model folder, or the foundation member in it.

    Raises:
        NoModel: it holds neither.
        DamagedArtifact, FormatMismatch
    """
    if (folder / FOUNDATION).is_dir():
        return FoundationModel.open(folder)
    return Student.open(folder)


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model that answers in the ids of one snapshot.

    Attributes:
        id: the model's id.
        folder: where it is stored.
        scorer: scores entities and directed relations by its own numbers: those of a relation are
            its ``relation_index``, and that plus ``scorer.num_relations``.
        entity_index: int32 ``(N,)``: the scorer's number of each of the snapshot's entities; -1
            where it does not know the entity.
        entity_ids: int32: the snapshot's id of each of the scorer's entities; -1 where the
            snapshot lacks it.
        relation_index: int32 ``(R,)``, as ``entity_index``.
        text_entities: int32 ``(T,)``, ascending: entities of the snapshot of which nothing is known
            but texts.
        text_nearest: int32 ``(T, NEAREST)``: those of the snapshot with a row and the likest texts,
            the likest first; -1 where there are no more.
    """

    id: str
    folder: Path
    scorer: Scorer
    entity_index: Ids
    entity_ids: Ids
    relation_index: Ids
    text_entities: Ids = field(default_factory=lambda: np.zeros(0, np.int32))
    text_nearest: Ids = field(default_factory=lambda: np.zeros((0, 0), np.int32))

    @classmethod
    def open(cls, ws: Workspace, snapshot: Snapshot, model_id: str) -> ServedModel:
        """Map a published model and its maps to the snapshot. Cost does not grow with the graph.

        Raises:
            NoModel: it was never trained, never distilled, or never published with this snapshot.
            DamagedArtifact, FormatMismatch
        """
        folder = ws.models / model_id
        scorer = scorer_in(folder)
        maps = folder / "maps" / snapshot.id
        if not maps.is_dir():
            raise NoModel(ws.path)
        open_artifact(maps, format=MAPS_FORMAT, again="sightline compile")
        try:
            # As plain arrays: every slice of a memmap costs microseconds.
            names = *MAPS, *(name for name in TEXT_MAPS if (maps / f"{name}.npy").exists())
            files = (np.load(maps / f"{name}.npy", mmap_mode="r") for name in names)
            arrays = [file.view(np.ndarray) for file in files]
        except (OSError, ValueError) as error:
            raise DamagedArtifact(maps, str(error)) from error
        wanted = [snapshot.num_entities, scorer.num_entities, snapshot.num_relations]
        wanted += [len(arrays[-1])] * (len(names) - len(MAPS))
        if [len(array) for array in arrays] != wanted:
            raise DamagedArtifact(maps, "the maps fit neither the snapshot nor the model")
        return cls(model_id, folder, scorer, *arrays)


def model_beside(ws: Workspace, snapshot: Snapshot) -> str | None:
    """The id of the model that is served beside a snapshot, or was; None: there was none.

    Of those that were published with it, one that learnt from it, then the newest."""
    current = ws.current
    if snapshot.id == current.snapshot:
        return current.model
    found = []
    for maps in ws.models.glob(f"*/maps/{snapshot.id}/{MANIFEST}"):
        folder = maps.parents[2]
        try:
            own = read_manifest(folder).get("snapshot") == snapshot.id
        except DamagedArtifact:
            continue
        found.append((own, maps.stat().st_mtime_ns, folder.name))
    return max(found)[2] if found else None


def write_maps(
    ws: Workspace, snapshot: Snapshot, model_id: str, progress: Progress = silent
) -> None:
    """Write the maps between a model and a snapshot. All tables are sorted: O(N + R), and where
    texts say something, the time to read them.

    Raises:
        NoModel, DamagedArtifact, WorkspaceLocked, NotWritable, DiskFull
    """
    with ws.lock():
        folder = ws.models / model_id
        scorer = scorer_in(folder)
        pairs = (
            (snapshot.entity_iris, scorer.entity_iris),
            (scorer.entity_iris, snapshot.entity_iris),
            (snapshot.relation_iris, scorer.relation_iris),
        )
        with new_artifact(folder / "maps", snapshot.id, format=MAPS_FORMAT) as target:
            found = [match_sorted(iris, known) for iris, known in pairs]
            names = list(MAPS)
            if scorer.texts is not None:
                found += _alike(snapshot, found[0], progress)
                names += TEXT_MAPS
            for name, array in zip(names, found):
                np.save(target / f"{name}.npy", array)


def _alike(snapshot: Snapshot, entity_index: Ids, progress: Progress) -> tuple[Ids, Ids]:
    """What ``TEXT_MAPS`` hold."""
    from sightline.distill.student.texts import Texts

    texts = Texts.of(snapshot)
    has_fact = np.asarray(snapshot.degree) > 0
    alone = np.flatnonzero(texts.there & ~has_fact).astype(np.int32)[:MOST_ALONE]
    among = np.flatnonzero(texts.there & has_fact & (entity_index >= 0)).astype(np.int32)
    nearest = texts.nearest(alone, among, progress)
    found = (nearest >= 0).any(axis=1)
    return alone[found], nearest[found]


def publish(
    ws: Workspace, model_id: str, *, force: bool = False, progress: Progress = silent
) -> None:
    """Serve a distilled model with the served snapshot, after checking its files in full.

    A model of the same snapshot that answers worse than the served one is refused, unless
    ``force``: both were measured on the same validation facts, the foundation member on some; so it
    has to be better by more than its sample may be off.

    Raises:
        WorseModel, NothingCompiled, NoModel, DamagedArtifact, WorkspaceLocked, NotWritable,
        DiskFull
    """
    with ws.lock():
        verify_model(ws, model_id, full=True)
        served = ws.current.model
        if served is not None and served != model_id and not force:
            _refuse_worse(ws, model_id, served)
        write_maps(ws, served_snapshot(ws), model_id, progress)
        ws.publish(model=model_id)


def rollback(ws: Workspace, to: str | None = None) -> Pair:
    """Serve a former (snapshot, model) pair again, after a check of all of its files. What was
    served is the first of the former pairs then, so that going back again goes forward.

    The loads stay as they are: the next compile is of all that are active.

    Args:
        to: the start of the id of its snapshot or of its model; the last one without it.

    Returns:
        The pair that is served now.

    Raises:
        NoFormerPair, UnknownPair, NoModel, DamagedArtifact, FormatMismatch, WorkspaceLocked,
        NotWritable, DiskFull
    """
    with ws.lock():
        former = ws.current.former
        if not former:
            raise NoFormerPair(ws.path)
        ids = [(pair.snapshot, pair.model or "") for pair in former]
        found = [p for p, names in zip(former, ids) if any(n.startswith(to or "") for n in names)]
        if not found:
            raise UnknownPair(to or "", [" with ".join(filter(None, names)) for names in ids])
        pair = found[0]
        snapshot = Snapshot.open(ws.snapshots / pair.snapshot)
        verify_artifact(snapshot.folder, full=True)
        if pair.model is not None:
            ServedModel.open(ws, snapshot, pair.model)
            verify_model(ws, pair.model, full=True)
        ws.go_back(pair)
        return pair


def _refuse_worse(ws: Workspace, new: str, old: str) -> None:
    (new_snapshot, new_mrr, _), (old_snapshot, old_mrr, error) = (
        _valid_mrr(ws, model) for model in (new, old)
    )
    if new_snapshot != old_snapshot or new_mrr is None or old_mrr is None:
        return
    if new_mrr < old_mrr - error:
        sampled = "the foundation member, measured on a sample"
        raise WorseModel(new, new_mrr, sampled if error else f"the served model {old}", old_mrr)


def _valid_mrr(ws: Workspace, model_id: str) -> tuple[str | None, float | None, float]:
    """The snapshot a model was made on and the MRR of what answers on validation, where measured: a
    student's, which is exact, or the foundation member's on a sample, and how far that may be off:
    two and a half standard errors, as reciprocal ranks spread by about .4."""
    folder = ws.models / model_id
    try:
        metrics = json.loads((folder / METRICS).read_bytes())
        sampled = FOUNDATION in metrics
        valid = metrics[FOUNDATION if sampled else "student"]["valid"]
        error = max(valid["queries"], 1) ** -0.5 if sampled else 0.0
        return read_manifest(folder).get("snapshot"), valid["mrr"], error
    except (OSError, ValueError, KeyError, DamagedArtifact):
        return None, None, 0.0


def verify_model(ws: Workspace, model_id: str, *, full: bool) -> None:
    """Check every part of a model folder: sizes, and with ``full`` checksums.

    Raises:
        NoModel: it is not there, or not distilled.
        DamagedArtifact
    """
    folder = ws.models / model_id
    parts = [folder] if (folder / FOUNDATION).is_dir() else [folder, folder / "student"]
    for part in parts:
        if not part.is_dir():
            raise NoModel(ws.path)
        verify_artifact(part, full=full)
    maps = folder / "maps"
    for part in sorted(maps.iterdir()) if maps.is_dir() else ():
        if not part.name.startswith("."):
            verify_artifact(part, full=full)
