"""Commands about the graph itself: infer what follows, compare, take it elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from sightline.cli import terminal
from sightline.cli.options import JsonOption, WorkspaceOption


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("reason")(reason)


def reason(
    workspace: WorkspaceOption,
    limit: Annotated[
        int, typer.Option(help="How many facts may be inferred, 1 to 100000000.")
    ] = 10_000_000,
    json: JsonOption = False,
) -> None:
    """Infer what follows from the facts by RDFS and the core of OWL 2 RL.

    What follows is a load of its own, marked as inferred, explained fact by fact, and taken out by
    `sightline retract`. Later compiles keep it up to date with the other loads.
    """
    from sightline.graph.reason import reason as infer
    from sightline.graph.reason import rule_counts
    from sightline.graph.workspace import Workspace

    ws = Workspace.open(workspace)
    with terminal.progress() as progress:
        load = infer(ws, limit=limit, progress=progress)
    rules = rule_counts(load)
    if json:
        terminal.print_json({"load": load.id, "inferred": load.counts.statements, "rules": rules})
        return
    terminal.table("Inferred", ("rule", "#facts"), rules.items())
    terminal.say(
        f"facts inferred: {load.counts.statements:,}, as load {load.id}; "
        f"next: sightline compile -w {workspace}"
    )
