"""Made-up data of real shapes: a few hubs and many small nodes, labels like names.

Knows random numbers and the loads of a workspace; the same seed gives the same data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from sightline.graph.record.loads import Counts, LoadWriter, load_id, now
from sightline.graph.record.statements import COLUMNS, statement_schema
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import DEFAULT_BASE, RDFS_LABEL, XSD_STRING, mint

SYLLABLES = [consonant + vowel for consonant in "bdklmnrst" for vowel in "aeo"]


def scale_free(num_entities: int, num_relations: int, num_edges: int, seed: int = 0) -> np.ndarray:
    """Distinct triples without loops, int64 ``(about num_edges, 3)``.

    Entities are drawn with probability ~ (rank + 2) ** -0.5, relations with ~ 1 / rank. With six
    edges per entity the degree has mean 12, 99th percentile about 60 and maximum about 1500.
    """
    rng = np.random.default_rng(seed)
    entity = (np.arange(num_entities) + 2.0) ** -0.5
    relation = 1.0 / np.arange(1, num_relations + 1)
    heads, tails = rng.choice(num_entities, (2, num_edges), p=entity / entity.sum())
    relations = rng.choice(num_relations, num_edges, p=relation / relation.sum())
    triples = np.stack([heads, relations, tails], axis=1)
    return np.unique(triples[heads != tails], axis=0)


def star(leaves: int, others: int = 0) -> np.ndarray:
    """A hub, entity 0, with its leaves, and that many edges of five relations among the leaves."""
    leaf, zero = np.arange(1, leaves + 1), np.zeros(leaves, np.int64)
    rng = np.random.default_rng(0)
    heads, tails = rng.integers(1, leaves + 1, (2, others))
    more = np.stack([heads, rng.integers(1, 6, others), tails], axis=1)
    return np.unique(np.concatenate([np.stack([leaf, zero, zero], axis=1), more]), axis=0)


def complete(size: int) -> np.ndarray:
    """One edge between every two of ``size`` entities, and a loop at each."""
    heads, tails = np.triu_indices(size)
    return np.stack([heads, np.zeros_like(heads), tails], axis=1)


def names(count: int, seed: int = 0) -> list[str]:
    """Distinct labels of one to three words."""
    rng = np.random.default_rng(seed)
    out: dict[str, None] = {}
    while len(out) < count:
        words = rng.choice(SYLLABLES, (rng.integers(1, 4), 5))
        cut = ("".join(word[: rng.integers(3, 6)]) for word in words)
        out[" ".join(word.capitalize() for word in cut)] = None
    return list(out)


def n_triples(triples: np.ndarray) -> pl.Series:
    """One line of N-Triples per triple."""
    frame = pl.DataFrame({"h": triples[:, 0], "r": triples[:, 1], "t": triples[:, 2]})
    return frame.select(
        pl.format(
            "<urn:x:e{}> <urn:x:r{}> <urn:x:e{}> .", pl.col("h"), pl.col("r"), pl.col("t")
        ).alias("line")
    )["line"]


def workspace_of(
    folder: Path, triples: np.ndarray, labels: list[str] | None = None, *, copies: bool = False
) -> Snapshot:
    """A compiled workspace of triples; entity ``i`` has the label ``labels[i]``."""
    iri = {kind: mint(DEFAULT_BASE, kind, "") for kind in ("entity", "relation")}
    frame = pl.DataFrame({"h": triples[:, 0], "r": triples[:, 1], "t": triples[:, 2]}).select(
        subject=iri["entity"] + pl.col("h").cast(pl.String).str.zfill(8),
        predicate=iri["relation"] + pl.col("r").cast(pl.String),
        object=iri["entity"] + pl.col("t").cast(pl.String).str.zfill(8),
        datatype=pl.lit(None, pl.String),
    )
    if labels is not None:
        texts = pl.DataFrame({"i": range(len(labels)), "object": labels}).select(
            subject=iri["entity"] + pl.col("i").cast(pl.String).str.zfill(8),
            predicate=pl.lit(RDFS_LABEL),
            object="object",
            datatype=pl.lit(XSD_STRING),
        )
        frame = pl.concat([frame, texts])
    missing = [pl.lit(None, pl.String).alias(name) for name in ("language", "graph")]
    statements = frame.with_columns(*missing).with_row_index("row", 1).select(COLUMNS)
    workspace = Workspace.create(folder)
    name = load_id("made up", "", "", "facts")
    with workspace.lock(), LoadWriter(workspace, name, "made-up.csv") as writer:
        writer.write(statements.cast(statement_schema()))  # type: ignore[arg-type]
        size = statements.height
        writer.commit(
            sha256="",
            role="facts",
            counts=Counts(size, size, 0, 0, size),
            media_type="text/csv",
            started=now(),
        )
    return compile_snapshot(workspace, rdf=False, copies=copies)
