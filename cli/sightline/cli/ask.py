"""Commands that ask: related, paths, predict, report. A readable table, or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sightline.cli import terminal
from sightline.cli.options import JsonOption, KOption, WorkspaceOption, open_for_asking

if TYPE_CHECKING:
    from sightline.insights.records import Evidence, PathsView, Prediction, Related

EntityHelp = "An IRI, a CURIE such as entity:Q42, or a label."
EntityArgument = Annotated[str, typer.Argument(help=EntityHelp, show_default=False)]
NamesOption = Annotated[
    list[str] | None, typer.Option(metavar="RELATION", help="Repeat for several.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (related, paths, predict, report):
        app.command()(command)


def related(
    entity: EntityArgument,
    workspace: WorkspaceOption,
    relation: Annotated[str | None, typer.Option(help="Only this relation.")] = None,
    direction: Annotated[
        Literal["both", "out", "in"],
        typer.Option(help="out: the entity is the head of the fact; in: it is the tail."),
    ] = "both",
    k: KOption = 10,
    known: Annotated[bool, typer.Option(help="Show what the graph states.")] = True,
    predicted: Annotated[bool, typer.Option(help="Show what the model predicts.")] = True,
    json: JsonOption = False,
) -> None:
    """What is related to an entity: stated facts and predicted ones, marked as such.

    Example: sightline related "Alzheimer's disease" -w hetionet
    """
    sight = open_for_asking(workspace)
    answer = sight.related(
        sight.snapshot.resolve_entity(entity),
        relation=None if relation is None else sight.snapshot.resolve_relation(relation),
        direction=direction,
        k=k,
        known=known,
        predicted=predicted,
    )
    if json:
        terminal.print_json({"related": answer})
    else:
        show_related(f"Related to {entity}", answer)


def show_related(title: str, answer: Sequence[Related]) -> None:
    """Stated facts with their source, predicted ones with probability and support."""
    rows = [
        (
            _arrow(item.relation.label, item.direction),
            item.entity.label,
            ", ".join(item.entity.types),
            item.status,
            "" if item.probability is None else f"{item.probability:.0%}",
            _why(item),
        )
        for item in answer
    ]
    terminal.table(title, ("relation", "entity", "type", "status", "#chance", "why"), rows)


def _arrow(relation: str, direction: str) -> str:
    return f"{relation} →" if direction == "out" else f"← {relation}"


def _why(item: Related) -> str:
    if item.status != "predicted":
        files = "; ".join(f"{Path(o.source).name}:{o.row}" for o in item.origins[:2])
        return item.evidence_note or files
    return _support(item.evidence)


def _support(evidence: Sequence[Evidence]) -> str:
    return evidence[0].text if evidence else "no support found"


def paths(
    source: EntityArgument,
    target: EntityArgument,
    workspace: WorkspaceOption,
    max_hops: Annotated[int, typer.Option(help="Longest path, 1 to 6 edges.")] = 3,
    k: KOption = 10,
    include: NamesOption = None,
    exclude: NamesOption = None,
    types: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Entities between have this type. Repeat for several."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="Relations to walk, in SPARQL's notation for property paths: "
            "'borders/capital', '^capital/(borders|<member of>)*'."
        ),
    ] = None,
    deadline_ms: Annotated[int, typer.Option(help="Answer after this many milliseconds.")] = 1000,
    json: JsonOption = False,
) -> None:
    """How two entities are connected: paths ranked so that hubs do not flood them.

    Example: sightline paths Nepal Portugal --max-hops 3 -w world
    """
    sight = open_for_asking(workspace)
    graph = sight.snapshot
    answer = sight.paths(
        graph.resolve_entity(source),
        graph.resolve_entity(target),
        max_hops=max_hops,
        k=k,
        include=[graph.resolve_relation(name) for name in include or ()],
        exclude=[graph.resolve_relation(name) for name in exclude or ()],
        types=[graph.resolve_class(name) for name in types or ()],
        pattern=pattern,
        deadline_ms=deadline_ms,
    )
    if json:
        terminal.print_json(answer)
    else:
        show_paths(answer)


def show_paths(answer: PathsView) -> None:
    """Ranked paths, and a line that says how many there are and what was cut."""
    title = f"From {answer.source.label} to {answer.target.label}"
    rows = ((f"{path.score:.4f}", path.text) for path in answer.paths)
    terminal.table(title, ("#score", "path"), rows)
    if answer.paths:
        terminal.say(f"{len(answer.paths)} of {answer.found} paths shown")
    if answer.truncated:
        terminal.say(f"not everything was searched: {answer.reason}")


def predict(
    workspace: WorkspaceOption,
    head: Annotated[str | None, typer.Option(help="Leave out what is asked for.")] = None,
    relation: Annotated[str | None, typer.Option(help="Leave out what is asked for.")] = None,
    tail: Annotated[str | None, typer.Option(help="Leave out what is asked for.")] = None,
    k: KOption = 10,
    new_only: Annotated[
        bool, typer.Option("--new-only", help="Only what the graph does not state.")
    ] = False,
    coverage: Annotated[
        float | None,
        typer.Option(help="Instead of -k: new answers that hold the true one with this chance."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """What is missing: the likeliest answers to a fact with one gap, with what speaks for them.

    Give two of --head, --relation and --tail.

    Example: sightline predict --head Kenya --relation "member of" --new-only -w world
    """
    sight = open_for_asking(workspace)
    graph = sight.snapshot
    answer = sight.predict(
        None if head is None else graph.resolve_entity(head),
        None if relation is None else graph.resolve_relation(relation),
        None if tail is None else graph.resolve_entity(tail),
        k=k,
        new_only=new_only,
        coverage=coverage,
    )
    if json:
        terminal.print_json({"predictions": answer})
    else:
        show_predictions("Predictions", answer)


def show_predictions(title: str, answer: Sequence[Prediction]) -> None:
    """Each fact with its chance and the best path that speaks for it."""
    rows = [
        (
            item.rank,
            f"{item.head.label} — {item.relation.label} → {item.tail.label}",
            "stated" if item.probability is None else f"{item.probability:.0%}",
            "stated in the graph" if item.known else _support(item.support),
        )
        for item in answer
    ]
    terminal.table(title, ("#rank", "fact", "#chance", "what speaks for it"), rows)
    if any(item.abstain for item in answer):
        terminal.say("Some of these are below the chance from which the model can be relied on.")


def report(
    workspace: WorkspaceOption,
    about: Annotated[
        list[str] | None,
        typer.Option(metavar="ENTITY", help="Repeat for several. [default: the best connected]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where to. [default: WS/reports]"),
    ] = None,
) -> None:
    """Write a batch report: HTML to read, JSON to process."""
    from sightline.graph.storage.workspace import Workspace
    from sightline.insights.report import write_report

    sight = open_for_asking(workspace)
    entities = [sight.snapshot.resolve_entity(name) for name in about or ()]
    with terminal.progress() as progress:
        folder = write_report(Workspace.open(workspace), sight, entities, out, progress)
    terminal.say(f"report: {folder / 'report.html'}")
