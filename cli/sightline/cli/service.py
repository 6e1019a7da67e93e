"""Commands that serve: `serve`, `work`, and `demo`, which builds the bundled example first."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from sightline.cli import ask, build, terminal
from sightline.cli.options import DeviceOption, WorkspaceOption, open_for_asking, require_training
from sightline.graph.progress import Progress

HostOption = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (serve, work, demo):
        app.command()(command)


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
    serve_forever(workspace, host, port, workers, command if worker else (), allow_host)


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
    from sightline.graph.storage.workspace import Workspace
    from sightline.insights import report
    from sightline.insights.ask import Sightline

    ws = Workspace.open(workspace)
    sight = Sightline.open(ws)
    entities = [sight.snapshot.resolve_entity(iri) for iri in request["about"]]
    return {"report": report.write_report(ws, sight, entities, None, progress).name}


#: What a worker can do, by kind of job.
HANDLERS = {"report": write_report}


def demo(
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", metavar="WS", help="The workspace folder.")
    ] = Path("world-workspace"),
    serve_it: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the workspace at the end.")
    ] = True,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    device: DeviceOption = "auto",
) -> None:
    """The bundled example: facts about the world's countries, from raw files to answers."""
    from sightline.graph.storage.workspace import Workspace

    require_training()
    folder = example_folder()
    ws = Workspace.create(workspace)
    build.build_all(ws, [folder], folder / "mapping.yaml", True, "quick", device, 0)
    first_insights(workspace)
    if serve_it:
        serve(workspace, host, port)
    else:
        terminal.say(f"next: sightline serve -w {workspace}")


def example_folder() -> Path:
    """The raw files of the example: beside the code in a wheel, in examples/ in a checkout."""
    here = Path(str(files("sightline.cli")))
    packaged = here / "world"
    return packaged if packaged.is_dir() else here.parents[2] / "examples" / "world"


def first_insights(workspace: Path) -> None:
    """Ask the example one question of each kind."""
    sight = open_for_asking(workspace)
    graph = sight.snapshot
    subject, other = graph.resolve_entity("Switzerland"), graph.resolve_entity("Danube")
    ask.show_related("What is related to Switzerland?", sight.related(subject, k=12))
    ask.show_paths(sight.paths(subject, other, max_hops=3, k=6))
    wanted = graph.resolve_relation("member of")
    for name in ("Kenya", "Switzerland"):
        answer = sight.predict(graph.resolve_entity(name), wanted, None, k=3, new_only=True)
        ask.show_predictions(f"Where might {name} be a member, though no file says so?", answer)
