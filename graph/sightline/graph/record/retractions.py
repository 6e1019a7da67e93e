"""Loads that take single statements back: compile leaves those out until the load is retracted.

Knows statements as plain values; knows no snapshot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple

from sightline.graph.record.loads import OF_TEXTS, Counts, Load, LoadWriter, load_id, now
from sightline.graph.record.statements import TERMS, statement_schema
from sightline.graph.snapshot.statement import Statement
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import SCHEMA, SCHEMA_HTTP


def take_back(
    workspace: Workspace, statements: Sequence[Statement], source: str, *, of_texts: bool = False
) -> Load:
    """Take statements out of the graph; it takes effect with the next compile.

    The same statements are one load, which comes back where it was retracted. A term of schema.org
    is taken back under both of its names.

    Args:
        source: what lists of loads call it.
        of_texts: only texts state them, so that nothing else is made anew.

    Raises:
        NotWritable, DiskFull, WorkspaceLocked
    """
    import polars as pl

    started, count = now(), len(statements)
    digest = hashlib.sha256(repr([astuple(one) for one in statements]).encode()).hexdigest()
    mapping = OF_TEXTS if of_texts else ""
    name = load_id(digest, mapping, workspace.settings.base, "retractions")
    with workspace.lock():
        if (workspace.loads_folder / name).exists():
            workspace.set_retracted(name, False)
            return Load.read(workspace.loads_folder / name)
        named = pl.DataFrame(
            [astuple(one) for one in statements], dict.fromkeys(TERMS, pl.String), orient="row"
        )
        named = named.with_columns(row=pl.int_range(1, count + 1))
        older = named.with_columns(
            pl.col(c).str.replace(f"^{SCHEMA}", SCHEMA_HTTP) for c in TERMS[:3]
        )
        rows = pl.concat([named, older]).unique(maintain_order=True)
        rows = rows.with_columns(graph=pl.lit(None, pl.String)).select(list(statement_schema()))
        with LoadWriter(workspace, name, source) as writer:
            writer.write(rows)
            return writer.commit(
                sha256=digest,
                role="retractions",
                counts=Counts(count, count, 0, 0, count),
                media_type="text/plain",
                started=started,
                mapping=mapping,
            )
