"""Commands that keep a workspace safe: `rollback`, `backup`, `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sightline.cli import terminal
from sightline.cli.options import JsonOption, WorkspaceOption
from sightline.graph.storage.workspace import Workspace


def rollback(
    workspace: WorkspaceOption,
    to: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Start of the id of its snapshot or its model."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only list what there is to go back to.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Serve the former snapshot and model again; a service that runs follows. Again: go forward.

    The loads stay as they are: the next compile is of all that are active.

    Example: sightline rollback -w world
    """
    from dataclasses import asdict

    from sightline.distill.serving import rollback as go_back

    ws = Workspace.open(workspace)
    if not list_:
        go_back(ws, to)
    current = ws.current
    former = [("former", pair) for pair in current.former]
    pairs = ([("served", current.pair)] if current.pair else []) + former
    if json:
        served = asdict(current.pair) if current.pair else None
        terminal.print_json({"served": served, "former": [asdict(pair) for _, pair in former]})
        return
    rows = [(is_, pair.snapshot, pair.model or "none", len(pair.loads)) for is_, pair in pairs]
    terminal.table("Snapshots and models", ("", "snapshot", "model", "#loads"), rows)
    if not list_:
        terminal.say(
            f"the same again goes forward; sightline compile -w {workspace} serves all active loads"
        )


def backup(
    workspace: Annotated[
        Path,
        typer.Argument(metavar="WS", envvar="SIGHTLINE_WORKSPACE", help="The workspace folder."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ],
    loads_only: Annotated[
        bool,
        typer.Option(
            "--loads-only", help="Leave out all that can be made again: snapshots, models, reports."
        ),
    ] = False,
) -> None:
    """Write a workspace to one file, while it is served and written. `restore` takes it back.

    The file is a tar archive packed with Zstandard, with the SHA-256 of all that is in it.

    Example: sightline backup world -o world.tar.zst
    """
    from sightline.graph.storage.backup import write_backup

    ws = Workspace.open(workspace)
    with terminal.progress() as progress:
        written = write_backup(ws, output, loads_only=loads_only, progress=progress)
    size = output.stat().st_size
    terminal.say(f"{written.files:,} files, {written.bytes:,} bytes: {output} ({size:,} bytes)")
    terminal.say(f"next: sightline restore {output} -w ELSEWHERE")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `sightline backup` wrote.")],
    workspace: WorkspaceOption,
) -> None:
    """Make a workspace of a backup, where none is. Every checksum is compared.

    Example: sightline restore world.tar.zst -w again
    """
    from sightline.graph.storage.backup import read_backup

    with terminal.progress() as progress:
        read = read_backup(file, workspace, progress=progress)
    terminal.say(f"{read.files:,} files, {read.bytes:,} bytes: {workspace}")
    served = Workspace.open(workspace).current.snapshot
    what = "serve" if served else "compile"
    terminal.say(f"next: sightline {what} -w {workspace}")


COMMANDS = (rollback, backup, restore)
