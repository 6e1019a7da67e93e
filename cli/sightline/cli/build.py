"""Commands that build a workspace: from sources to a served (snapshot, model) pair.

Each stage reads what the stage before it stored; `run` is all of them in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sightline.cli import terminal
from sightline.cli.options import (
    DeviceOption,
    EncodingOption,
    ExtractedOption,
    FormatOption,
    JsonOption,
    MappingOption,
    NetworkOption,
    PresetOption,
    RunPresetOption,
    SeedOption,
    SkipOption,
    SourceOption,
    SourcesArgument,
    StrictOption,
    TuneOption,
    WeightOption,
    WorkspaceOption,
    require_training,
)
from sightline.graph.errors import MissingExtra
from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    from sightline.graph.extraction.extract import Options
    from sightline.graph.progress import Progress
    from sightline.graph.record.loads import Load, Note
    from sightline.graph.snapshot.reader import Snapshot
    from sightline.ingest.discover import Taking

#: Texts that are listed one by one when they are loaded.
FEW_TEXTS = 10
#: Seconds for which an endpoint is asked.
DEADLINE_S = 3600.0
#: Columns of a table, and loads, that are printed.
SHOWN = 100
#: Sources of which the same is said each by itself.
FEW_ALIKE = 5


def run(
    sources: SourcesArgument,
    workspace: WorkspaceOption,
    mapping: MappingOption = None,
    strict: StrictOption = False,
    encoding: EncodingOption = None,
    format: FormatOption = None,
    skip_unreadable: SkipOption = False,
    allow_network: NetworkOption = False,
    source: SourceOption = None,
    preset: RunPresetOption = None,
    tune: TuneOption = False,
    weight: WeightOption = None,
    extracted: ExtractedOption = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Do everything: ingest, compile, train, distill, evaluate.

    A pre-trained member answers as soon as the graph is compiled; then the graph is learnt, unless
    --preset none says otherwise. Stages that are already done with the same inputs are not done
    again.

    Example: sightline run countries.csv cities.csv --mapping world.yaml -w world
    """
    missing: MissingExtra | None = None
    if preset != "none":
        try:
            require_training()
        except MissingExtra as error:
            if preset is not None:
                raise
            missing = error
    ws = Workspace.create(workspace)
    with ws.lock():
        taking = _taking(encoding, format, allow_network, source)
        load_files(ws, sources, mapping, strict, taking, skip_unreadable)
        extract_loaded(ws)
        if missing or preset == "none":
            _compile(ws)
        else:
            learn(ws, preset or "standard", device, seed, tune, weight, extracted)
    if missing:
        terminal.say(f"nothing was learnt of it: {missing}")
    terminal.say(f"ready: sightline serve -w {workspace}")


def extract_loaded(ws: Workspace) -> None:
    """Extract what texts state where some are loaded, and say how much that is."""
    from sightline.graph.record.loads import active_loads

    if any(load.role == "text" for load in active_loads(ws)):
        load = extract_texts(ws)
        terminal.say(
            f"facts extracted from texts: {load.counts.statements:,}, as load {load.id}; "
            f"sightline extract -w {ws.path} says from which sentences"
        )


def extract_texts(
    ws: Workspace,
    options: Options | None = None,
    network: bool = False,
    deadline_s: float = DEADLINE_S,
) -> Load:
    """Extract what texts state, with progress; in the way of the last time, if not said."""
    from sightline.graph.extraction.extract import Options, extract
    from sightline.graph.record.loads import active_loads

    former = [load for load in active_loads(ws) if load.role == "extracted"]
    if options is None and former:
        options = Options.of(former[0])
    with terminal.progress() as progress:
        return extract(ws, options, network=network, deadline_s=deadline_s, progress=progress)


def learn(
    ws: Workspace,
    preset: str,
    device: str,
    seed: int = 0,
    tune: bool = False,
    weight: str | None = None,
    extracted: bool = False,
) -> None:
    """All stages after loading, in a row, holding the lock throughout."""
    from sightline.distill.serving import publish
    from sightline.models.errors import WorseModel

    with ws.lock():
        _compile(ws)
        model = _train(ws, preset, tune, device, seed, weight, extracted)
        _distill(ws, model, device)
        _show_metrics(_evaluate(ws, model))
        try:
            with terminal.progress() as progress:
                publish(ws, model, progress=progress)
        except WorseModel as error:
            terminal.say(str(error))


def ingest(
    sources: SourcesArgument,
    workspace: WorkspaceOption,
    mapping: MappingOption = None,
    strict: StrictOption = False,
    encoding: EncodingOption = None,
    format: FormatOption = None,
    skip_unreadable: SkipOption = False,
    allow_network: NetworkOption = False,
    source: SourceOption = None,
) -> None:
    """Load files into the workspace, which is made if there is none.

    Every source becomes one load. Loading the same file again changes nothing; one that has changed
    takes the place of its former load. Records that cannot be read are kept in quarantine/ with
    line and reason.

    Example: sightline ingest /mnt/may/customers.csv --source customers -w shop
    """
    from sightline.graph.record.loads import active_loads

    ws = Workspace.create(workspace)
    taking = _taking(encoding, format, allow_network, source)
    with ws.lock():
        load_files(ws, sources, mapping, strict, taking, skip_unreadable)
        texts = any(load.role == "text" for load in active_loads(ws))
    first = f"sightline extract -w {workspace}, then " if texts else ""
    terminal.say(f"next: {first}sightline compile -w {workspace}")


def _taking(
    encoding: str | None, format: str | None, network: bool, source: str | None = None
) -> Taking:
    from sightline.ingest.discover import Taking

    return Taking(encoding, format, network, source)


def load_files(
    ws: Workspace,
    sources: Sequence[str | Path],
    mapping: Path | None,
    strict: bool,
    taking: Taking | None = None,
    skip_unreadable: bool = False,
) -> None:
    """Load sources and print what was read, loaded, passed over and set aside."""
    from sightline.ingest.discover import FOUND_OUT
    from sightline.ingest.load import ingest as load_sources

    said: list[str] = []
    with terminal.progress() as progress:
        results = load_sources(
            ws,
            sources,
            mapping=mapping,
            strict=strict,
            taking=taking or FOUND_OUT,
            skip_unreadable=skip_unreadable,
            say=said.append,
            progress=progress,
        )
    for sentence in said:
        terminal.say(sentence)
    loaded = [result.load for result in results]
    texts = [load for load in loaded if load.role == "text"]
    if len(texts) > FEW_TEXTS:
        loaded = [load for load in loaded if load.role != "text"]
    _show_loads(loaded, "Loaded")
    if len(texts) > FEW_TEXTS:
        said_in = sum(load.counts.loaded for load in texts)
        terminal.say(f"and {len(texts)} texts of {said_in:,} sentences, each a load of its own")
    for result in results:
        for replaced in result.replaced if result.known else ():  # a new load has it as a note
            terminal.say(f"{result.load.source}: {replaced}")
    every = [result.load for result in results]
    _show_notes(every)
    rejected = [load for load in every if load.counts.rejected]
    for load in rejected[:SHOWN]:
        terminal.say(
            f"{load.counts.rejected} records of {load.source} were set aside: "
            f"{ws.quarantine / load.id / 'rejected.jsonl'}"
        )
    if left := sum(load.counts.rejected for load in rejected[SHOWN:]):
        others = f"{len(rejected) - SHOWN:,} more sources"
        terminal.say(f"{left:,} records of {others} were set aside: {ws.quarantine}")


def _show_notes(loads: Sequence[Load]) -> None:
    """What was decided about sources; what is the same of many is said once."""
    from sightline.ingest.batch import few_of

    named: dict[Note, list[str]] = {}
    for load in loads:
        for note in load.notes:
            named.setdefault(note, []).append(load.source)
    lines: list[tuple[Note, str]] = []
    of_many: set[Note] = set()
    for load in loads:
        for note in load.notes:
            if len(named[note]) <= FEW_ALIKE:
                lines.append((note, load.source))
            elif note not in of_many:
                of_many.add(note)
                lines.append((note, few_of(named[note], 2)))
    for note, name in lines[:SHOWN]:
        terminal.say(f"{'look: ' if note.warning else ''}{name}: {note.text}")
    if rest := lines[SHOWN:]:
        doubtful = sum(note.warning for note, _ in rest)
        terminal.say(
            f"{'look: ' if doubtful else ''}{len(rest):,} of {len(lines):,} notes are not shown, "
            f"{doubtful:,} of which want a look; sightline loads --json has all"
        )


def profile(
    sources: SourcesArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write it as a YAML mapping to edit; - prints it.",
        ),
    ] = None,
    encoding: EncodingOption = None,
    format: FormatOption = None,
    skip_unreadable: SkipOption = False,
    allow_network: NetworkOption = False,
    json: JsonOption = False,
) -> None:
    """Look at raw data and say what each column means; `run` and `ingest` use the same.

    Keys, links between tables, types, labels and kinds of values, each with what speaks for it.

    Example: sightline profile customers.csv orders.csv -o shop.yaml
    """
    from sightline.graph.vocabulary import default_prefixes
    from sightline.ingest.load import look
    from sightline.ingest.profile.write import as_values, as_yaml

    printed = output == Path("-")
    if printed and json:
        raise typer.BadParameter("--json and --output - both print; give one of them")
    said: list[str] = []
    with terminal.progress() as progress:
        profiled, others = look(
            sources,
            default_prefixes(),
            taking=_taking(encoding, format, allow_network),
            skip_unreadable=skip_unreadable,
            say=said.append,
            progress=progress,
        )
    if json:
        terminal.print_json(as_values(profiled))
    elif printed:
        typer.echo(as_yaml(profiled), nl=False)
    else:
        for sentence in said:
            terminal.say(sentence)
        _show_profile(as_values(profiled))
        for source in others:
            terminal.say(f"{source.name}: {source.format.name} says itself what it means")
    if output is not None and not printed:
        output.write_text(as_yaml(profiled), "utf-8")
        terminal.say(f"written: {output}; next: sightline run SOURCE... --mapping {output}")


def _show_profile(tables: Sequence[dict[str, Any]]) -> None:
    columns = ("column", "kind", "#values", "#distinct", "meaning")
    for table in tables:
        rows = [tuple(column.values()) for column in table["columns"]]
        rows = [(c, k, f"{v:,}", f"{d:,}", m) for c, k, v, d, m in rows[:SHOWN]]
        terminal.table(f"{table['table']}: {table['records']:,} records", columns, rows)
        if len(table["columns"]) > SHOWN:
            terminal.say(f"{SHOWN} of {len(table['columns']):,} columns; --json and -o have all")
        for note in table["notes"]:
            terminal.say(f"{'look: ' if note['warning'] else '- '}{note['text']}")
        terminal.say("")


def loads(workspace: WorkspaceOption, json: JsonOption = False) -> None:
    """List the active loads."""
    from sightline.graph.record.loads import active_loads

    found = active_loads(Workspace.open(workspace))
    if json:
        names = (
            "id",
            "source",
            "called",
            "role",
            "media_type",
            "counts",
            "started",
            "ended",
            "notes",
            "tables",
        )
        terminal.print_json([{name: getattr(load, name) for name in names} for load in found])
    else:
        _show_loads(found, "Loads")


def _show_loads(found: Sequence[Any], title: str) -> None:
    columns = ("load", "source", "role", "#read", "#loaded", "#duplicate", "#rejected", "#facts")
    rows = (
        (x.id, Path(x.source).name, x.role, c.read, c.loaded, c.duplicate, c.rejected, facts)
        for x in found[:SHOWN]
        for c in (x.counts,)
        for facts in (0 if x.role == "text" else c.statements,)
    )
    terminal.table(title, columns, rows)
    if len(found) > SHOWN:
        facts = sum(load.counts.statements for load in found if load.role != "text")
        terminal.say(f"{SHOWN} of {len(found):,} loads, of {facts:,} facts; --json has all")


def retract(
    load: Annotated[str, typer.Argument(help="Id of the load, or the start of it.")],
    workspace: WorkspaceOption,
) -> None:
    """Take a load out of the graph. Its record stays; loading the source again brings it back."""
    from sightline.graph.record.loads import retract as take_out

    gone = take_out(Workspace.open(workspace), load)
    terminal.say(f"retracted {gone.id} ({gone.source}); next: sightline compile -w {workspace}")


def compile_(workspace: WorkspaceOption) -> None:
    """Build the graph of the active loads, and serve it."""
    _compile(Workspace.open(workspace))


def _compile(ws: Workspace) -> None:
    from sightline.distill.foundation.model import PART
    from sightline.graph.snapshot.reader import SNAPSHOT_FORMAT, snapshot_format
    from sightline.graph.storage.artifact import read_json
    from sightline.graph.storage.workspace import METRICS

    older = snapshot_format(ws)
    with terminal.progress() as progress:
        snapshot = compiled(ws, progress, terminal.say)
    if older not in (None, SNAPSHOT_FORMAT):
        terminal.say(f"built again: the snapshot was of version {older}, now {SNAPSHOT_FORMAT}")
    terminal.say(
        f"snapshot {snapshot.id}: {snapshot.num_entities:,} entities, "
        f"{snapshot.num_edges:,} edges, {snapshot.num_relations:,} relations"
    )
    folder = ws.models / str(ws.current.model)
    if (folder / PART).is_dir():
        metrics = read_json(folder / METRICS)
        terminal.say(f"{foundation_says(metrics)}, answers what is missing")
        _show_metrics(metrics)
        terminal.say(f"next: sightline related ENTITY -w {ws.path}, or sightline train")


def foundation_says(metrics: dict[str, Any]) -> str:
    """What the foundation member is on this graph, of its ``metrics.json``."""
    graphs = " and ".join(metrics["data"]["learnt_from"])
    if graphs:
        return f"the foundation member, pre-trained on facts of this graph (those of {graphs})"
    return "the foundation member, not trained on this graph"


def compiled(ws: Workspace, progress: Progress, say: Callable[[str], None]) -> Snapshot:
    """The snapshot of the active loads, built and served with a model that answers on it."""
    from sightline.distill.foundation.build import model_for
    from sightline.graph.snapshot.compile import compile_snapshot
    from sightline.models.errors import CannotTrain, FoundationUnusable

    def prepare(snapshot: Snapshot) -> str | None:
        try:
            model, trouble = model_for(ws, snapshot, progress)
        except (FoundationUnusable, CannotTrain) as error:
            # The graph rests on the loads alone: what predicts must not keep it back.
            say(f"nothing is predicted: {error}")
            return None
        if trouble is not None:
            say(f"the served model cannot be used with it: {trouble}")
        return model

    return compile_snapshot(ws, copies=True, rules=True, progress=progress, prepare=prepare)


def verify(workspace: WorkspaceOption) -> None:
    """Check every checksum of every load, snapshot, model and report; the settings and the jobs."""
    from sightline.graph.storage.verify import verify as check

    with terminal.progress() as progress:
        damaged = check(Workspace.open(workspace), progress)
    if not damaged:
        terminal.say("everything is intact")
        return
    for error in damaged[1:]:
        terminal.say(str(error))
    raise damaged[0]


def train(
    workspace: WorkspaceOption,
    preset: PresetOption = "standard",
    tune: TuneOption = False,
    weight: WeightOption = None,
    extracted: ExtractedOption = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Train the GNN teacher on the compiled graph. An interrupted training goes on where it was."""
    require_training()
    ws = Workspace.open(workspace)
    model = _train(ws, preset, tune, device, seed, weight, extracted)
    terminal.say(f"teacher of model {model}; next: sightline distill -w {workspace}")


def _train(
    ws: Workspace,
    preset: str,
    tune: bool,
    device: str,
    seed: int,
    weight: str | None,
    extracted: bool,
) -> str:
    from sightline.models.data.dataset import Weighting
    from sightline.models.train import train as train_teacher

    with ws.lock(), terminal.progress() as progress:
        return train_teacher(
            ws,
            preset=preset,
            tune=tune,
            weighting=Weighting(weight, extracted),
            seed=seed,
            device=device,
            progress=progress,
        )


ModelOption = Annotated[
    str | None, typer.Option("--model", help="Id of the model. [default: the newest]")
]


def distill(
    workspace: WorkspaceOption, model: ModelOption = None, device: DeviceOption = "auto"
) -> None:
    """Distill the teacher into the small student that answers."""
    require_training()
    ws = Workspace.open(workspace)
    chosen = _chosen(ws, model)
    _distill(ws, chosen, device)
    terminal.say(f"student of model {chosen}; next: sightline evaluate -w {workspace}")


def _distill(ws: Workspace, model: str, device: str) -> None:
    from sightline.distill.training.train import distill as train_student

    with ws.lock(), terminal.progress() as progress:
        train_student(ws, model, device=device, progress=progress)


def evaluate(
    workspace: WorkspaceOption,
    model: ModelOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Serve it even if the served model answers better.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Measure teacher, student and control on held-out facts, and serve the model."""
    from sightline.distill.serving import publish

    require_training()
    ws = Workspace.open(workspace)
    chosen = _chosen(ws, model)
    metrics = _evaluate(ws, chosen)
    if json:
        terminal.print_json(metrics)
    else:
        _show_metrics(metrics)
    with terminal.progress() as progress:
        publish(ws, chosen, force=force, progress=progress)


def _evaluate(ws: Workspace, model: str) -> dict[str, Any]:
    from sightline.distill.evaluation.evaluate import evaluate as measure

    with ws.lock(), terminal.progress() as progress:
        return measure(ws, model, progress=progress)


def _chosen(ws: Workspace, model: str | None) -> str:
    """The trained model named, or the one that was changed last."""
    from sightline.models.errors import NoModel

    trained = [teacher.parent for teacher in ws.models.glob("[0-9a-f]*/teacher")]
    folders = [f for f in trained if model is None or f.name.startswith(model)]
    if not folders:
        raise NoModel(ws.path)
    return max(folders, key=lambda folder: folder.stat().st_mtime).name


def _show_metrics(metrics: dict[str, Any]) -> None:
    """Filtered ranks of the models beside each other."""
    names = ("mrr", "hits_at_1", "hits_at_3", "hits_at_10")
    rows = [
        (who, split, f"{values['queries'] // 2:,}", *(f"{values[name]:.3f}" for name in names))
        for who in ("teacher", "student", "control", "foundation")
        for split, values in metrics.get(who, {}).items()
        if split in ("valid", "test") and values.get("mrr") is not None
    ]
    columns = ("model", "held-out", "#facts", "#MRR", "#Hits@1", "#Hits@3", "#Hits@10")
    title = "How well held-out facts are found again"
    if not rows:
        terminal.say(f"{title} is not known: there are too few facts to hold some out")
        return
    terminal.table(title, columns, rows)


COMMANDS = (run, ingest, profile, loads, retract, compile_, verify, train, distill, evaluate)
