"""Raw files in, statements out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from sightline.graph.record.loads import Load
from sightline.graph.record.statements import QUALIFIERS, statement_schema
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.discover import survey
from sightline.ingest.load import Result, ingest
from sightline.ingest.profile.tables import Profiled
from sightline.ingest.source import Source

BASE = "urn:sightline:"
SHORT = {
    BASE: "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs:",
    "http://www.w3.org/2001/XMLSchema#": "xsd:",
    "http://www.w3.org/2004/02/skos/core#": "skos:",
    "https://schema.org/": "schema:",
}

Statement = tuple[str, str, str]
Files = dict[str, str | bytes]


def discover(sources: Sequence[str | Path]) -> list[Source]:
    """The files behind paths, folders and globs; raises the first error."""
    found = survey(sources)
    for error in found.failed:
        raise error
    return found.sources


def ends_and_links(tables: Sequence[Profiled]) -> Iterator[tuple[str, str, str]]:
    """Table, column and the table referred to, of all links that were found."""
    for table in tables:
        if table.same_as is not None:
            yield table.name, table.key[0], table.same_as.name
        for column, link in table.links.items():
            if link.table is not None:
                yield table.name, column, link.table.name
        for columns, link in table.together.items():
            if link.table is not None:
                yield table.name, "+".join(columns), link.table.name


def statements(load: Load) -> pl.DataFrame:
    """All statements of a load."""
    none = pl.DataFrame(schema=statement_schema())
    return pl.concat([none, *map(pl.read_parquet, load.statements)], how="diagonal")


def short(term: str) -> str:
    """An IRI under one of the usual prefixes, shortened."""
    for iri, prefix in SHORT.items():
        term = term.replace(iri, prefix, 1) if term.startswith(iri) else term
    return term


def triples(load: Load) -> list[Statement]:
    """Subject, predicate and object with shortened IRIs, in order."""
    columns = statements(load).select("subject", "predicate", "object")
    return [(short(s), short(p), short(o)) for s, p, o in columns.rows()]


def facts(load: Load) -> list[Statement]:
    """As ``triples``, without the class of a table and the keys of its records."""
    return [
        (s, p, o)
        for s, p, o in triples(load)
        if p != "skos:notation" and not (p == "rdf:type" and o.startswith("class:"))
    ]


def remarks(load: Load) -> list[list[Statement]]:
    """What each statement says about itself: key, value and datatype with shortened IRIs."""
    lists = statements(load)[QUALIFIERS].to_list()
    parts = [[(r["key"], r["value"], r["datatype"] or "") for r in row or ()] for row in lists]
    return [[(short(key), value, short(kind)) for key, value, kind in row] for row in parts]


def quarantined(
    workspace: Workspace, load: Load, values: bool = False
) -> list[tuple[int, str, str]]:
    """Line, reason and raw text of the rejected records of a load, or of values set aside."""
    path = workspace.quarantine / load.id / "rejected.jsonl"
    if not path.exists():
        return []
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert {record["file"] for record in records} == {load.source}
    return [(r["line"], r["reason"], r["raw"]) for r in records if ("column" in r) == values]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws")


@pytest.fixture
def load(workspace: Workspace, tmp_path: Path) -> Callable[..., list[Result]]:
    """Write files and load them, with a mapping if one is given; counts must add up."""

    def run(files: Files, mapping: str | None = None, strict: bool = False) -> list[Result]:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        map_path = None
        if mapping is not None:
            map_path = tmp_path / "map.yaml"
            map_path.write_text(mapping)
        sources = [tmp_path / name for name in files]
        results = ingest(workspace, sources, mapping=map_path, strict=strict)
        for result in results:
            counts = result.load.counts
            assert counts.read == counts.loaded + counts.duplicate + counts.rejected
            assert counts.rejected == len(quarantined(workspace, result.load))
            assert counts.statements == statements(result.load).height
        return results

    return run
