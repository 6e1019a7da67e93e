"""The test cases of RML: those of the current vocabulary, and the older ones."""

from __future__ import annotations

import csv
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyoxigraph as ox
import pytest

from sightline.graph.errors import SightlineError
from sightline.graph.rdf.index import n_quads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.graph.conftest import canonical
from tests.needs import data_set

BASE = '[graph]\nbase = "http://example.com/"\n'
KINDS = ("CSV", "JSON", "XML")
#: What is not as the cases want it, and why.
OTHERS = {
    "rml-core": {
        "RMLTC0000-JSON": "refused",  # a source without a record is said, not passed over
        "RMLTC0025b-JSON": "taken though it is wrong",  # an array's elements, without [*]
        "RMLTC0027b-JSON": "refused",  # IRIs with blanks in them, which no RDF file can hold
    },
    "rml-test-cases": {
        **{f"RMLTC0000-{kind}": "refused" for kind in KINDS},
        # A subject that is said to be a literal is an error in R2RML and in the newer cases.
        **{f"RMLTC0004b-{kind}": "refused" for kind in KINDS},
    },
}


class Case(NamedTuple):
    folder: Path
    wrong: bool


def cases(folder: Path) -> Iterator[Case]:
    metadata = folder / "metadata.csv"
    if metadata.is_file():
        with metadata.open() as lines:
            for row in csv.DictReader(lines):
                yield Case(folder / row["ID"], row["error"].lower() == "true")
        return
    for one in sorted(folder.iterdir()):
        output = one / "output.nq"
        empty = not (output.is_file() and output.read_text().strip())
        if not one.name.endswith("PostgreSQL"):  # they ask by queries of their own: not read
            yield Case(one, empty and "0000" not in one.name)


def outcome(case: Case, scratch: Path) -> str:
    folder = Workspace.create(scratch / case.folder.name).path
    (folder / "sightline.toml").write_text(BASE)
    ws = Workspace.open(folder)
    sources = [p for p in sorted(case.folder.iterdir()) if p.suffix in (".csv", ".json", ".xml")]
    try:
        results = ingest(ws, sources, mapping=case.folder / "mapping.ttl", strict=case.wrong)
    except SightlineError:
        return "as expected" if case.wrong else "refused"
    if case.wrong:
        return "taken though it is wrong"
    files = [
        file
        for result in results
        for file in (ws.path / "loads" / result.load.id).glob("statements-*.parquet")
    ]
    lines = n_quads(pl.concat(map(pl.read_parquet, files), how="diagonal"))
    found = ox.parse(lines, format=ox.RdfFormat.N_QUADS)
    wanted = ox.parse((case.folder / "output.nq").read_bytes(), format=ox.RdfFormat.N_QUADS)
    return "as expected" if canonical(found) == canonical(wanted) else "other statements"


@pytest.mark.parametrize("suite", OTHERS)
def test_the_cases_of_rml(tmp_path: Path, suite: str) -> None:
    with tarfile.open(data_set("conformance") / f"{suite}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    found: Counter[str] = Counter()
    others = {}
    for case in cases(tmp_path / suite):
        what = outcome(case, tmp_path / "workspaces")
        found[what] += 1
        if what != "as expected":
            others[case.folder.name] = what
    print(suite, dict(found))
    assert others == OTHERS[suite]
