"""Commands that serve: `serve` and `work`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sightline.cli.options import WorkspaceOption
from sightline.graph.progress import Progress
from sightline.graph.storage.workspace import Workspace

HostOption = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


def serve(
    workspace: WorkspaceOption,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Also write the reports asked for.")
    ] = True,
    allow_host: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Also answer under this name, such as that of a proxy; may be repeated.",
        ),
    ] = [],  # noqa: B006 - typer copies it
) -> None:
    """Serve the HTTP API, its documentation at /docs and the explorer page at /.

    Answers under addresses, localhost, the name of --host and those of --allow-host: under any
    other name, a page elsewhere could read what a browser here may see.
    """
    from sightline.api.server.process import serve as serve_forever

    code = "from sightline.cli.main import main; main()"
    command = [sys.executable, "-c", code, "work", "-w", str(workspace)]
    jobs, factory = command if worker else (), f"{__name__}:application"
    serve_forever(workspace, host, port, workers, jobs, allow_host, factory)


def application() -> object:
    """The application of a process that answers; it reads raw files, too."""
    from sightline.api.server.process import application as make

    return make(read_row)


def read_row(workspace: Path, load: str, at: str) -> object:
    """The raw record at a row of a load."""
    from sightline.ingest.raw import source_record

    return source_record(Workspace.open(workspace), load, at)


def work(workspace: WorkspaceOption) -> None:
    """Write the reports that were asked for over HTTP, until stopped.

    `sightline serve` runs one of these itself, unless told --no-worker.
    """
    from sightline.api.jobs.worker import work as work_forever

    work_forever(workspace, HANDLERS)


def write_report(
    workspace: Path, request: Mapping[str, Any], progress: Progress
) -> Mapping[str, Any]:
    """The job ``report``: write one from what is served now; the name of its folder."""
    from sightline.insights import report
    from sightline.insights.ask import Sightline

    ws = Workspace.open(workspace)
    sight = Sightline.open(ws)
    entities = [sight.snapshot.resolve_entity(iri) for iri in request["about"]]
    return {"report": report.write_report(ws, sight, entities, None, progress).name}


#: What a worker can do, by kind of job.
HANDLERS = {"report": write_report}

COMMANDS = (serve, work)
