"""A report about a thousand entities of FB15k-237, and how fast the questions in it are asked.

The student is one of random numbers, as in ``bench_student``: what it learnt does not change how
long it takes, only which facts are told. Beside it a plain product of matrices, which gives as many
scores and nothing else.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_student import _student
from measure import Result, cpu_milliseconds, cpu_seconds

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.serving import ServedModel
from sightline.distill.student.arrays import READ
from sightline.graph.progress import silent
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from sightline.insights.ask import Sightline
from sightline.insights.deadline import Deadline
from sightline.insights.ranking import new_neighbours
from sightline.insights.report.choice import sections_of
from sightline.insights.report.write import TOGETHER, write_report

ENTITIES, ASKED = 1000, 300
#: Questions in one product of matrices.
TOGETHER_PLAIN = 64
#: Two minutes on two cores.
WANTED = 240.0


def run(folder: Path, scale: float) -> list[Result]:
    """The figures, where SIGHTLINE_DATA has the data set."""
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        print("report: skipped, SIGHTLINE_DATA names no folder of data sets")
        return []
    ws = Workspace.create(folder / "fb15k-237")
    ingest(ws, [Path(data) / "fb15k-237"])
    compile_snapshot(ws, rdf=False, rules=True)
    return measure(ws, scale)


def measure(ws: Workspace, scale: float) -> list[Result]:
    """The figures of a compiled workspace."""
    s = served_snapshot(ws)
    rels = 2 * s.num_relations
    curve = Calibration(1.0, 0.3, 2.0, (0.0,) * rels, 0.2, 0.1, 1000)
    names = {"entity_iris": s.entity_iris, "relation_iris": s.relation_iris}
    student = replace(_student(s.num_entities), calibration=curve, **names)
    same = (np.arange(n, dtype=np.int32) for n in (s.num_entities, s.num_entities, s.num_relations))
    sight = Sightline(s, ServedModel("random", ws.path, student, *same))
    chosen = np.random.default_rng(0).permutation(s.num_entities)[: int(ENTITIES * scale) or 1]
    shown = sections_of(["insights", "entities", "method"])
    every = np.ones(rels, np.bool_)

    def ask(asked: list[int]) -> None:
        for start in range(0, len(asked), TOGETHER):
            some = asked[start : start + TOGETHER]
            new_neighbours(sight.model_view, some, every, 10, Deadline(60_000))

    def report(entities: list[int], name: str) -> None:
        write_report(ws, sight, entities, ws.path / name, silent, shown)

    report(chosen[:2].tolist(), "first")  # compiles the kernels, builds the tables
    entities = chosen.tolist()
    seconds = cpu_seconds(lambda: report(entities, "thousand"))
    asked = entities[:ASKED]
    questions = sum(len(sight.facts.plausible_rels(entity)) for entity in asked)
    rate = questions / cpu_seconds(lambda: ask(asked))
    plain = _plain_products(s.num_entities)
    about = {"entities": len(entities), "of": s.num_entities, "questions": questions}
    wanted = f"<= {WANTED * len(entities) / ENTITIES:.0f} s"
    return [
        Result(f"report, {len(entities):,} entities", seconds, "s", wanted, None, None, about),
        Result("questions of a report", rate, "/s", ">= 10000 /s", "numpy.matmul", plain, about),
    ]


def _plain_products(entities: int) -> float:
    """Questions a second whose scores alone a product of matrices gives."""
    rng = np.random.default_rng(1)
    asked, read = (rng.random((n, READ), np.float32) for n in (TOGETHER_PLAIN, entities))
    found = np.empty((TOGETHER_PLAIN, entities), np.float32)
    times = cpu_milliseconds(lambda _: np.matmul(asked, read.T, out=found), range(20))
    return float(1000 * TOGETHER_PLAIN / np.median(times))
