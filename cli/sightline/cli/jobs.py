"""What a worker can do, by kind of job, and the process that does one:

    python -m sightline.cli.jobs WORKSPACE JOB

Knows which component does what; knows no queue and no terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sightline.api.jobs.queue import Job
from sightline.api.jobs.worker import Handler, do
from sightline.graph.progress import Progress
from sightline.graph.storage.errors import WorkspaceLocked
from sightline.graph.storage.workspace import Workspace

#: Seconds between two tries to be the one writer.
INTERVAL = 0.5
#: Bytes of a report that is asked for over HTTP.
MAX_REPORT = 64_000_000


def write_report(workspace: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """The job ``report``: write one from what is served now; its folder, and what it found."""
    import json

    from sightline.insights.ask import Sightline
    from sightline.insights.report.write import write_report as write

    ws = Workspace.open(workspace)
    sight = Sightline.open(ws)
    entities = [sight.snapshot.resolve_entity(iri) for iri in job.request["about"]]
    sections = job.request.get("sections")
    folder = write(ws, sight, entities, None, progress, sections, MAX_REPORT)
    said = json.loads((folder / "report.json").read_bytes())
    return {"report": folder.name, "headline": said["headline"], "likely": said["likely"]}


def ingest(workspace: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """The job ``ingest``: load what was sent, then compile; the loads and the snapshot.

    The files that a load was made of stay; without any, they go.
    """
    from sightline.api.errors import BadUpload
    from sightline.cli.build import compiled
    from sightline.graph.storage.artifact import remove
    from sightline.ingest.discover import Sent, Taking
    from sightline.ingest.load import ingest as load

    ws, asked = Workspace.open(workspace), job.request
    folder = ws.uploads / job.id
    if not folder.is_dir():
        raise BadUpload("the files of this job are gone; send them again")
    files = [
        Sent(folder / file["stored"], file["name"], f"{ws.uploads.name}/{job.id}/{file['stored']}")
        for file in asked["files"]
    ]
    said: list[str] = []
    with _turn(ws, progress):
        results = load(
            ws,
            files,
            mapping=None if asked["mapping"] is None else folder / asked["mapping"],
            strict=asked["strict"],
            skip_unreadable=asked.get("skip_unreadable", False),  # not said by a former version
            taking=Taking(asked["encoding"], asked["format"], called=asked["source"]),
            say=said.append,
            progress=progress,
        )
        snapshot = compiled(ws, progress, said.append)
    if not any(job.id in Path(result.load.path).parts for result in results):
        remove(folder)
    return {
        "loads": [_told(result) for result in results],
        "notes": said,
        "snapshot": snapshot.id,
        "model": ws.current.model,
    }


def compile_graph(workspace: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """The job ``compile``: build and serve what the loads say now; the snapshot and the model."""
    from sightline.cli.build import compiled

    ws = Workspace.open(workspace)
    said: list[str] = []
    with _turn(ws, progress):
        snapshot = compiled(ws, progress, said.append)
    return {"notes": said, "snapshot": snapshot.id, "model": ws.current.model}


def _told(result: Any) -> dict[str, Any]:
    """What became of a source."""
    load = result.load
    counts = {name: getattr(load.counts, name) for name in load.counts.__slots__}
    notes = [{"text": note.text, "warning": note.warning} for note in load.notes]
    return {
        "id": load.id,
        "source": load.source,
        "known": result.known,
        "replaced": [one.load.id for one in result.replaced],
        **counts,
        "notes": notes,
    }


def train(workspace: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """The job ``training``: learn, distil, evaluate and serve; the model, and whether it serves."""
    from sightline.distill.evaluation.evaluate import evaluate
    from sightline.distill.serving import publish
    from sightline.distill.training.train import distill
    from sightline.models.data.dataset import Weighting
    from sightline.models.errors import WorseModel
    from sightline.models.train import train as learn

    ws, asked = Workspace.open(workspace), job.request
    # A job that waits since a former version says neither.
    weighting = Weighting(asked.get("weight"), asked.get("extracted", False))
    with _turn(ws, progress):
        model = learn(
            ws,
            preset=asked["preset"],
            weighting=weighting,
            seed=asked["seed"],
            progress=progress,
        )
        distill(ws, model, progress=progress)
        metrics = evaluate(ws, model, progress=progress)
        note = None
        try:
            publish(ws, model, progress=progress)
        except WorseModel as error:
            note = str(error)
    valid = metrics["student"]["valid"]
    return {"model": model, "served": note is None, "note": note, "valid": valid}


@contextmanager
def _turn(ws: Workspace, progress: Progress) -> Iterator[None]:
    """Be the one writer, once whoever is it has ended."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(ws.lock())
                break
            except WorkspaceLocked:
                progress("waiting for another writer", 0, None, "")
                time.sleep(INTERVAL)
        yield


def unable() -> dict[str, str]:
    """The kinds of jobs that this installation cannot do, and why."""
    from sightline.cli.options import require_training
    from sightline.graph.errors import MissingExtra

    try:
        require_training()
    except MissingExtra as error:
        return {"training": str(error)}
    return {}


#: By kind of job.
HANDLERS: Mapping[str, Handler] = {
    "report": write_report,
    "ingest": ingest,
    "compile": compile_graph,
    "training": train,
}

if __name__ == "__main__":
    do(Path(sys.argv[1]), sys.argv[2], HANDLERS)
