"""How far a model's score of a new fact rests on the facts that are shown as its support.

Only a model that reads facts for each question can be asked without some. Knows that model and the
arrays of the graph; knows no label.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sightline.distill.foundation.model import FoundationModel
from sightline.insights.records import Faithfulness

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids
    from sightline.insights.ask import Sightline

#: Draws at most; facts among which one of like degrees is drawn.
DRAWS, LIKE = 10, 20
NO_MODEL = "not measured: no model is served"
STATED = "not measured: the fact is stated, nothing is predicted of it"
READS_NOTHING = (
    "not measured: the served model reads no facts for a question, so that none can be kept from it"
)
NEW = "not measured: the model never saw an end of the fact"
NO_SUPPORT = "not measured: there is no support to take away"
NO_OTHERS = "not measured: no other facts of the support's relations are left to compare with"
LATE = "not measured: the deadline left no time for it"


def faithfulness(
    sight: Sightline, head: int, relation: int, tail: int, support: Sequence[int], end: float
) -> tuple[Faithfulness | None, str]:
    """The fall of the score of a fact that is not stated where the edges of its support are not
    read, beside that of other facts; and that in words, or why it was not measured.

    Args:
        support: ids of edges.
        end: when to draw no more, on the clock ``time.perf_counter``.
    """
    if sight.model is None:
        return None, NO_MODEL
    if not isinstance(sight.model.scorer, FoundationModel):
        return None, READS_NOTHING
    if not all(map(sight.model_view.knows, (head, tail))):
        return None, NEW
    s = sight.snapshot
    facts = np.unique(s.fact_of[list(support)]) if support else np.zeros(0, np.int32)
    if not len(facts):
        return None, NO_SUPPORT
    if time.perf_counter() > end:
        return None, LATE
    whole = _score(sight, head, relation, tail, [])
    fall = whole - _score(sight, head, relation, tail, facts.tolist())
    rng = np.random.default_rng(0)
    pools = _like(sight, facts)
    if not any(map(len, pools)):
        return None, NO_OTHERS
    falls: list[float] = []
    while len(falls) < DRAWS and time.perf_counter() < end:
        drawn = [int(rng.choice(pool)) for pool in pools if len(pool)]
        falls.append(whole - _score(sight, head, relation, tail, drawn))
    if not falls:
        return None, LATE
    found = Faithfulness(fall, float(np.mean(falls)), len(falls), len(facts))
    return found, (
        f"without the facts of the support ({found.facts}) the score falls by {fall:.2f}, without "
        f"as many others of the same relations and like degrees by {found.others:.2f}, the mean "
        f"of {found.draws} draws"
    )


def _score(sight: Sightline, head: int, relation: int, tail: int, without: Sequence[int]) -> float:
    """The log-probability of a fact, mean of both ends, where some facts are not read."""
    view, s = sight.model_view, sight.snapshot
    scorer = view.model.scorer
    assert isinstance(scorer, FoundationModel)
    edges = [twin for edge in without for twin in s.twins(edge)]
    rows, names = view.model.entity_index, view.model.relation_index
    columns = rows[s.head[edges]], names[s.relation[edges]], rows[s.tail[edges]]
    triples = np.stack(columns, axis=1).astype(np.int32)
    triples = triples[(triples >= 0).all(axis=1)]
    said = []
    for anchor, rel, answer in ((head, relation, tail), (tail, relation + s.num_relations, head)):
        (asked,) = view.model_rels(np.array([rel])).tolist()
        scores = scorer.scores_without(view.row(anchor), asked, triples)
        stated, _ = sight.facts.answers(anchor, rel)
        said.append(view.judge(view.question(anchor, rel, asked, scores, stated), answer)[0])
    return float(np.mean(said))


def _like(sight: Sightline, support: Ids) -> list[Ids]:
    """For each fact of the support those of its relation, none of the support, whose ends have the
    likest degrees."""
    s = sight.snapshot
    others = np.flatnonzero(s.fact_of == np.arange(s.num_edges))
    others = others[np.isin(s.relation[others], s.relation[support])]
    others = np.setdiff1d(others, support, assume_unique=True)
    degree = np.log(np.maximum(s.degree, 1))
    found = []
    for fact in support.tolist():
        same = others[s.relation[others] == s.relation[fact]]
        apart = np.abs(degree[s.head[same]] - degree[s.head[fact]])
        apart += np.abs(degree[s.tail[same]] - degree[s.tail[fact]])
        found.append(same[np.argsort(apart, kind="stable")[:LIKE]])
    return found
