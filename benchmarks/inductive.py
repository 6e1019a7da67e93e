"""Entities that nothing has seen: learn on one graph, answer on another one (the GraIL splits).

    SIGHTLINE_DATA=FOLDER python benchmarks/inductive.py [--seeds 0 1 2]

No entity of the second graph is in the first; relations are the same. The path member of the
teacher learns on the first graph, stops by its ``valid.txt``, reads the second graph's
``train.txt`` and is asked its ``test.txt``. Ranks are filtered and realistic, both directions;
Hits@10 against 50 negatives draws them per question, with the seed of the run, from the entities
that are no known answer (Teru et al. 2020, arXiv:1911.06962); MRR is over all entities.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from sightline.graph.progress import silent
from sightline.models.dataset import LearningData
from sightline.models.path_trainer import PathTrainer
from sightline.models.presets import preset_named
from sightline.models.queries import Ids, KnownAnswers, with_reciprocals
from sightline.models.ranking import realistic_ranks
from sightline.models.trainer import Questions, scorer_of

#: Set, and the Hits@10 that is wanted.
SETS = (("fb237_v1", ">= .83, aim .875"), ("WN18RR_v1", ">= .83, aim .90"))
NEGATIVES = 50


def main() -> None:
    """Train on the first graph and test on the second, for every set and seed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--preset", choices=("standard", "max"), default="standard")
    options = parser.parse_args()
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        parser.error("set SIGHTLINE_DATA to the folder that holds the data sets")
    for name, wanted in SETS:
        runs = []
        for seed in options.seeds:
            start = time.process_time()
            runs.append(one_run(Path(data) / "grail", name, options.preset, seed))
            figures = ", ".join(f"{key} {value:.3f}" for key, value in runs[-1].items())
            seconds = time.process_time() - start
            print(f"{name} seed {seed}: {figures} ({seconds:.0f} CPU s)", flush=True)
        for key in runs[0]:
            values = [run[key] for run in runs]
            note = f" (wanted {wanted})" if key == "hits@10 of 50" else ""
            print(f"{name} {key}: {np.mean(values):.3f} +- {np.std(values):.3f}{note}", flush=True)


def read(folder: Path, relations: dict[str, int]) -> LearningData:
    """Read a split; relations that are new get the next number."""
    names: dict[str, int] = {}
    parts: dict[str, Ids] = {}
    for role in ("train", "valid", "test"):
        lines = (folder / f"{role}.txt").read_text(encoding="utf-8").splitlines()
        rows = [
            (
                names.setdefault(head, len(names)),
                relations.setdefault(relation, len(relations)),
                names.setdefault(tail, len(names)),
            )
            for head, relation, tail in (line.split("\t") for line in lines if line)
        ]
        parts[role] = np.unique(np.array(rows, np.int32), axis=0)
    none = np.zeros((0, 3), np.int32)
    return LearningData(
        entity_iris=list(names),
        relation_iris=list(relations),
        train=parts["train"],
        select=parts["valid"],
        calibrate=none,
        test=parts["test"],
        valid_negatives=none,
        test_negatives=none,
        split="given",
    )


def one_run(folder: Path, name: str, preset: str, seed: int) -> dict[str, float]:
    """Learn on one graph and measure on the other."""
    relations: dict[str, int] = {}
    first = read(folder / name, relations)
    second = read(folder / f"{name}_ind", relations)
    device = torch.device("cpu")
    trainer = PathTrainer(first, preset_named(preset).path, seed, device)
    with tempfile.TemporaryDirectory() as scratch:
        trainer.run(Path(scratch), silent)
    asked = with_reciprocals(second.test, second.num_relations)
    scorer = scorer_of(trainer.model, Questions(second, device).messages)
    return measure(scorer(asked[:, 0], asked[:, 1]), asked, second.known, seed)


def measure(scores: np.ndarray, asked: Ids, known: KnownAnswers, seed: int) -> dict[str, float]:
    """Hits@10 against sampled negatives, and MRR and Hits@10 among all entities."""
    others = other_answers(known, asked)
    full = realistic_ranks(np.where(others, -np.inf, scores).astype(np.float32), asked[:, 2])
    rng = np.random.default_rng(seed)
    sampled = np.empty(len(asked))
    for i, (row, target) in enumerate(zip(scores, asked[:, 2])):
        false = np.flatnonzero(~others[i] & (np.arange(known.num_entities) != target))
        drawn = row[[target, *rng.choice(false, NEGATIVES, replace=False)]]
        (sampled[i],) = realistic_ranks(drawn[None], np.zeros(1, np.int32))
    return {
        "hits@10 of 50": float(np.mean(sampled <= 10)),
        "MRR of all": float(np.mean(1 / full)),
        "hits@10 of all": float(np.mean(full <= 10)),
    }


def other_answers(known: KnownAnswers, asked: Ids) -> np.ndarray:
    """bool ``(B, N)``: true answers beside the one that each question is about."""
    rows, columns = known.of(asked[:, 0], asked[:, 1])
    others = np.zeros((len(asked), known.num_entities), np.bool_)
    others[rows, columns] = True
    others[np.arange(len(asked)), asked[:, 2]] = False
    return others


if __name__ == "__main__":
    main()
