"""Entity search over many labels: how long an answer takes, and whether one typo is forgiven."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from measure import Result, cpu_milliseconds
from synthetic import names, scale_free, workspace_of

from sightline.graph.snapshot.search import build, normalise

QUERIES = 500


def run(folder: Path, scale: float) -> list[Result]:
    """Time prefixes and misspelt labels; count how often the meant entity is among ten."""
    count = int(100_000 * scale)
    labels = names(count)
    snapshot = workspace_of(folder, scale_free(count, 5, count), labels)
    rng = np.random.default_rng(3)
    meant = [int(i) for i in rng.choice(count, QUERIES, replace=False) if len(labels[i]) >= 5]
    prefixes = [labels[i][: rng.integers(3, 9)] for i in meant]
    misspelt = [typo(labels[i], rng) for i in meant]
    snapshot.search(prefixes[0])
    snapshot.search(misspelt[0])  # compiles the kernels
    first = {snapshot.entity_iris[e][-8:]: e for e in range(snapshot.num_entities)}
    hits = [
        first[f"{i:08d}"] in {match.entity for match in snapshot.search(text)}
        for i, text in zip(meant, misspelt)
    ]
    details = {"labels": count, "queries": len(meant)}
    return [
        Result(what, float(np.median(times)), "ms", "<= 1 ms", None, None, {**details, "p99": p99})
        for what, queries in (("search a prefix", prefixes), ("search with a typo", misspelt))
        for times in (cpu_milliseconds(snapshot.search, queries),)
        for p99 in (float(np.quantile(times, 0.99)),)
    ] + [
        Result(
            "typo, made-up labels: hit among ten", float(np.mean(hits)), "", "", None, None, details
        ),
        *_real_labels(),
    ]


def _real_labels() -> list[Result]:
    """The same on the names of FB15k-237, where ``SIGHTLINE_DATA`` holds them. A hit is an entity
    of the meant label: many entities share one."""
    path = Path(os.environ.get("SIGHTLINE_DATA", ".")) / "fb15k-237" / "names.txt"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    labels = [line.split("\t")[1].replace("_", " ") for line in lines]
    index = build(labels, np.arange(len(labels), dtype=np.int32), np.ones(len(labels), np.bool_))
    degree, rng = np.ones(len(labels), np.int32), np.random.default_rng(0)
    normal = [normalise(label) for label in labels]
    meant = [i for i in rng.choice(len(labels), 3000, replace=False) if len(normal[i]) >= 5]
    hits = [
        any(
            normal[m.entity] == normal[i]
            for m in index.search(typo(labels[i], rng), degree, None, 10)
        )
        for i in meant
    ]
    details = {"labels": len(labels), "queries": len(meant), "data": "FB15k-237 names"}
    what = "typo, real labels: hit among ten"
    return [Result(what, float(np.mean(hits)), "", ">= 0.99", None, None, details)]


def typo(text: str, rng: np.random.Generator) -> str:
    """One letter replaced, dropped, doubled or swapped with the next."""
    at = int(rng.integers(len(text) - 1))
    return [
        text[:at] + "x" + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[: at + 1] + text[at:],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    ][rng.integers(4)]
