"""Commands about the graph itself: infer what follows, compare, take it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sightline.cli import terminal
from sightline.cli.options import JsonOption, WorkspaceOption
from sightline.graph.storage.workspace import Workspace


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
    from sightline.graph.reasoning.reason import reason as infer
    from sightline.graph.reasoning.reason import rule_counts

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


SnapshotArgument = Annotated[
    str, typer.Argument(help="Id of a snapshot, or the start of it.", show_default=False)
]


def diff(
    old: SnapshotArgument,
    new: SnapshotArgument,
    workspace: WorkspaceOption,
    limit: Annotated[
        int, typer.Option(help="How many facts and entities to name, 0 to 10000.")
    ] = 20,
    json: JsonOption = False,
) -> None:
    """Show which facts came and went between two snapshots.

    `sightline compile` says the id of the snapshot it builds; the last three are kept, and those
    that models were trained on.
    """
    from sightline.graph.snapshot.diff import diff as compare
    from sightline.graph.snapshot.diff import find_snapshot

    ws = Workspace.open(workspace)
    found = compare(find_snapshot(ws, old), find_snapshot(ws, new), limit=limit)
    if json:
        terminal.print_json(found)
        return
    kinds = ("entities", "edges", "types", "attributes")
    rows = [(kind, x.added, x.removed) for kind in kinds for x in (getattr(found, kind),)]
    terminal.say(f"from snapshot {found.old} to {found.new}")
    terminal.table("Changes", ("what", "#added", "#removed"), rows)
    for title, changes in (("By relation", found.predicates), ("By entity", found.most_changed)):
        lines = [(c.label, c.added, c.removed) for c in changes[:limit]]
        terminal.table(title, ("name", "#added", "#removed"), lines)
    for title, facts in (("Added", found.added), ("Removed", found.removed)):
        named = [(f.text, "inferred" if f.inferred else "stated") for f in facts]
        terminal.table(title, ("fact", "is"), named)


ExportFormat = Literal[
    "nt", "nq", "ttl", "jsonld", "graphml", "cytoscape", "csv", "parquet", "onnx", "arrays"
]


def export(
    workspace: WorkspaceOption,
    format: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            "-f",
            help="nq, nt, ttl, jsonld: RDF, as it was loaded; graphml, cytoscape: the compiled "
            "graph; csv, parquet: a table of its edges; onnx, arrays: a folder with the model, "
            "to answer without Sightline.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file to write; for the model, the folder."
        ),
    ],
) -> None:
    """Write the graph, or the model, to files that other tools read."""
    ws = Workspace.open(workspace)
    if format == "onnx" or format == "arrays":
        _export_model(ws, format, output)
        return
    from sightline.graph.exchange.export import export as write

    with terminal.progress() as progress:
        left_out = write(ws, format, output, progress)
    terminal.say(f"wrote {output} ({output.stat().st_size:,} bytes)")
    for text in left_out:
        terminal.say(text)


def _export_model(ws: Workspace, format: Literal["onnx", "arrays"], output: Path) -> None:
    from sightline.distill.student.portable import export_student

    export_student(ws, format, output)
    for path in sorted(output.iterdir()):
        terminal.say(f"wrote {path} ({path.stat().st_size:,} bytes)")


COMMANDS = (reason, diff, export)
