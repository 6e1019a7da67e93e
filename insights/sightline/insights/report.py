"""A batch report: what the graph states and the model adds about some entities, as files.

``report.html`` to read and print, ``report.json`` with the same content, and its facts and
predictions as CSV and Parquet. Knows the answers of a ``Sightline`` and files; ranks
nothing. The page loads nothing from anywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from sightline.graph.errors import SightlineError, require_range
from sightline.graph.exchange.spreadsheet import without_formulas
from sightline.graph.progress import Progress
from sightline.graph.storage.artifact import MANIFEST, new_artifact
from sightline.graph.storage.errors import NotWritable
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.errors import NothingToReport, ReportTooLarge
from sightline.insights.kinds import entity, related, similar, stats
from sightline.insights.kinds.entity import Entity
from sightline.insights.kinds.similar import Neighbour
from sightline.insights.kinds.stats import Stats
from sightline.insights.records import Fact
from sightline.insights.surprising import most_surprising
from sightline.models.errors import NoVectors

#: Version of the layout of a report; part of its id.
FORMAT = 3
#: Entities of a report that names none, and at most.
DEFAULT_ENTITIES = 10
MAX_ENTITIES = 1000
#: Stated facts, predictions and similar entities shown per entity; surprising facts in all.
STATED, PREDICTED, SIMILAR, SURPRISING = 20, 10, 8, 15
#: Entities that the headline names, and characters of a label in it.
NAMED, LABEL = 3, 60
#: What a report tells the figures of.
MEASURED = ("teacher", "student", "foundation")
#: What is less likely is not worth a line.
LEAST_CHANCE = 0.01


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """The served model and how good it was found to be.

    Attributes:
        name: as ``model`` in ``records.Reliability``.
        test: per ``MEASURED``: filtered MRR and Hits@1/3/10 on held-out facts;
            empty where the model was not evaluated.
        base_rate, abstain_below, calibration_error: as in ``records.Reliability``.
    """

    id: str
    name: str
    test: dict[str, dict[str, float | None]]
    base_rate: float | None
    abstain_below: float
    calibration_error: float | None


@dataclass(frozen=True, slots=True)
class Section:
    """One entity of the report. ``note`` says why nothing is predicted about it, or not all, if
    so."""

    view: Entity
    facts: int
    stated: tuple[Fact, ...]
    predicted: tuple[Fact, ...]
    similar: tuple[Neighbour, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says.

    Attributes:
        headline: what it found, in a line.
        likely: how many facts it predicts that are no guesses.
        note: why there is no model, if so.
    """

    id: str
    headline: str
    likely: int
    stats: Stats
    model: ModelSummary | None
    note: str | None
    surprising: tuple[Fact, ...]
    sections: tuple[Section, ...]


def write_report(
    ws: Workspace,
    sight: Sightline,
    entities: Sequence[int],
    out: Path | None,
    progress: Progress,
    most: int | None = None,
) -> Path:
    """Write a report about some entities, or about the best connected ones where none are given.

    The same entities, snapshot and model give the same id; a report with it is replaced.

    Args:
        out: the folder to write; None: ``reports/ID`` of the workspace.
        most: bytes that it may take; None: any.

    Returns:
        The folder.

    Raises:
        OutOfRange: more than ``MAX_ENTITIES``.
        NothingToReport: none are given, and none has a fact.
        ReportTooLarge: nothing of it is left.
        NotWritable: also where ``out`` holds something that is no report.
        DiskFull, DamagedArtifact
    """
    chosen = list(dict.fromkeys(entities)) or best_connected(sight)
    require_range("the number of entities", len(chosen), 0, MAX_ENTITIES)
    report_id = report_id_of(sight, chosen)
    folder = ws.reports / report_id if out is None else _free_folder(out)
    report = compose(sight, report_id, chosen, progress)
    with new_artifact(folder.parent, folder.name, kind="report", format=FORMAT) as target:
        write_files(report, target)
        size = sum(path.stat().st_size for path in target.iterdir())
        if most is not None and size > most:
            raise ReportTooLarge(size, most)
    progress("report", len(chosen), len(chosen), "")
    return folder


def best_connected(sight: Sightline) -> list[int]:
    """The entities with most facts, ties by id.

    Raises:
        NothingToReport
    """
    degree = sight.snapshot.degree
    order = np.argsort(-degree, kind="stable")[:DEFAULT_ENTITIES]
    found = [int(entity) for entity in order if degree[entity]]
    if not found:
        raise NothingToReport
    return found


def report_id_of(sight: Sightline, entities: Sequence[int]) -> str:
    """Hash of what determines a report: its layout, snapshot, model and entities."""
    model = sight.model.id if sight.model else None
    iris = sight.snapshot.entity_iris.take(entities)
    said = json.dumps([FORMAT, sight.snapshot.id, model, iris])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _free_folder(out: Path) -> Path:
    """A folder that does not exist, is empty, or holds an earlier report."""
    folder = out.resolve()
    if not folder.exists():
        return folder
    if not folder.is_dir():
        raise NotWritable(out, "it is a file")
    try:
        ours = json.loads((folder / MANIFEST).read_bytes()).get("kind") == "report"
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours and any(folder.iterdir()):
        raise NotWritable(out, "it holds files that are no report")
    return folder


def compose(
    sight: Sightline, report_id: str, entities: Sequence[int], progress: Progress
) -> Report:
    """Ask everything that the report says."""
    sections = []
    for done, chosen in enumerate(entities):
        progress("report", done, len(entities), sight.snapshot.entity_labels[chosen])
        sections.append(section_of(sight, chosen))
    model = summarise_model(sight)
    predicted = [p for section in sections for p in section.predicted]
    likely = {(p.head.iri, p.relation.iri, p.tail.iri) for p in predicted if not p.abstain}
    return Report(
        id=report_id,
        headline=headline_of(sections, len(likely) if model else None),
        likely=len(likely),
        stats=stats.KIND.answer(sight, stats.StatsQuestion()),
        model=model,
        note=sight.no_model.public if sight.no_model else None,
        surprising=most_surprising(sight, predicted, SURPRISING),
        sections=tuple(sections),
    )


def headline_of(sections: Sequence[Section], likely: int | None) -> str:
    """What a report found. ``likely``: how many facts may be missing; None where nobody can say."""
    about = together([section.view.entity.label for section in sections[:NAMED]], len(sections))
    if likely is None:
        return f"{about}: what the graph says"
    if not likely:
        return f"{about}: no fact seems to be missing"
    return f"{about}: {likely:,} {'fact' if likely == 1 else 'facts'} that may be missing"


def together(labels: Sequence[str], count: int) -> str:
    """The first ``NAMED`` of so many labels in a line, and how many more there are."""
    names = [label[:LABEL] for label in labels[:NAMED]]
    if more := count - len(names):
        names[-1] = f"{more + 1:,} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def section_of(sight: Sightline, about: int) -> Section:
    """What is stated and predicted about one entity."""
    note = None
    predicted: tuple[Fact, ...] = ()
    alike: tuple[Neighbour, ...] = ()
    iri = sight.snapshot.entity_iris[about]
    try:
        new = related.RelatedQuestion(iri, k=PREDICTED, known=False)
        found = related.KIND.answer(sight, new)
        predicted = tuple(p for p in found.related if (p.probability or 0.0) >= LEAST_CHANCE)
        note = found.reason
        alike = similar.KIND.answer(sight, similar.SimilarQuestion(iri, k=SIMILAR)).similar
    except NoVectors:
        pass  # what predicts is told once, above the sections
    except SightlineError as error:
        note = error.public
    old = related.RelatedQuestion(iri, k=STATED, predicted=False)
    return Section(
        view=entity.KIND.answer(sight, entity.EntityQuestion(iri)),
        facts=int(sight.snapshot.degree[about]),
        stated=related.KIND.answer(sight, old).related,
        predicted=predicted,
        similar=alike,
        note=note,
    )


def summarise_model(sight: Sightline) -> ModelSummary | None:
    """The served model with its figures, if there is one."""
    if sight.model is None:
        return None
    calibration, metrics = sight.model.scorer.calibration, sight.metrics
    return ModelSummary(
        id=sight.model.id,
        name=sight.model.scorer.name,
        test={who: metrics[who]["test"] for who in MEASURED if who in metrics},
        base_rate=calibration.base_rate,
        abstain_below=calibration.abstain_below,
        calibration_error=metrics.get("calibration", {}).get("test", {}).get("ece"),
    )


def write_files(report: Report, folder: Path) -> None:
    """Write every file of a report into an empty folder."""
    import orjson

    (folder / "report.html").write_text(render(report), encoding="utf-8")
    (folder / "report.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    _write_table(report, "stated", folder / "facts")
    _write_table(report, "predicted", folder / "predictions")


def render(report: Report) -> str:
    """The page. Every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["file"] = lambda path: path.rpartition("/")[2]
    source = (files(__package__) / "report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source).render(report=report)


def _write_table(report: Report, part: Literal["stated", "predicted"], path: Path) -> None:
    """The stated or the predicted facts of all entities as CSV and Parquet."""
    import polars as pl

    facts = [(section, fact) for section in report.sections for fact in getattr(section, part)]
    columns = {
        "about": [section.view.entity.id for section, _ in facts],
        "head": [fact.head.id for _, fact in facts],
        "head_label": [fact.head.label for _, fact in facts],
        "relation": [fact.relation.id for _, fact in facts],
        "relation_label": [fact.relation.label for _, fact in facts],
        "tail": [fact.tail.id for _, fact in facts],
        "tail_label": [fact.tail.label for _, fact in facts],
        "status": [fact.status for _, fact in facts],
        "probability": [fact.probability for _, fact in facts],
        "probability_if_any": [fact.probability_if_any for _, fact in facts],
        "guess": [fact.abstain if part == "predicted" else None for _, fact in facts],
        "surprising": [fact.surprising for _, fact in facts],
        "why": [_why(fact) for _, fact in facts],
    }
    numbers = dict.fromkeys(("probability", "probability_if_any", "surprising"), pl.Float64())
    frame = pl.DataFrame(
        columns, dict.fromkeys(columns, pl.String()) | numbers | {"guess": pl.Boolean()}
    )
    frame.write_parquet(path.with_suffix(".parquet"))
    frame.with_columns(without_formulas(frame.schema)).write_csv(path.with_suffix(".csv"))


def _why(fact: Fact) -> str:
    if fact.rule:
        return f"{fact.rule.paths[0].text}, by {fact.rule.rule.text}"
    origins = "; ".join(f"{origin.source}, {origin.place}" for origin in fact.origins)
    return "; ".join(path.text for path in fact.support) or fact.support_note or origins
