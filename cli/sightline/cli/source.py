"""The command `source`: the raw record behind a fact."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from sightline.cli import terminal
from sightline.cli.options import JsonOption, WorkspaceOption
from sightline.graph.storage.workspace import Workspace


def source(
    load: Annotated[str, typer.Argument(help="Id of the load, its start, or its source's name.")],
    row: Annotated[
        str, typer.Argument(help="The row as answers write it: 12, '$.ranges[2]', 'People!4'.")
    ],
    workspace: WorkspaceOption,
    json: JsonOption = False,
) -> None:
    """Show the raw record behind facts: its cells, and which of them made which fact.

    It is read from the file that was loaded, as long as that is there unchanged.

    Example: sightline source countries.csv 12 -w world
    """
    from sightline.ingest.raw import source_record

    record = source_record(Workspace.open(workspace), load, row)
    if json:
        terminal.print_json(asdict(record))
        return
    cells = [(cell.column, "; ".join(cell.values)) for cell in record.cells]
    terminal.table(f"{record.source}, {record.place}", ("column", "value"), cells)
    facts = [
        (fact.subject, fact.predicate, fact.object, ", ".join(fact.columns))
        for fact in record.facts
    ]
    terminal.table("Facts made of it", ("subject", "predicate", "object", "columns"), facts)


COMMANDS = (source,)
