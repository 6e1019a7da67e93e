"""The W3C's test suites of RDF 1.1 and 1.2, as far as a graph can hold what they say."""

from __future__ import annotations

import re
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
from sightline.graph.record.statements import QUALIFIERS
from sightline.ingest.formats import known
from sightline.ingest.source import Source, StatementFormat
from tests.graph.conftest import canonical
from tests.needs import data_set

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
#: The parser keeps XML in literals as it is written, where the suite wants its canonical form.
CANONICAL_XML = {f"other statements: xml-canon/test00{n}.rdf" for n in (1, 2)}
MODERN = re.compile(r"<<\(|@[A-Za-z0-9-]+--(ltr|rtl)")


class Case(NamedTuple):
    suite: str
    kind: str
    action: Path
    result: Path | None
    base: str


def cases(folder: Path) -> Iterator[Case]:
    for manifest in sorted(folder.rglob("manifest.ttl")):
        here = f"file://{manifest.parent}/"
        store = ox.Store()
        store.load(path=manifest, format=ox.RdfFormat.TURTLE, base_iri=here + "manifest.ttl")
        bases = store.quads_for_pattern(None, ox.NamedNode(MF + "assumedTestBase"), None)
        base = next((q.object.value for q in bases), "http://x.example/suite/")  # type: ignore[union-attr]
        for quad in store.quads_for_pattern(None, ox.NamedNode(MF + "action"), None):
            found = {
                q.predicate.value: q.object
                for q in store.quads_for_pattern(quad.subject, None, None)
            }
            action, result = quad.object, found.get(MF + "result")
            name = action.value.removeprefix(here)  # type: ignore[union-attr]
            yield Case(
                str(manifest.parent.relative_to(folder)).partition("/")[0],
                found[TYPE.value].value.rpartition("#")[2],  # type: ignore[union-attr]
                manifest.parent / name,
                None if result is None else Path(result.value.removeprefix("file://")),  # type: ignore[union-attr]
                base + name,
            )


def outcome(case: Case) -> str:
    """``as expected``, or what is not."""
    path = case.action
    format = known.recognise(path, path.suffix, path.read_bytes())
    assert isinstance(format, StatementFormat)
    # Files are called by their name in a folder ``file``; this one takes the place of the suite's.
    parent, folder, _ = case.base.rsplit("/", 2)
    frames, why = [], ""
    try:
        for batch in format.statements(Source(path, format), "0" * 64, parent + "/", []):
            frames.append(batch.frame)
            why = why or next((r.reason for r in batch.rejected), "")
    except SightlineError as error:
        why = str(error).partition(": ")[2]
    frame = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
    if "Negative" in case.kind:
        return "as expected" if why else f"taken though it is wrong: {path.parent.name}/{path.name}"
    if why:
        return (
            f"set aside: {why}"
            if "RDF 1.2" in why or "speaks of" in why
            else f"refused: {path.parent.name}/{path.name}: {why}"
        )
    if QUALIFIERS in frame.columns:
        return "as qualifiers"
    if case.result is None or "Eval" not in case.kind:
        return "as expected"
    expected = case.result.read_text()
    kind = {".nt": ox.RdfFormat.N_TRIPLES, ".nq": ox.RdfFormat.N_QUADS}[case.result.suffix]
    # Compared as quads: the default graph is that of no name.
    wanted = expected.replace(f"<{parent}/{folder}/", f"<{parent}/file/")
    ours = [] if frame.is_empty() else ox.parse(n_quads(frame), format=ox.RdfFormat.N_QUADS)
    if canonical(ours) == canonical(ox.parse(wanted, format=kind)):
        return "as expected"
    if MODERN.search(expected):
        return "a reifier without remarks"
    return f"other statements: {path.parent.name}/{path.name}"


@pytest.mark.parametrize("version", ["rdf11", "rdf12"])
def test_the_suites_of_the_w3c(tmp_path: Path, version: str) -> None:
    with tarfile.open(data_set("conformance") / "w3c-rdf.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    found = Counter(outcome(case) for case in cases(tmp_path / "w3c-rdf" / version))
    print(version, found)
    rest = {what for what in found if what.startswith(("refused", "other", "taken"))}
    assert rest <= CANONICAL_XML
    assert found["as expected"] >= {"rdf11": 990, "rdf12": 183}[version]
