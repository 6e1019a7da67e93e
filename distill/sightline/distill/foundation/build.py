"""Make the foundation member answer on a snapshot, in seconds: a model folder without a student.

The split is that of learning. Questions of a sample of each held-out part are asked with all of
them hidden: those of ``calibrate`` fit the probabilities, those of ``select`` and the test say how
good it is. What is served then reads every stated fact but those that a source holds out.

``models/ID/`` holds ``vocabulary/``, ``foundation/`` (the weights, the graph that they read, the
calibration), ``metrics.json`` and a manifest. Knows the folder and its id; knows no torch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.calibration.fit import calibrate
from sightline.distill.evaluation.measure import measure_calibration, unseen
from sightline.distill.foundation.model import PART, FoundationModel
from sightline.distill.serving import write_maps
from sightline.graph.arrays import Ids
from sightline.graph.errors import SightlineError
from sightline.graph.progress import Progress, silent
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.artifact import (
    TEMPORARY,
    is_intact,
    new_artifact,
    remove,
    sealed,
    write_json_atomic,
)
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.storage.workspace import METRICS, Workspace
from sightline.models.data.dataset import LearningData, learning_data
from sightline.models.errors import NoModel
from sightline.models.format import MODEL_FORMAT
from sightline.models.foundation.file import WEIGHTS, learnt_from, shipped, weights_in
from sightline.models.foundation.relations import RelationGraph
from sightline.models.ranking import RankingMetrics, Remembered, filtered_ranks

#: Raised when the same weights and graph give another model than before.
MADE = 2
#: What a question costs, in edges read, for each entity; and what all questions may cost.
PER_ENTITY, WORK = 4, 150_000_000
#: Facts of a part that are asked.
FEWEST, MOST = 50, 400


def model_for(
    ws: Workspace, snapshot: Snapshot, progress: Progress = silent
) -> tuple[str, SightlineError | None]:
    """The model to serve with a new snapshot: the served one, mapped to it, if it is a student that
    can be read; else the foundation member.

    Returns:
        The model's id, and what is wrong with the served one.

    Raises:
        FoundationUnusable: the file in this installation is damaged or of another version.
        CannotTrain: there is nothing to predict from.
        WorkspaceLocked, NotWritable, DiskFull
    """
    served = ws.current.model
    trouble: SightlineError | None = None
    if served is not None and not (ws.models / served / PART).is_dir():
        try:
            write_maps(ws, snapshot, served, progress)
            return served, None
        except (NoModel, DamagedArtifact, FormatMismatch) as error:
            trouble = error
    return build(ws, snapshot, progress), trouble


def build(ws: Workspace, snapshot: Snapshot, progress: Progress = silent) -> str:
    """Write the model folder, if it is not there, and its maps. Serves nothing yet.

    Returns:
        The model's id, 16 hex digits.

    Raises:
        FoundationUnusable, CannotTrain, WorkspaceLocked, NotWritable, DiskFull
    """
    data = shipped()
    made = [MODEL_FORMAT, MADE, hashlib.sha256(data).hexdigest(), snapshot.id]
    model_id = hashlib.sha256(json.dumps(made).encode()).hexdigest()[:16]
    with ws.lock():
        if not is_intact(ws.models / model_id, format=MODEL_FORMAT):
            _build(ws, snapshot, model_id, data, progress)
        write_maps(ws, snapshot, model_id)
        _remove_others(ws, model_id)
    return model_id


def _build(
    ws: Workspace, snapshot: Snapshot, model_id: str, file: bytes, progress: Progress
) -> None:
    progress("foundation", 0, 3, "the graph of relations")
    data = learning_data(snapshot)
    table = StringTable.of(data.entity_iris), StringTable.of(data.relation_iris)
    shape, rels = (data.num_entities, data.num_relations), 2 * data.num_relations
    weights = weights_in(file)
    hidden = FoundationModel(
        weights, RelationGraph.of(data.train, *shape), Calibration.unfitted(rels), *table
    )
    progress("foundation", 1, 3, "calibration on facts that are hidden from it")
    curve, metrics = measured(hidden, data)
    progress("foundation", 2, 3, "write")
    graph = RelationGraph.of(_stated(snapshot, *table), *shape)
    said = {"format": MODEL_FORMAT, "made": MADE, "snapshot": snapshot.id}
    about = {name: metrics["data"][name] for name in ("rows", "split", "learnt_from")}
    with new_artifact(ws.models, model_id, **said, **about) as folder:
        for part in ("vocabulary", PART):
            (folder / part).mkdir()
        StringTable.write(folder / "vocabulary", "entity_iris", data.entity_iris)
        StringTable.write(folder / "vocabulary", "relation_iris", data.relation_iris)
        (folder / PART / WEIGHTS).write_bytes(file)
        graph.save(folder / PART)
        curve.write(folder / PART)
        write_json_atomic(folder / METRICS, sealed(metrics))
    progress("foundation", 3, 3, "done")


def measured(model: FoundationModel, data: LearningData) -> tuple[Calibration, dict[str, Any]]:
    """The calibration, and what ``metrics.json`` says, by a sample of each held-out part."""
    graph = model.graph
    cost = len(graph.edges.source) + PER_ENTITY * graph.num_entities
    size = min(MOST, max(FEWEST, WORK // cost))
    asked = {part: _sample(getattr(data, part), size) for part in ("select", "calibrate", "test")}
    # Scores of the questions of one part at a time are held: what is said of all entities each.
    curve = calibrate(Remembered(model.scores), data, asked["calibrate"])
    valid = filtered_ranks(Remembered(model.scores), asked["select"], data.known)
    scorer = Remembered(model.scores)
    test = filtered_ranks(scorer, asked["test"], data.known)
    ranks = {
        name: asdict(RankingMetrics.of(found)) for name, found in (("valid", valid), ("test", test))
    }
    split = {"valid": data.split, "train": len(data.train)}
    return curve, {
        PART: ranks,
        "calibration": measure_calibration(scorer, curve, data, asked["test"]),
        "data": {
            "rows": {"entities": data.num_entities, "relations": data.num_relations},
            "split": {**split, **{part: len(getattr(data, part)) for part in asked}},
            "asked": {part: len(facts) for part, facts in asked.items()},
            "unseen_in_train": unseen(data),
            "learnt_from": learnt_from(data),
        },
        "rank": "realistic",
    }


def _sample(facts: Ids, size: int) -> Ids:
    """At most so many facts, drawn evenly; the same whenever they are drawn."""
    return facts[np.random.default_rng(0).permutation(len(facts))[:size]]


def _stated(snapshot: Snapshot, entities: StringTable, relations: StringTable) -> Ids:
    """Every stated fact in the model's numbers: int32 ``(n, 3)``."""
    triples = np.asarray(snapshot.triples())[~np.asarray(snapshot.edge_inferred)]
    entity = match_sorted(snapshot.entity_iris, entities)
    relation = match_sorted(snapshot.relation_iris, relations)
    columns = [index[ids] for index, ids in zip((entity, relation, entity), triples.T)]
    return np.stack(columns, axis=1).astype(np.int32)


def _remove_others(ws: Workspace, model_id: str) -> None:
    """Remove those of other snapshots, but the one that is served until this one is and those that
    may be served again."""
    current = ws.current
    kept = {model_id, current.model, *(pair.model for pair in current.former)}
    for folder in ws.models.glob("*"):
        if (folder / PART).is_dir() and folder.name not in kept:
            gone = folder.with_name(f"{TEMPORARY}{folder.name}")
            folder.rename(gone)
            remove(gone)
