"""How good recommendations are: of each viewer one film that was liked is hidden and looked for.

    python examples/films/measure.py FOLDER [--train] [--seed 0]

Writes films into FOLDER/data without what is hidden, and has Sightline read them into FOLDER/ws:
its foundation member answers, which has not learnt from them; with --train also the student that
has. Beside it popularity and item-kNN. All rank every film that a viewer has not rated. One viewer
in five is not in the graph: such ones are asked about by the first edges alone. Prints recall@10
and NDCG@10.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from make import make

from sightline.cli.main import run
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds import inductive, predictions
from sightline.insights.kinds.inductive import Edge

#: Stars from which a film was liked; answers looked at; items near another that count.
LIKED, TOP, NEAR = 4, 10, 50
#: Every so many viewers one is new; what is known of such a one.
NEW, FIRST = 5, 5

BASE = "urn:sightline:entity:"
Row = tuple[str, str, int]
Rank = Callable[[str, list[str]], list[str]]


def split(folder: Path, seed: int) -> tuple[list[Row], dict[str, str], dict[str, list[str]]]:
    """Hide what is looked for in ``ratings.csv`` and ``users.csv``: the ratings that are left, the
    hidden film of each viewer, and what is known of those who are left out of the graph."""
    rng = random.Random(seed)
    header, *lines = _read(folder / "ratings.csv")
    hidden: dict[str, str] = {}
    known: dict[str, list[str]] = {}
    for number, user in enumerate(dict.fromkeys(line[0] for line in lines)):
        liked = [line[1] for line in lines if line[0] == user and int(line[2]) >= LIKED]
        if len(liked) > FIRST:
            rng.shuffle(liked)
            hidden[user] = liked[0]
            if number % NEW == 0:
                known[user] = liked[1 : 1 + FIRST]
    left = [one for one in lines if one[0] not in known and hidden.get(one[0]) != one[1]]
    _write(folder / "ratings.csv", [header, *left])
    users = _read(folder / "users.csv")
    _write(folder / "users.csv", [row for row in users if row[0] not in known])
    return [(user, film, int(stars)) for user, film, stars, _ in left], hidden, known


def _read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def baselines(rows: list[Row], near: int = NEAR) -> dict[str, Rank]:
    """Popularity, and item-kNN: films whose viewers are those of the films that one has seen
    (cosine; Sarwar and others 2001)."""
    users = {user: i for i, user in enumerate(dict.fromkeys(row[0] for row in rows))}
    films = {film: i for i, film in enumerate(dict.fromkeys(row[1] for row in rows))}
    seen = np.zeros((len(users), len(films)))
    for user, film, _ in rows:
        seen[users[user], films[film]] = 1
    count = seen.sum(axis=0)
    cosine = seen.T @ seen / np.sqrt(np.outer(count, count))
    np.fill_diagonal(cosine, 0)
    cosine[cosine < np.sort(cosine, axis=0)[-min(near, len(films))]] = 0

    def ranked(score: np.ndarray, without: list[str]) -> list[str]:
        names = list(films)
        order = (names[i] for i in np.argsort(-score, kind="stable"))
        return [film for film in order if film not in without][:TOP]

    def by_near(_: str, known: list[str]) -> list[str]:
        return ranked(cosine[:, [films[f] for f in known if f in films]].sum(axis=1), known)

    return {"popularity": lambda _, known: ranked(count, known), "item-kNN": by_near}


def sightline(workspace: Path) -> tuple[str, Rank]:
    """What a workspace serves, asked about a viewer of the graph, or one by the first edges."""
    sight = Sightline.open(Workspace.open(workspace))
    assert sight.model is not None

    def rank(user: str, known: list[str]) -> list[str]:
        if sight.snapshot.entity_iris.find(f"{BASE}user/{user}") is None:
            edges = tuple(Edge("rating", f"{BASE}film/{film}") for film in known)
            asked = inductive.InductiveQuestion(edges, "rating", "out", TOP, 60_000)
            found = inductive.KIND.answer(sight, asked).related
        else:
            question = predictions.PredictionQuestion(
                f"{BASE}user/{user}", "rating", None, TOP, True
            )
            found = predictions.KIND.answer(sight, question).predictions
        return [fact.tail.iri.rpartition("/")[2] for fact in found]

    return sight.model.scorer.name, rank


def measure(
    folder: Path, seed: int = 0, train: bool = False, users: int = 300, films: int = 220
) -> dict[str, dict[str, list[float]]]:
    """Recall@10, NDCG@10 and how many were asked about, of each way to rank, for viewers of the
    graph and for new ones."""
    data, workspace = folder / "data", folder / "ws"
    make(data, users, films, seed)
    rows, hidden, known = split(data, seed)
    seen: dict[str, list[str]] = {}
    for user, film, _ in rows:
        seen.setdefault(user, []).append(film)
    seen |= known
    ways = baselines(rows)
    for command in (["ingest", str(data)], ["compile"]):
        assert run([*command, "-w", str(workspace)]) == 0
    name, rank = sightline(workspace)
    ways[name] = rank
    if train:
        assert run(["run", str(data), "--preset", "quick", "-w", str(workspace)]) == 0
        name, rank = sightline(workspace)
        ways[name] = rank
    out: dict[str, dict[str, list[float]]] = {}
    for name, rank in ways.items():
        out[name] = {}
        for who, asked in (("known", hidden.keys() - known.keys()), ("new", known.keys())):
            places = []
            for user in sorted(asked):
                found = rank(user, seen[user])
                places.append(found.index(hidden[user]) if hidden[user] in found else None)
            gains = [0.0 if at is None else 1 / np.log2(at + 2) for at in places]
            recall = sum(at is not None for at in places) / len(places)
            out[name][who] = [recall, float(np.mean(gains)), len(places)]
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", action="store_true")
    for name, figures in measure(**vars(parser.parse_args())).items():
        for who, (recall, ndcg, count) in figures.items():
            print(f"{name}, {who} viewers ({count}): recall@10 {recall:.3f}, NDCG@10 {ndcg:.3f}")
