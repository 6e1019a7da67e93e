"""The foundation member: learn it from public graphs, and ask it about graphs that it never saw.

    SIGHTLINE_DATA=FOLDER python benchmarks/foundation.py pretrain --out FOLDER [--steps 12000]
    SIGHTLINE_DATA=FOLDER python benchmarks/foundation.py pretrain --out FOLDER --without codex-s
    SIGHTLINE_DATA=FOLDER python benchmarks/foundation.py zeroshot [--folder FOLDER] codex-s

``pretrain`` learns from the training facts of the graphs of ``SHARE``, whose licences allow it, and
writes ``foundation.npz`` to its folder: the mean of the last checkpoints. A graph that is left out
gives its share to invented ones. One line of JSON per checkpoint; a second call goes on.

``zeroshot`` reads each graph's ``train.txt``, asks its ``test.txt`` in both directions, and ranks
all entities, other known answers left out and ties counted against the model. Where a folder has no
split a twentieth of its facts is drawn and asked (hetionet-sample). Beside it stands how often an
entity answers such questions, which needs no model.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from inductive import read
from mixture import Graph, shape_of
from pretraining import SYNTHETIC, Mixture, Pretraining

from sightline.graph.arrays import Floats, Ids
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.foundation.arrays import FoundationArrays
from sightline.models.foundation.file import read as load
from sightline.models.foundation.file import shipped, weights_in, write
from sightline.models.foundation.relations import RelationGraph

#: How often each graph is drawn.
SHARE = {
    "codex-s": 0.35,
    "wn18rr": 0.2,
    "umls": 0.07,
    "kinship": 0.06,
    "nations": 0.07,
    SYNTHETIC: 0.25,
}
#: Share of the facts that is asked of a graph without a split.
DRAWN = 0.05
#: Facts of each graph that the file says it learnt from.
KEPT = 24
AT_ONCE = 16


def main() -> None:
    """Pre-train, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("pretrain")
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--steps", type=int, default=12_000)
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--without", nargs="*", default=[])
    one.set_defaults(run=pretrain)
    two = commands.add_parser("zeroshot")
    two.add_argument("graphs", nargs="+")
    two.add_argument("--folder", type=Path, help="of a pre-training; else the shipped file")
    two.add_argument("--part", choices=("valid", "test", "both"), default="test")
    two.add_argument("--most", type=int, default=0, help="questions of a graph at most; 0: all")
    two.set_defaults(run=zeroshot)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.run(options)


def data_folder() -> Path:
    """The folder that SIGHTLINE_DATA names."""
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        raise SystemExit("set SIGHTLINE_DATA to the folder that holds the data sets")
    return Path(data)


def pretrain(options: argparse.Namespace) -> None:
    """Learn, and write the mean of the last checkpoints."""
    share = {name: part for name, part in SHARE.items() if name not in options.without}
    share[SYNTHETIC] += 1 - sum(share.values())
    data = {name: read(data_folder() / name, {}) for name in share if name != SYNTHETIC}
    graphs = {name: Graph(name, one.train) for name, one in data.items()}
    run = Pretraining(Mixture(graphs, share), options.steps, options.seed)
    learnt = run.run(options.out, lambda said: print(json.dumps(said), flush=True))
    about = {"share": share, "steps": run.step, "answers": run.answers, "seed": options.seed}
    about["facts"] = {name: facts_of(one) for name, one in data.items()}
    write(options.out, learnt, about)


def facts_of(data: LearningData) -> list[str]:
    """A few training facts by name, by which the graph is known again."""
    some = data.train[np.random.default_rng(0).permutation(len(data.train))[:KEPT]].tolist()
    names, relations = data.entity_iris, data.relation_iris
    return [f"{names[head]}\t{relations[rel]}\t{names[tail]}" for head, rel, tail in some]


def zeroshot(options: argparse.Namespace) -> None:
    """Measure a file on graphs."""
    weights = weights_in(shipped() if options.folder is None else load(options.folder))
    for name in options.graphs:
        seen, asked, known, n, r = split(data_folder() / name, options.part)
        started = time.process_time()
        graph = RelationGraph.of(seen, n, r)
        arrays = FoundationArrays(weights, graph)
        read_in = time.process_time() - started
        questions = with_reciprocals(asked, r)
        if options.most and len(questions) > options.most:
            order = np.random.default_rng(0).permutation(len(questions))
            questions = questions[order[: options.most]]
        questions = questions[np.argsort(questions[:, 1], kind="stable")]
        ranks, often = np.zeros(0), np.zeros(0)
        started = time.process_time()
        for start in range(0, len(questions), AT_ONCE):
            some = questions[start : start + AT_ONCE]
            scores = arrays.scores(some[:, 0], some[:, 1])
            ranks = np.append(ranks, ranks_of(scores, some, known))
            answers = np.stack([graph.of_answers(rel) @ [1, 9, 0, 0.01] for rel in some[:, 1]])
            often = np.append(often, ranks_of(answers.astype(np.float32), some, known))
        spent = time.process_time() - started
        print(
            json.dumps(
                {
                    "graph": name,
                    "part": options.part,
                    "entities": n,
                    "relations": r,
                    "facts": len(seen),
                    "questions": len(questions),
                    **figures("", ranks),
                    **figures("frequency ", often),
                    "read_cpu_s": round(read_in, 3),
                    "question_cpu_ms": round(1000 * spent / len(questions), 2),
                }
            ),
            flush=True,
        )


def split(folder: Path, part: str) -> tuple[Ids, Ids, KnownAnswers, int, int]:
    """What is seen, what is asked, all known answers, and how many entities and relations."""
    if (folder / "train.txt").exists():
        data = read(folder, {})
        facts = {"valid": data.select, "test": data.test}
        asked = np.concatenate(list(facts.values())) if part == "both" else facts[part]
        return data.train, asked, data.known, data.num_entities, data.num_relations
    (file,) = folder.glob("*.sif.gz")
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        rows = [line.rstrip("\r\n").split("\t") for line in stream][1:]
    columns = [np.unique(column, return_inverse=True)[1] for column in np.array(rows)[:, :2].T]
    entities = np.unique(np.array(rows)[:, [0, 2]], return_inverse=True)[1].reshape(-1, 2)
    facts = np.stack([entities[:, 0], columns[1], entities[:, 1]], axis=1).astype(np.int32)
    facts = np.unique(facts, axis=0)
    facts = facts[np.random.default_rng(0).permutation(len(facts))]
    cut, (n, r) = int(DRAWN * len(facts)), shape_of(facts)
    return facts[cut:], facts[:cut], KnownAnswers.of_triples(facts, n, r), n, r


def ranks_of(scores: Floats, asked: Ids, known: KnownAnswers) -> np.ndarray:
    """Filtered ranks of answers, ties counted against them."""
    own = scores[np.arange(len(asked)), asked[:, 2]][:, None]
    others = known.others(*np.ascontiguousarray(asked.T))
    scores = scores.copy()
    scores[others] = -np.inf
    return (scores >= own).sum(axis=1)


def figures(name: str, ranks: np.ndarray) -> dict[str, float]:
    """MRR and Hits@10."""
    return {
        f"{name}mrr": round(float(np.mean(1 / ranks)), 4),
        f"{name}hits@10": round(float(np.mean(ranks <= 10)), 4),
    }


if __name__ == "__main__":
    main()
