"""Entities that nothing has seen: learn on one graph, answer on another one (the GraIL splits).

    SIGHTLINE_DATA=FOLDER python benchmarks/inductive.py [--model path] [--seeds 0 1 2]

No entity of the second graph is in the first; relations are the same. The encoder reads the second
graph's ``train.txt`` in five rounds and leaves 64 numbers per entity, from which alone the
questions of its ``test.txt`` are answered; its sizes were chosen by the second graph's validation
facts. The path member of the teacher, with its ``standard`` settings, stops by the first graph's
validation facts and reads the second graph's edges for every question. Ranks are filtered and
realistic, both directions; Hits@10 against 50 negatives draws them per question, with the seed of
the run, from the entities that are no known answer (Teru et al. 2020, arXiv:1911.06962); MRR is
over all entities.

This is an experiment: the encoder in ``sightline.distill.student.context``, which needs no training
of its own, is what the service answers with (docs/experiments.md compares them).
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
from torch import Tensor, nn
from torch.nn import functional

from sightline.graph.arrays import Ids
from sightline.graph.progress import silent
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.data.questions import Questions
from sightline.models.members.path.trainer import PathTrainer
from sightline.models.ranking import realistic_ranks
from sightline.models.training.presets import preset_named
from sightline.models.training.trainer import scorer_of

#: Set, and the Hits@10 that is wanted.
SETS = (("fb237_v1", ">= .83, aim .875"), ("WN18RR_v1", ">= .83, aim .90"))
#: Numbers per entity: what it is like, then who it is.
LIKENESS, IDENTITY = 32, 32
HIDDEN, ROUNDS, DROPOUT = 128, 5, 0.2
#: What a step changes in a directed relation's weights counts so many times.
GAIN = 10.0
#: A tenth of the facts is asked at a time, and taken out of the graph for that step.
EPOCHS, PARTS, RATE = 30, 10, 5e-3
NEGATIVES = 50


def main() -> None:
    """Train on the first graph and test on the second, for every set and seed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--model", choices=("encoder", "path"), default="encoder")
    options = parser.parse_args()
    run = one_run if options.model == "encoder" else path_run
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        parser.error("set SIGHTLINE_DATA to the folder that holds the data sets")
    for name, wanted in SETS:
        runs = []
        for seed in options.seeds:
            start = time.process_time()
            runs.append(run(Path(data) / "grail", name, seed))
            figures = ", ".join(f"{key} {value:.3f}" for key, value in runs[-1].items())
            print(f"{name} seed {seed}: {figures} ({time.process_time() - start:.0f} CPU s)")
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


class Encoder(nn.Module):
    """64 numbers per entity from edges alone, and the score of a question from these numbers.

    Likeness: which directed relations an entity has, refined round by round by what its neighbours
    are like.
    Identity: a random direction per entity, mixed round by round with its neighbours', so that
    entities with short paths between them are close. Neither is learnt per entity.
    """

    def __init__(self, rels: int) -> None:
        super().__init__()
        width = LIKENESS + IDENTITY
        self.token = nn.Parameter(0.3 * torch.randn(rels, LIKENESS))
        self.first = nn.Linear(LIKENESS + 1, LIKENESS)
        self.scale = nn.Parameter(1.0 + 0.1 * torch.randn(ROUNDS, rels, LIKENESS))
        self.shift = nn.Parameter(0.1 * torch.randn(ROUNDS, rels, LIKENESS))
        self.trust = nn.Parameter(torch.zeros(ROUNDS, rels))
        self.keep = nn.Parameter(torch.zeros(ROUNDS))
        self.refine = nn.ModuleList(
            nn.Sequential(
                nn.Linear(2 * LIKENESS + 1, HIDDEN),
                nn.LayerNorm(HIDDEN),
                nn.SiLU(),
                nn.Dropout(DROPOUT),
                nn.Linear(HIDDEN, LIKENESS),
            )
            for _ in range(ROUNDS)
        )
        self.rel = nn.Parameter(0.1 * torch.randn(rels, width))
        self.near = nn.Parameter(5.0 * torch.ones(rels, 1))
        self.read = nn.Linear(width, HIDDEN)
        self.gate = nn.Embedding(rels, HIDDEN)
        self.move = nn.Embedding(rels, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(HIDDEN, width)
        nn.init.zeros_(self.out.weight)

    def encode(self, entities: int, facts: Ids) -> Tensor:
        """float32 ``(entities, 64)`` from facts in both directions, int32 ``(F, 3)``."""
        head, rel, tail = torch.from_numpy(facts.astype(np.int64)).T
        degree = torch.bincount(head, minlength=entities).clamp(min=1)[:, None]
        log_degree = degree.log()

        def total(messages: Tensor) -> Tensor:
            return torch.zeros(entities, messages.shape[1]).index_add(0, head, messages)

        x = self.first(torch.cat([total(self.token[rel]) / degree, log_degree], dim=1))
        z = functional.normalize(torch.randn(entities, IDENTITY), dim=1)
        for i, refine in enumerate(self.refine):
            received = total(x[tail] * self.scale[i][rel] + self.shift[i][rel]) / degree
            x = x + refine(torch.cat([x, received, log_degree], dim=1))
            near = total(z[tail] * torch.sigmoid(self.trust[i][rel])[:, None]) / degree.sqrt()
            z = functional.normalize(z * self.keep[i].exp() + near, dim=1)
        return torch.cat([x, z], dim=1)

    def scores(self, vectors: Tensor, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all entities: float32 ``(B, N)``."""
        v = vectors[head]
        hidden = self.norm(self.read(v) * (1.0 + self.gate(rel)) + self.move(rel))
        query = GAIN * v * self.rel[rel] + self.out(self.dropout(functional.silu(hidden)))
        identity = self.near[rel] * v[:, LIKENESS:]
        query = query + torch.cat([torch.zeros(len(v), LIKENESS), identity], dim=1)
        return query @ vectors.T


def one_run(folder: Path, name: str, seed: int) -> dict[str, float]:
    """The encoder: learn on one graph and measure on the other."""
    relations: dict[str, int] = {}
    first, second = read(folder / name, relations), read(folder / f"{name}_ind", relations)
    torch.manual_seed(seed)
    model = Encoder(2 * len(relations))
    learn(model, first, len(relations), np.random.default_rng(seed))
    model.eval()
    asked = with_reciprocals(second.test, len(relations))
    head, rel, _ = torch.from_numpy(asked.astype(np.int64)).T
    with torch.no_grad():
        edges = with_reciprocals(second.train, len(relations))
        scores = model.scores(model.encode(second.num_entities, edges), head, rel).numpy()
    return measure(scores, asked, second.known, seed)


def path_run(folder: Path, name: str, seed: int) -> dict[str, float]:
    """The path member: the same."""
    relations: dict[str, int] = {}
    first, second = read(folder / name, relations), read(folder / f"{name}_ind", relations)
    device = torch.device("cpu")
    trainer = PathTrainer(Questions(first, device), preset_named("standard").path, seed)
    with tempfile.TemporaryDirectory() as scratch:
        trainer.run(Path(scratch), silent)
    asked = with_reciprocals(second.test, len(relations))
    scorer = scorer_of(trainer.model, Questions(second, device).messages)
    return measure(scorer(asked[:, 0], asked[:, 1]), asked, second.known, seed)


def learn(model: Encoder, graph: LearningData, relations: int, rng: np.random.Generator) -> None:
    """Ask a part of the facts of a graph without them, again and again."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * PARTS)
    known = KnownAnswers.of_triples(graph.train, graph.num_entities, relations)
    for _ in range(EPOCHS):
        for part in np.array_split(rng.permutation(len(graph.train)), PARTS):
            rest = np.delete(graph.train, part, axis=0)
            vectors = model.encode(graph.num_entities, with_reciprocals(rest, relations))
            asked = with_reciprocals(graph.train[part], relations)
            head, rel, answer = torch.from_numpy(asked.astype(np.int64)).T
            scores = model.scores(vectors, head, rel)
            others = torch.from_numpy(other_answers(known, asked))
            loss = functional.cross_entropy(scores.masked_fill(others, -1e9), answer)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()


def other_answers(known: KnownAnswers, asked: Ids) -> np.ndarray:
    """bool ``(B, N)``: true answers beside the one that each question is about."""
    rows, columns = known.of(asked[:, 0], asked[:, 1])
    others = np.zeros((len(asked), known.num_entities), np.bool_)
    others[rows, columns] = True
    others[np.arange(len(asked)), asked[:, 2]] = False
    return others


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


if __name__ == "__main__":
    main()
