"""A model beside a snapshot: which row is which id, both ways, by term.

A model keeps its own vocabulary; new data renumbers a snapshot but not a model, so the maps between
them are made by IRI, once per pair, when the pair is published. Knows ids and rows; knows no route
and no torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.distill.student.student import Student
from sightline.graph.arrays import Ids
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.artifact import (
    new_artifact,
    open_artifact,
    read_manifest,
    verify_artifact,
)
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import match_sorted
from sightline.graph.storage.workspace import METRICS, Workspace
from sightline.models.errors import NoModel, WorseModel
from sightline.models.format import MODEL_FORMAT

MAPS = ("row_of_entity", "entity_of_row", "row_of_relation", "relation_of_row")


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A student that answers in the ids of one snapshot.

    Attributes:
        id: the model's id.
        folder: where it is stored.
        student: scores rows and directed relations; its directed relations are ``row_of_relation``
            and that plus its own number of relations.
        row_of_entity: int32 ``(N,)`` over the snapshot's entities; -1 where the model has no row.
        entity_of_row: int32 over the model's rows; -1 where the snapshot lacks the entity.
        row_of_relation, relation_of_row: the same for relations.
    """

    id: str
    folder: Path
    student: Student
    row_of_entity: Ids
    entity_of_row: Ids
    row_of_relation: Ids
    relation_of_row: Ids

    @classmethod
    def open(cls, ws: Workspace, snapshot: Snapshot, model_id: str) -> ServedModel:
        """Map a published model and its maps to the snapshot. Cost does not grow with the graph.

        Raises:
            NoModel: it was never trained, never distilled, or never published with this snapshot.
            DamagedArtifact, FormatMismatch
        """
        folder = ws.models / model_id
        student = Student.open(folder)
        maps = folder / "maps" / snapshot.id
        if not maps.is_dir():
            raise NoModel(ws.path)
        open_artifact(maps, format=MODEL_FORMAT, again="sightline train")
        try:
            arrays = [np.load(maps / f"{name}.npy", mmap_mode="r") for name in MAPS]
        except (OSError, ValueError) as error:
            raise DamagedArtifact(maps, str(error)) from error
        entities, relations = snapshot.num_entities, snapshot.num_relations
        wanted = [entities, student.num_entities, relations, student.num_relations]
        if [len(array) for array in arrays] != wanted:
            raise DamagedArtifact(maps, "the maps fit neither the snapshot nor the model")
        return cls(model_id, folder, student, *arrays)


def write_maps(ws: Workspace, snapshot: Snapshot, model_id: str) -> None:
    """Write the maps between a model and a snapshot. Both tables are sorted: O(N + rows).

    Raises:
        NoModel, DamagedArtifact, WorkspaceLocked, NotWritable, DiskFull
    """
    with ws.lock():
        folder = ws.models / model_id
        student = Student.open(folder)
        pairs = {
            "entity": (snapshot.entity_iris, student.entity_iris),
            "relation": (snapshot.relation_iris, student.relation_iris),
        }
        with new_artifact(folder / "maps", snapshot.id, format=MODEL_FORMAT) as target:
            for kind, (ids, rows) in pairs.items():
                np.save(target / f"row_of_{kind}.npy", match_sorted(ids, rows))
                np.save(target / f"{kind}_of_row.npy", match_sorted(rows, ids))


def publish(ws: Workspace, model_id: str, *, force: bool = False) -> None:
    """Serve a distilled model with the served snapshot, after checking its files in full.

    A model of the same snapshot that answers worse than the served one is refused, unless
    ``force``: both were measured on the same validation facts.

    Raises:
        WorseModel, NothingCompiled, NoModel, DamagedArtifact, WorkspaceLocked, NotWritable,
        DiskFull
    """
    with ws.lock():
        verify_model(ws, model_id, full=True)
        served = ws.current.model
        if served is not None and served != model_id and not force:
            _refuse_worse(ws, model_id, served)
        write_maps(ws, served_snapshot(ws), model_id)
        ws.publish(model=model_id)


def _refuse_worse(ws: Workspace, new: str, old: str) -> None:
    (new_snapshot, new_mrr), (old_snapshot, old_mrr) = (_valid_mrr(ws, m) for m in (new, old))
    if new_snapshot != old_snapshot or new_mrr is None or old_mrr is None:
        return
    if new_mrr < old_mrr:
        raise WorseModel(new, new_mrr, old, old_mrr)


def _valid_mrr(ws: Workspace, model_id: str) -> tuple[str | None, float | None]:
    """The snapshot a model learnt from and its student's MRR on validation, where measured."""
    folder = ws.models / model_id
    try:
        mrr = json.loads((folder / METRICS).read_bytes())["student"]["valid"]["mrr"]
        return read_manifest(folder).get("snapshot"), mrr
    except (OSError, ValueError, KeyError, DamagedArtifact):
        return None, None


def verify_model(ws: Workspace, model_id: str, *, full: bool) -> None:
    """Check every part of a model folder: sizes, and with ``full`` checksums.

    Raises:
        NoModel: it is not there, or not distilled.
        DamagedArtifact
    """
    folder = ws.models / model_id
    for part in (folder, folder / "student"):
        if not part.is_dir():
            raise NoModel(ws.path)
        verify_artifact(part, full=full)
    maps = folder / "maps"
    for part in sorted(maps.iterdir()) if maps.is_dir() else ():
        if not part.name.startswith("."):
            verify_artifact(part, full=full)
