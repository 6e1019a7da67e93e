"""The command `demo`: the bundled example from raw files to answers that can be checked.

Some facts of the example are taken back before anything is learnt (``withheld.list`` beside its
files), so that it shows what is found again and what is not. What its texts add was read by eye
(``extracted.list``), so that it can say how much of that is right.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sightline.cli import build, terminal
from sightline.cli.compiling import answered
from sightline.cli.options import DeviceOption, open_for_asking, require_training
from sightline.cli.service import HostOption, PortOption, serve
from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline

#: Head, relation, tail, by keys of the example's files.
Fact = tuple[str, str, str]
#: Answers looked at for each withheld fact.
MOST = 100
#: Facts from texts that are shown.
FROM_TEXTS = 8


def demo(
    # Not from SIGHTLINE_WORKSPACE: the example must not be mixed into data of the user's own.
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
    """The bundled example: facts about the world's countries, from raw files to answers.

    Reads texts for what the tables lack. Withholds a few facts, learns from the others, and shows
    which of them it finds again.
    """
    from sightline.graph.reasoning.reason import reason

    require_training()
    folder = example_folder()
    withheld = withheld_facts(folder)
    ws = Workspace.create(workspace)
    with ws.lock():
        build.load_files(ws, [folder], folder / "mapping.yaml", strict=True)
        take_back(ws, folder, withheld)
        inferred = reason(ws)
        build.extract_loaded(ws)
        build.learn(ws, "quick", device)
    sight = open_for_asking(workspace)
    first_insights(sight, withheld, inferred.counts.statements)
    show_extracted(sight, read_by_eye(folder))
    for line in (
        "where to go next:",
        f'  sightline paths Kenya "United Kingdom" -w {workspace}',
        f"  sightline related Portugal -w {workspace}",
        f"  sightline related Amur --relation 'flows into' -w {workspace}",
        f"  sightline report --about Nepal -w {workspace}",
        f"  sightline serve -w {workspace}",
    ):
        terminal.say(line)
    if serve_it:
        serve(workspace, host, port)


def example_folder() -> Path:
    """The raw files of the example: beside the code in a wheel, in examples/ in a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "world"
    return packaged if packaged.is_dir() else here.parents[2] / "examples" / "world"


def withheld_facts(folder: Path) -> list[Fact]:
    """The facts of ``withheld.list``; its other lines are prose."""
    lines = (folder / "withheld.list").read_text(encoding="utf-8").splitlines()
    return [(h, r, t) for h, r, t in (line.split("\t") for line in lines if "\t" in line)]


def read_by_eye(folder: Path) -> dict[Fact, bool]:
    """The facts of ``extracted.list``, and which are right; its other lines are prose."""
    lines = (folder / "extracted.list").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if "\t" in line)
    return {(h, r, t): verdict == "right" for verdict, h, r, t in rows}


def take_back(ws: Workspace, folder: Path, facts: list[Fact]) -> None:
    """Retract single facts: no compiled graph, no reasoning and no model sees them."""
    from sightline.graph.record import retractions
    from sightline.graph.snapshot.statement import Statement
    from sightline.graph.vocabulary import mint

    base = ws.settings.base
    statements = [
        Statement(mint(base, "entity", h), mint(base, "relation", r), mint(base, "entity", t))
        for h, r, t in facts
    ]
    retractions.take_back(ws, statements, str(folder / "withheld.list"))


def first_insights(sight: Sightline, withheld: list[Fact], inferred: int) -> None:
    """What was loaded, what is worth a look, a connection, an entity, and what was found again."""
    from sightline.cli.tables import show, show_insights, show_paths
    from sightline.insights.kinds import insights, paths, related

    graph = sight.snapshot
    stated = graph.num_edges - int(graph.edge_inferred.sum())
    sources = sum(load["role"] == "facts" for load in graph.loads)
    terminal.say("")
    terminal.say(
        f"{sources} files, {graph.num_entities:,} entities of {len(graph.class_iris)} types, "
        f"{stated:,} facts of {graph.num_relations} relations; {inferred:,} more follow from the "
        f"ontology (borders read the other way); {len(withheld)} true facts are withheld"
    )
    terminal.say("")
    show_insights(answered(insights.KIND, sight, insights.InsightsQuestion(limit=6)))
    asked = paths.PathsQuestion(("Switzerland",), ("Danube",), k=6)
    show_paths(answered(paths.KIND, sight, asked))
    terminal.say("")
    nepal = related.KIND.answer(sight, related.RelatedQuestion("Nepal", predicted=False))
    show(nepal, "What is related to Nepal? What the files state, relations in turn")
    show_found_again(sight, withheld)


def show_found_again(sight: Sightline, withheld: list[Fact]) -> None:
    """Ask for the tail of each withheld fact: how many wrong answers stand above the true one."""
    from sightline.cli.tables import percent
    from sightline.insights.kinds import predictions

    graph = sight.snapshot
    rows: list[tuple[object, ...]] = []
    places = []
    for names in withheld:
        head, tail = graph.resolve_entity(names[0]), graph.resolve_entity(names[2])
        relation = graph.resolve_relation(names[1])
        asked = predictions.PredictionQuestion(names[0], names[1], k=MOST, new_only=True)
        answers = predictions.KIND.answer(sight, asked).predictions
        name = graph.relation_labels[relation]
        text = f"{graph.entity_labels[head]} —{name}→ {graph.entity_labels[tail]}"
        iri = graph.entity_iris[tail]
        found = next((fact for fact in answers if fact.tail.iri == iri), None)
        if found is None:
            rows.append((text, f"over {MOST}", "", "", ""))
            continue
        rank = answers.index(found) + 1
        places.append(rank)
        first = answers[0].tail.label if rank > 1 else ""
        support = found.support[0].text if found.support else "no support found"
        rows.append((text, rank - 1, first, percent(found.probability), support))
    rows.sort(key=lambda row: row[1] if isinstance(row[1], int) else MOST)
    columns = ("withheld fact", "#wrong above", "the first of them", "#chance", "speaks for it")
    terminal.table("Withheld facts, predicted from all others", columns, rows)
    terminal.say(
        f"{sum(p == 1 for p in places)} of {len(withheld)} stand first, "
        f"{sum(p <= 3 for p in places)} among the first three and {sum(p <= 10 for p in places)} "
        "among the first ten of all answers that the graph lacks; chance: that it is true"
    )
    terminal.say("")


def show_extracted(sight: Sightline, read: dict[Fact, bool]) -> None:
    """Some facts that texts add, of all relations in turn, and how many of all are right."""
    from sightline.cli.tables import percent

    graph = sight.snapshot
    seen: Counter[int] = Counter()
    rows: list[tuple[int, tuple[object, ...]]] = []
    keys: list[Fact] = []
    for one in graph.extractions():
        ends = graph.entity_labels[one.head], graph.entity_labels[one.tail]
        fact = f"{ends[0]} —{graph.relation_labels[one.relation]}→ {ends[1]}"
        rows.append((seen[one.relation], (fact, percent(one.confidence), one.sentence)))
        seen[one.relation] += 1
        iris = (
            graph.entity_iris[one.head],
            graph.relation_iris[one.relation],
            graph.entity_iris[one.tail],
        )
        head, relation, tail = (iri.rpartition(":")[2] for iri in iris)
        keys.append((head, relation, tail))
    rows.sort(key=lambda row: row[0])
    columns = ("fact from a text", "#confidence", "its sentence")
    title = "What texts state and the tables lack"
    terminal.table(title, columns, [row for _, row in rows[:FROM_TEXTS]])
    judged = [read[key] for key in keys if key in read]
    terminal.say(
        f"{len(keys)} facts from {sum(load['role'] == 'text' for load in graph.loads)} texts; "
        f"{sum(judged)} of the {len(judged)} that a person read with their sentence are right "
        f"({sum(judged) / max(len(judged), 1):.0%}). They are no edges, and nothing was learnt "
        "from them"
    )
    terminal.say("")
