"""Pre-training of the foundation member: tasks that give nothing away, and a run that goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from sightline.models.foundation.task import loss_of
from sightline.models.members.path.backends import path_graph

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from mixture import Graph, draw, part_of, synthetic
from pretraining import Mixture, Pretraining, rate

sys.path.pop(0)


def test_what_a_task_asks_is_in_nothing_that_it_shows() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        task = draw(synthetic(rng), rng)
        edges = task.seen.edges
        target = np.repeat(np.arange(task.seen.num_entities), np.diff(edges.indptr))
        shown = set(zip(edges.source.tolist(), edges.rel.tolist(), target.tolist()))
        row, answer = task.asked.at(np.arange(len(task.asked)))
        asked = zip(task.asked.head[row].tolist(), task.asked.rel[row].tolist(), answer.tolist())

        assert not shown & set(asked)


def test_a_part_of_a_graph_has_about_as_many_facts_as_wanted() -> None:
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.integers(high, size=12_000) for high in (2000, 3, 2000)], axis=1)
    triples = np.unique(drawn, axis=0).astype(np.int32)
    part = part_of(triples, 3000, np.random.default_rng(0))

    assert 3000 <= len(part) <= 4500
    assert len(np.unique(part, axis=0)) == len(part)


def test_pre_training_learns_and_goes_on_after_an_interruption(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    people = np.arange(30)
    knows = np.stack([people, 0 * people, (people + 1) % 30], axis=1)
    known = np.stack([(people + 1) % 30, 0 * people + 1, people], axis=1)
    ring = Graph("ring", np.concatenate([knows, known]).astype(np.int32))
    mixture = Mixture({"ring": ring}, {"ring": 1.0})
    task = draw(ring, rng)
    asked, seen = np.arange(len(task.asked)), path_graph(task.seen, torch.device("cpu"))
    run = Pretraining(mixture, 40, seed=0)
    before, _ = loss_of(run.model, seen, task, asked, rng)
    run.run(tmp_path, lambda _: None)
    after, _ = loss_of(run.model, seen, task, asked, rng)

    assert float(after.detach()) < float(before.detach())
    again = Pretraining(mixture, 40, seed=0)
    again.run(tmp_path, lambda _: None)
    assert (again.step, again.answers) == (40, run.answers)
    assert all(np.array_equal(value, again.mean()[name]) for name, value in run.mean().items())


def test_the_rate_rises_holds_and_ends_at_zero() -> None:
    assert rate(0, 1000) < rate(50, 1000) < rate(300, 1000) == 1 > rate(800, 1000) > 0
    assert rate(1000, 1000) == 0
