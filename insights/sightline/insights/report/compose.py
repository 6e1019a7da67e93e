"""What a report says, as records: about each entity, and about all of them.

Asks the kinds of answers and the model; knows no file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.errors import SightlineError
from sightline.graph.progress import stop_if_cancelled
from sightline.insights.deadline import Deadline
from sightline.insights.faithfulness import READS_NOTHING
from sightline.insights.from_texts import extracted
from sightline.insights.kinds import (
    communities,
    entity,
    explain,
    insights,
    related,
    similar,
    stats,
)
from sightline.insights.kinds.communities import Communities
from sightline.insights.kinds.entity import Entity
from sightline.insights.kinds.insights import Insights
from sightline.insights.kinds.similar import Neighbour
from sightline.insights.kinds.stats import Stats
from sightline.insights.kinds.surprising import BROKEN, choose, in_words
from sightline.insights.ranking import Candidate, candidate_of, new_neighbours, told
from sightline.insights.records import Fact, Faithfulness
from sightline.insights.report.choice import Sections
from sightline.models.errors import NoVectors

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline

#: Entities that the headline names, and characters of a label in it.
NAMED, LABEL = 3, 60
#: What a report tells the figures of.
MEASURED = ("teacher", "student", "foundation")
#: What is less likely is not worth a line.
LEAST_CHANCE = 0.01
#: Milliseconds for what is asked once, and for what is asked about one entity: so much that nearly
#: always the answer is whole, and so the same whenever it is asked for.
PATIENCE_MS = 60_000
#: The same for the findings. Their search for missing facts would use up any time and find what the
#: clock lets it, so that the model is asked about a number of entities instead: of this work, of
#: which one costs as much as there are entities, or ten times the edges where the model reads them.
NO_HURRY_MS, WORK = 600_000, 50_000_000


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
    extracted: tuple[Fact, ...]
    predicted: tuple[Fact, ...]
    similar: tuple[Neighbour, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class DegreeBin:
    """How many entities have from ``low`` to ``high`` facts."""

    low: int
    high: int
    entities: int


@dataclass(frozen=True, slots=True)
class Plots:
    """What is drawn.

    Attributes:
        chances: mean chance and share of true ones of answers that had been held out, in bins;
            empty where that was not measured.
        degrees: of the whole graph.
        communities: None where none were asked for.
    """

    chances: tuple[tuple[float, float], ...]
    degrees: tuple[DegreeBin, ...]
    communities: Communities | None


@dataclass(frozen=True, slots=True)
class Row:
    """One entity of the report in a line.

    Attributes:
        likely: how many facts are predicted about it that are no guesses.
        best: the likeliest of them, in words; its chance is ``chance``.
    """

    id: str
    label: str
    types: tuple[str, ...]
    facts: int
    likely: int
    best: str | None
    chance: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says, but its entities.

    Attributes:
        headline: what it found, in a line.
        likely: how many facts it predicts that are no guesses.
        facts: how many facts the graph holds about its entities, counted at each.
        note: why there is no model, if so.
        findings, plots: None where they were not asked for.
        rows: its entities, in a line each.
        faithful: how far the model's score of each surprising fact rests on its support; null where
            that was not measured.
        faithful_note: of how many it was, and the means; or why of none.
    """

    id: str
    headline: str
    likely: int
    facts: int
    stats: Stats
    model: ModelSummary | None
    note: str | None
    findings: Insights | None
    surprising: tuple[Fact, ...]
    plots: Plots | None
    rows: tuple[Row, ...]
    faithful: tuple[Faithfulness | None, ...]
    faithful_note: str | None


def sections_about(
    sight: Sightline, entities: Sequence[int], most: Mapping[str, int]
) -> Iterator[Section]:
    """What is stated, read in texts and predicted about some entities, about whom the model is
    asked together. ``most``: the limits of ``entities``."""
    predicted = _predicted(sight, entities, most["predicted"])
    for about, (found, note) in zip(entities, predicted):
        yield _section(sight, about, most, found, note)


def _section(
    sight: Sightline,
    about: int,
    most: Mapping[str, int],
    found: Sequence[Candidate],
    note: str | None,
) -> Section:
    iri = sight.snapshot.entity_iris[about]
    alike: tuple[Neighbour, ...] = ()
    try:
        if most["similar"]:
            alike = similar.KIND.answer(
                sight, similar.SimilarQuestion(iri, most["similar"])
            ).similar
    except NoVectors:
        pass  # what predicts is told once, above the sections
    except SightlineError as error:
        note = error.public
    stated: tuple[Fact, ...] = ()
    if most["stated"]:
        asked = related.RelatedQuestion(iri, k=most["stated"], extracted=False, predicted=False)
        stated = related.KIND.answer(sight, asked).related
    return Section(
        view=entity.KIND.answer(sight, entity.EntityQuestion(iri)),
        facts=int(sight.snapshot.degree[about]),
        stated=stated,
        extracted=tuple(extracted(sight, about, None, "both")[: most["extracted"]]),
        predicted=told(sight, found, budget_ms=PATIENCE_MS),
        similar=alike,
        note=note,
    )


def _predicted(
    sight: Sightline, entities: Sequence[int], k: int
) -> list[tuple[list[Candidate], str | None]]:
    """The likeliest new facts about each of some entities, and what was not asked, or why."""
    every = np.ones(2 * sight.snapshot.num_relations, np.bool_)
    deadline = Deadline(PATIENCE_MS)
    try:
        lists = new_neighbours(sight.model_view, entities, every, k, deadline, LEAST_CHANCE)
    except SightlineError as error:
        if len(entities) == 1:
            return [([], error.public)]
        return [one for about in entities for one in _predicted(sight, [about], k)]
    likely = [[c for c in found if (c.chance or 0.0) >= LEAST_CHANCE] for found in lists]
    return [
        (kept, "; ".join(filter(None, (deadline.reason, impossible))) or None)
        for kept, impossible in _possible(sight, likely)
    ]


def _possible(
    sight: Sightline, lists: Sequence[Sequence[Candidate]]
) -> list[tuple[list[Candidate], str | None]]:
    """The predictions of each list that break no constraint which all stated facts keep, and in
    words how many others there were: asked of its other end a second capital may be likely."""
    ids = [(c.head, c.relation, c.tail) for found in lists for c in found]
    broken = iter(sight.constraints.excluded(*np.array(ids, np.int32).reshape(-1, 3).T).tolist())
    out: list[tuple[list[Candidate], str | None]] = []
    for found in lists:
        places = [next(broken) for _ in found]
        against = [place for place in places if place >= 0]
        note = None
        if against:
            such = in_words(sight, sight.constraints.found[against[0]])
            note = f"left out: {len(against):,}, as {BROKEN}: {such}"
        out.append(([c for c, place in zip(found, places) if place < 0], note))
    return out


class Summary:
    """What is said of all entities of a report, gathered from one after the other."""

    def __init__(self, sight: Sightline, sections: Sections) -> None:
        self._sight, self._chosen = sight, sections
        self._most = sections.get("insights", {}).get("limit", 0)
        self._likely: set[tuple[str, str, str]] = set()
        self._sure: list[Candidate] = []
        self._rows: list[Row] = []

    def add(self, section: Section) -> None:
        """Hear of one more entity."""
        sure = [p for p in section.predicted if not p.abstain]
        self._likely |= {(p.head.iri, p.relation.iri, p.tail.iri) for p in sure}
        if self._most:
            self._sure += [candidate_of(self._sight, p) for p in sure]
        best = max(sure, key=lambda p: p.probability or 0.0, default=None)
        about = section.view.entity
        self._rows.append(
            Row(
                about.id,
                about.label,
                about.types,
                section.facts,
                len(sure),
                f"{best.head.label} {best.relation.label} {best.tail.label}" if best else None,
                best.probability if best else None,
            )
        )

    def report(self, report_id: str) -> Report:
        """The report about all that was heard of."""
        sight, chosen = self._sight, self._chosen
        model = summarise_model(sight)
        labels = [row.label for row in self._rows]
        surprising: tuple[Fact, ...] = ()
        if self._sure:
            best = choose(sight, self._sure, self._most).surprising
            surprising = tuple(one.fact for one in best)
        faithful, faithful_note = faithful_of(sight, surprising)
        findings = None
        if "findings" in chosen:
            asked = insights.InsightsQuestion(chosen["findings"]["limit"], NO_HURRY_MS)
            s = sight.snapshot
            cost = 10 * s.num_edges if sight.reads_graph else s.num_entities
            findings = insights.findings(sight, asked, max(1, WORK // max(1, cost)))
        return Report(
            id=report_id,
            headline=headline_of(labels, len(self._likely) if model else None),
            likely=len(self._likely),
            facts=sum(row.facts for row in self._rows),
            stats=stats.KIND.answer(sight, stats.StatsQuestion()),
            model=model,
            note=sight.no_model.public if sight.no_model else None,
            findings=findings,
            surprising=surprising,
            plots=plots_of(sight, chosen["plots"]["communities"]) if "plots" in chosen else None,
            rows=tuple(self._rows),
            faithful=faithful,
            faithful_note=faithful_note,
        )


def faithful_of(
    sight: Sightline, facts: Sequence[Fact]
) -> tuple[tuple[Faithfulness | None, ...], str | None]:
    """How far the model's scores of some facts rest on their support, each as ``explain`` measures
    it with all the draws that it may take, and that in words: means and of how many, or why
    none."""
    if facts and not sight.reads_graph:
        return (), READS_NOTHING
    found: list[Faithfulness | None] = []
    notes: list[str] = []
    for fact in facts:
        stop_if_cancelled()
        named = fact.head.iri, fact.relation.iri, fact.tail.iri
        asked = explain.ExplainQuestion(*named, faithfulness=True)
        answer = explain.explained(sight, asked, math.inf)
        found.append(answer.faithfulness)
        if answer.faithfulness is None:
            notes.append(answer.faithfulness_note)
    measured = [one for one in found if one is not None]
    if not measured:
        return (), notes[0] if notes else None
    fall, others = (float(np.mean([getattr(m, k) for m in measured])) for k in ("fall", "others"))
    why = f" ({'; '.join(dict.fromkeys(notes))})" if notes else ""
    note = (
        f"of {len(measured)} of {len(facts)} insights{why}: without the facts of the support the "
    )
    note += f"score falls by {fall:.2f} in the mean, without as many others of the same relations "
    note += f"and like degrees by {others:.2f}"
    return tuple(found), note


def plots_of(sight: Sightline, most: int) -> Plots:
    """What is drawn of the graph and its model."""
    bins = sight.metrics.get("calibration", {}).get("test", {}).get("bins", ())
    # 0 facts, 1, 2 to 3, 4 to 7, and so on.
    power = np.frexp(sight.snapshot.degree.astype(np.float64))[1]
    counts = np.bincount(power).tolist()
    degrees = [DegreeBin(1 << i >> 1, (1 << i) - 1, n) for i, n in enumerate(counts) if n]
    found = None
    if most and sight.snapshot.num_edges:
        asked = communities.CommunitiesQuestion(k=most, deadline_ms=PATIENCE_MS)
        found = communities.KIND.answer(sight, asked)
    return Plots(tuple((said, true) for said, true in bins), tuple(degrees), found)


def headline_of(labels: Sequence[str], likely: int | None) -> str:
    """What a report found. ``likely``: how many facts may be missing; None where nobody can say."""
    about = together(labels[:NAMED], len(labels))
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
