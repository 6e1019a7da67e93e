"""Commands about the graph itself: infer what follows, watch some of it, take it elsewhere."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from sightline.cli import build, terminal
from sightline.cli.options import JsonOption, WorkspaceOption, open_for_asking
from sightline.graph.errors import require_range
from sightline.graph.snapshot.errors import UnknownEntity
from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    from sightline.graph.record.loads import Load
    from sightline.graph.shapes.validate import Validation
    from sightline.graph.snapshot.reader import Snapshot

#: The longest that ``--deadline`` allows.
MOST_SECONDS = 10**7


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


def merge(
    workspace: WorkspaceOption,
    threshold: Annotated[
        float, typer.Option(help="Chance from which two are merged, 0.5 to 1.")
    ] = 0.95,
    type: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="Only this type; repeat for several, which are compared with each other. "
            "[default: each by itself]",
        ),
    ] = None,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="Only what identifiers say; compare nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Find entities that are one, within and across sources, and merge them.

    Identifiers come first (owl:sameAs, skos:exactMatch, cross-references, equal names); then what
    the graph holds of entities of one type is compared. The merges are a load of their own:
    `sightline merges` lists and explains them, `sightline merges --undo` takes one back, `sightline
    retract` all. It takes the place of what was merged before.

    Example: sightline merge --type Customer -w shop
    """
    from sightline.graph.merging.merge import find_merges

    with terminal.progress() as progress:
        found = find_merges(
            Workspace.open(workspace),
            threshold=threshold,
            types=type or (),
            identifiers_only=identifiers,
            progress=progress,
        )
    if json:
        terminal.print_json(
            {
                "load": found.load and found.load.id,
                "identified": found.identified,
                "compared": found.compared,
                "notes": [note.text for note in found.notes],
            }
        )
        return
    for note in found.notes:
        terminal.say(f"{'look: ' if note.warning else ''}{note.text}")
    if found.load is None:
        terminal.say("nothing to merge was found")
        return
    terminal.say(
        f"merged into others: {found.identified:,} by identifiers, {found.compared:,} by what is "
        f"said of them, as load {found.load.id}; next: sightline compile -w {workspace}"
    )


def extract(
    workspace: WorkspaceOption,
    precision: Annotated[
        float,
        typer.Option(
            help="Share of facts, from 0 to 1, that what is taken must have among pairs that were "
            "not learnt from."
        ),
    ] = 0.65,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="NAME", help="Read the values of a property as texts."),
    ] = None,
    llm: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Have relations read by a language model: an OpenAI-compatible endpoint, up to "
            "and with /v1. SIGHTLINE_LLM_KEY is its key.",
        ),
    ] = "",
    model: Annotated[str, typer.Option(metavar="NAME", help="The model of that endpoint.")] = "",
    budget: Annotated[
        int, typer.Option(metavar="TOKENS", help="Tokens that the model may cost.")
    ] = 1_000_000,
    deadline: Annotated[
        float, typer.Option(metavar="SECONDS", help="Seconds for which the endpoint is asked.")
    ] = build.DEADLINE_S,
    allow_network: Annotated[
        bool,
        typer.Option(
            "--allow-network", help="Send sentences to an endpoint that is not on this machine."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Extract what the loaded texts state about the things of the graph.

    Names are found in the sentences, and relations read as the graph's own facts teach it. What is
    found and the graph lacks is a load of its own, marked as extracted, with sentence and
    confidence, and taken out by `sightline retract`. Later compiles keep it up to date.

    Example: sightline extract --precision 0.8 -w world
    """
    from sightline.graph.extraction.extract import Options, about
    from sightline.graph.vocabulary import expand, mint

    ws = Workspace.open(workspace)
    known = ws.settings.prefixes
    iris = (
        expand(name, known) or (name if ":" in name else mint(ws.settings.base, "property", name))
        for name in properties or ()
    )
    if bool(llm) != bool(model):
        raise typer.BadParameter("--llm and --model go together")
    require_range("--budget", budget, 0, 10**12)
    require_range("--deadline", deadline, 1, MOST_SECONDS)
    options = Options(precision, tuple(iris), llm, model, budget)
    load = build.extract_texts(ws, options, allow_network, deadline)
    found = about(load)
    if json:
        terminal.print_json({"load": load.id, "extracted": load.counts.statements, **found})
        return
    show_extracted(load, found)
    terminal.say(f"next: sightline compile -w {workspace}")


def show_extracted(load: Load, found: dict[str, Any]) -> None:
    """What was linked, how well each relation is read, and what was extracted."""
    from sightline.graph.extraction.extract import preview

    columns = ("relation", "#known pairs", "#precision", "#recall", "#extracted")
    rows = [
        (
            one["label"],
            one["known"],
            "" if one["precision"] is None else f"{one['precision']:.0%}",
            "" if one["recall"] is None else f"{one['recall']:.0%}",
            "not sure enough" if one["threshold"] is None else one["extracted"],
        )
        for one in found["relations"]
        if one["known"]
    ]
    terminal.table("Read from texts (precision and recall on held-out pairs)", columns, rows)
    terminal.table("Extracted", ("fact", "#confidence", "sentence"), preview(load))
    if asked := found.get("asked"):
        refused = "".join(f"; {n:,} {why}" for why, n in sorted(asked["refused"].items()))
        terminal.say(
            f"{found['method']}: {asked['asked']:,} sentences asked, {asked['cached']:,} answered "
            f"before, {asked['unasked']:,} left out for the budget, {asked['retries']:,} requests "
            f"sent again, {asked['tokens']:,} tokens; left out{refused or ' nothing'}"
        )
    names = found["linking"]
    terminal.say(
        f"{found['sentences']:,} sentences name {names['entities']:,} things "
        f"{names['mentions']:,} times; left out: {names['ambiguous']:,} names that may mean "
        f"several, {names['lower']:,} in lower case, {found['denied']:,} pairs in sentences that "
        f"deny, {found['already_answered']:,} facts where another is stated and one can be"
    )
    terminal.say(
        f"facts extracted: {load.counts.statements:,}, as load {load.id}; "
        f"{found['new_names']:,} names of nothing in the graph are in its folder"
    )


def watch(
    action: Annotated[
        Literal["add", "remove", "list", "seen"],
        typer.Argument(help="What to do with the list; seen: all has been looked at."),
    ],
    workspace: WorkspaceOption,
    entities: Annotated[
        list[str] | None, typer.Argument(metavar="ENTITY...", help="Whom to add or remove.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Watch entities: `sightline changes --watched` says what is new about them.

    The list is in the workspace. `seen` notes that the served snapshot has been looked at, so that
    changes are told from there on.

    Example: sightline watch add Kenya Nepal -w world
    """
    from sightline.graph.errors import UsageError
    from sightline.graph.storage import watch as stored

    ws = Workspace.open(workspace)
    if (action in ("add", "remove")) != bool(entities):
        how = "names the entities" if action in ("add", "remove") else "names no entity"
        raise UsageError(f"watch {action} {how}: sightline watch add Kenya, sightline watch list")
    sight = open_for_asking(workspace)
    s = sight.snapshot
    if action == "list":
        found = stored.watched(ws)
    elif action == "seen":
        found = stored.seen(ws, s.id)
    else:
        named = [_iri(s, name, action == "remove") for name in entities or ()]
        add, remove = (named, []) if action == "add" else ([], named)
        found = stored.watch(ws, s.id, add, remove)
    if json:
        terminal.print_json(found)
        return
    ids = [(iri, s.entity_iris.find(iri)) for iri in found.entities]
    rows = [("" if e is None else s.entity_labels[e], s.curie(iri)) for iri, e in ids]
    terminal.table("Watched", ("label", "id"), rows)
    terminal.say(f"last looked at in snapshot {found.since}")


def _iri(snapshot: Snapshot, name: str, gone: bool) -> str:
    """The entity of a name; it may be ``gone`` from the graph where its id is given."""
    try:
        return snapshot.entity_iris[snapshot.resolve_entity(name)]
    except UnknownEntity:
        if not gone:
            raise
        return snapshot.iri(name)


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


class _Late(BaseException):
    """The time is over: no ``except Exception`` on the way takes it for its own."""


@contextmanager
def _within(seconds: float, late: Exception) -> Iterator[None]:
    """Raise ``late`` after some seconds, whatever Python code is running; where the system has no
    such clock, as Windows, never."""

    def over(*_: object) -> NoReturn:
        raise _Late

    if not hasattr(signal, "setitimer"):
        yield
        return
    former = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Late:
        raise late from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def validate(
    workspace: WorkspaceOption,
    shapes: Annotated[
        Path | None,
        typer.Option("--shapes", metavar="FILE", help="SHACL shapes; else those that are kept."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the shapes: the doctor lists what breaks them.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where a violation is found.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-k", help="How many to list.", min=1)] = 20,
    deadline: Annotated[
        float, typer.Option(metavar="SECONDS", help="Seconds after which it is given up.")
    ] = 600.0,
    json: JsonOption = False,
) -> None:
    """Check the facts against SHACL shapes: what is missing, too much, or not what it should be.

    Checked is what is stated and inferred. Shapes beyond SHACL Core need the extra `shacl`.

    Example: sightline validate --shapes shapes.ttl --strict -w world
    """
    from sightline.graph.shapes.errors import NoShapes, ShapesUnfinished
    from sightline.graph.shapes.validate import keep as keep_them
    from sightline.graph.shapes.validate import validate as check
    from sightline.graph.snapshot.reader import served_snapshot
    from sightline.graph.storage.workspace import SHAPES

    ws = Workspace.open(workspace)
    snapshot = served_snapshot(ws)
    if shapes is None and (keep or not (ws.path / SHAPES).is_file()):
        raise NoShapes
    if shapes is not None and keep:
        keep_them(ws, shapes)
    require_range("--deadline", deadline, 1, MOST_SECONDS)
    file = shapes or ws.path / SHAPES
    late = ShapesUnfinished(file, deadline, MOST_SECONDS)
    with terminal.progress() as progress, _within(deadline, late):
        progress("validate", 0, 1, "reading facts and shapes")
        checked = check(snapshot, file)
        found = checked.results
        progress("validate", 1, 1, "done")
    violations = sum(one.severity == "Violation" for one in found)
    if json:
        terminal.print_json(
            {
                "conforms": not violations,
                "total": len(found),
                "results": found[:limit],
                "shapes": checked.shapes,
                "by_pyshacl": dict(checked.others),
            }
        )
    else:
        _show_checked(checked, snapshot, violations, limit)
    if strict and violations:
        raise typer.Exit(1)


def _show_checked(checked: Validation, snapshot: Snapshot, violations: int, limit: int) -> None:
    """The first results of a validation, and which shapes took long."""
    found = checked.results
    if found:
        rows = (
            (
                one.severity.lower(),
                snapshot.curie(one.focus),
                "" if one.path is None else snapshot.curie(one.path),
                one.constraint,
                "" if one.value is None else one.value,
                one.message,
            )
            for one in found[:limit]
        )
        columns = ("severity", "what", "property", "constraint", "value", "message")
        terminal.table(f"{min(limit, len(found))} of {len(found):,} results", columns, rows)
        terminal.say(f"{violations:,} violations, {len(found) - violations:,} warnings and notes")
    else:
        terminal.say("every shape is kept")
    if checked.others:
        terminal.say(
            f"{len(checked.others)} of {checked.shapes} shapes were checked by pySHACL, slowly:"
        )
    for name, why in checked.others:
        terminal.say(f"  {snapshot.curie(name)}: {why}")


def shapes(
    workspace: WorkspaceOption,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The Turtle file to write."),
    ] = None,
) -> None:
    """Suggest SHACL shapes: what the facts keep but for few exceptions, to edit and validate.

    Of each class and property: how many values there are, their datatype, class or list.

    Example: sightline shapes -o shapes.ttl -w world
    """
    from sightline.graph.shapes.suggest import suggest, to_turtle
    from sightline.graph.snapshot.reader import served_snapshot
    from sightline.graph.storage.artifact import replacing

    snapshot = served_snapshot(Workspace.open(workspace))
    with terminal.progress() as progress:
        progress("shapes", 0, 1, "looking at classes and properties")
        found = suggest(snapshot)
        progress("shapes", 1, 1, "done")
    if output is None:
        print(to_turtle(found), end="")
    else:
        with replacing(output) as temporary:
            temporary.write_text(to_turtle(found), "utf-8")
        terminal.say(f"wrote {output}: {len(found.found):,} constraints to look at")


COMMANDS = (reason, merge, extract, watch, export, validate, shapes)
