"""Entities of which nothing is known but texts: all edges of one entity in ten are taken away.

    SIGHTLINE_DATA=FOLDER python benchmarks/texts.py codex-s wn18rr [--work FOLDER]

``sightline run --preset quick`` learns what is left, with the labels and descriptions of all. Then
every entity that lost its edges is asked for those to entities that kept some, as the service is
asked: filtered, realistic ranks over all entities. Beside it stands what can be said without texts:
how often an entity is an answer, for all or for the same type, and the mean of all rows (or of the
type's). The error of the chances is that of the ten best answers to each question.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array

from sightline.distill.calibration.error import calibration_error
from sightline.distill.calibration.fit import answers_to
from sightline.distill.student.student import Student
from sightline.graph.arrays import Floats, Ids
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.models.data.dataset import spread
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.ranking import realistic_ranks

#: One entity in so many loses its edges.
LOSES = 10
#: Questions that are asked of a set, evenly.
MOST = 7000
AT_ONCE = 64
Fact = tuple[str, str, str]


def main() -> None:
    """Hide, learn and ask, for every set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--work", type=Path, help="keep splits and workspaces, and use them again")
    options = parser.parse_args()
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        parser.error("set SIGHTLINE_DATA to the folder that holds the data sets")
    for name in options.sets:
        with tempfile.TemporaryDirectory() as scratch:
            folder = (options.work or Path(scratch)) / name
            hidden = hide(Path(data) / name, folder / "split")
            if not (folder / "ws" / "current.json").exists():
                ws = str(folder / "ws")
                subprocess.run(
                    ["sightline", "run", str(folder / "split"), "-w", ws, "--preset", "quick"],
                    check=True,
                )
            for line, figure in measure(folder / "ws", hidden).items():
                print(f"{name} {line}: {figure}", flush=True)


def hide(source: Path, split: Path) -> list[Fact]:
    """Write a split without the edges of some entities; those of train and valid that link one of
    these with one that has edges left."""
    parts = {role: _facts(source / f"{role}.txt") for role in ("train", "valid", "test")}
    entities = sorted({end for head, _, tail in parts["train"] for end in (head, tail)})
    without = set(random.Random(0).sample(entities, len(entities) // LOSES))
    kept = {
        role: [fact for fact in facts if not without & {fact[0], fact[2]}]
        for role, facts in parts.items()
    }
    left = {end for head, _, tail in kept["train"] for end in (head, tail)}
    split.mkdir(parents=True, exist_ok=True)
    for role, facts in kept.items():
        lines = ("\t".join(fact) + "\n" for fact in facts if {fact[0], fact[2]} <= left)
        (split / f"{role}.txt").write_text("".join(lines), encoding="utf-8")
    for table in ("entities.tsv", "relations.tsv", "definitions.txt"):
        if (source / table).exists():
            shutil.copy(source / table, split)
    both = parts["train"] + parts["valid"]
    return [
        fact
        for fact in both
        if len({fact[0], fact[2]} & left) == 1 == len({fact[0], fact[2]} & without)
    ]


def _facts(path: Path) -> list[Fact]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(head, relation, tail) for head, relation, tail in (x.split("\t") for x in lines if x)]


def measure(folder: Path, hidden: list[Fact]) -> dict[str, str]:
    """The figures of one workspace."""
    sight = Sightline.open(Workspace.open(folder))
    view, s = sight.model_view, sight.snapshot
    student = view.model.scorer
    assert isinstance(student, Student)
    relations = student.num_relations
    ids = [
        (_id(s.entity_iris, h), _id(s.relation_iris, r), _id(s.entity_iris, t))
        for h, r, t in hidden
    ]
    ids = [(h, int(view.model.relation_index[r]), t) for h, r, t in ids if r >= 0]
    facts = with_reciprocals(np.array([fact for fact in ids if fact[1] >= 0], np.int32), relations)
    own = s.degree[facts[:, 0]] == 0
    facts = facts[own]
    row = view.model.entity_index[facts[:, 2]]
    facts, row = facts[row >= 0], row[row >= 0]
    # Hidden entities are numbered after those of the model: questions are about them alone.
    anchors, anchor = np.unique(facts[:, 0], return_inverse=True)
    n = student.num_entities + len(anchors)
    asked = np.stack([anchor + student.num_entities, facts[:, 1], row], axis=1).astype(np.int32)
    answers = KnownAnswers.of_triples(_forward(asked, relations), n, relations)
    edges = s.triples()
    edges = np.stack(
        [
            view.model.entity_index[edges[:, 0]],
            view.model.relation_index[edges[:, 1]],
            view.model.entity_index[edges[:, 2]],
        ],
        1,
    )
    known = with_reciprocals(edges[(edges >= 0).all(axis=1)], relations)
    classes = len(s.class_iris) + 1
    types = np.where(s.rarest_type < 0, classes - 1, s.rarest_type)
    type_of = types[np.where(known[:, 0] >= 0, view.model.entity_ids[known[:, 0]], -1)]
    width = student.num_entities
    every, asked = _forward(asked, relations), spread(asked, MOST)
    print(f"{len(anchors)} entities, {len(asked)} questions", flush=True)

    def often(rows: Ids, keys: Ids, most: int) -> Any:
        return coo_array((np.ones(len(rows), np.float32), (keys, rows)), (most, width)).tocsr()

    counts = often(known[:, 2], known[:, 1], 2 * relations)
    typed = often(known[:, 2], known[:, 1] * classes + type_of, 2 * relations * classes)

    def by_text(who: Ids, rels: Ids) -> Floats:
        return student.scores_of(np.stack([rows[one] for one in who.tolist()]), rels)

    def by_type(who: Ids, rels: Ids) -> Floats:
        own: Floats = typed[rels * classes + types[anchors[who - width]]].toarray()
        return own + counts[rels].toarray() * np.float32(1e-6)

    def by_mean(who: Ids, rels: Ids) -> Floats:
        return student.scores_of(np.broadcast_to(mean, (len(who), len(mean))), rels)

    mean = student.vectors.mean(axis=0)
    rows = {
        i + width: view.start(e) if len(view.nearest_in_text(e)) else mean
        for i, e in enumerate(anchors.tolist())
    }
    ways: dict[str, Callable[[Ids, Ids], Floats]] = {
        "frequency": lambda _, rels: counts[rels].toarray(),
        "frequency for the same type": by_type,
        "mean row": by_mean,
        "rows of the nearest texts": by_text,
    }
    found = {}
    for name, scorer in ways.items():
        ranks = []
        for start in range(0, len(asked), AT_ONCE):
            heads, rels, true = asked[start : start + AT_ONCE].T
            scores = np.array(scorer(heads, rels), np.float32)
            scores[answers.others(heads, rels, true)] = -np.inf
            ranks.append(realistic_ranks(scores, true))
        rank = np.concatenate(ranks)
        found[name] = f"MRR {np.mean(1 / rank):.3f}, Hits@10 {np.mean(rank <= 10):.3f}"
    if student.texts is not None:
        nothing = KnownAnswers.of_triples(asked[:0], n, relations)
        best = answers_to(by_text, np.unique(asked[:, :2], axis=0), nothing, every)
        for name, curve in ("such entities", student.texts), ("all others", student.calibration):
            said = curve.of_features(best.log_probability, best.rank, best.rel)
            error = calibration_error(said, best.true, best.question)
            within = f"({error.low:.3f} to {error.high:.3f}), base rate {error.base_rate:.3f}"
            found[f"ECE by the curve of {name}"] = f"{error.ece:.3f} {within}"
    return found


def _id(iris: Any, name: str) -> int:
    found = [iris.find(f"urn:sightline:{kind}:{name}") for kind in ("entity", "relation")]
    return next((one for one in found if one is not None), -1)


def _forward(asked: Ids, relations: int) -> Ids:
    """Directed facts as facts."""
    turned = asked[:, 1] >= relations
    ahead = np.where(turned[:, None], asked[:, ::-1], asked)
    return np.stack([ahead[:, 0], asked[:, 1] % relations, ahead[:, 2]], axis=1).astype(np.int32)


if __name__ == "__main__":
    main()
