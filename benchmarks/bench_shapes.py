"""A million facts against shapes of SHACL Core, beside pySHACL on a hundredth of them.

The peer's time grows with the facts: it is measured on a hundredth, and told per 10,000 facts. Both
read the loads, and find as much there.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
from measure import Result, cpu_seconds

from sightline.graph.shapes.facts import Facts
from sightline.graph.shapes.validate import by_pyshacl, read_shapes, validate
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import DEFAULT_BASE
from sightline.ingest.load import ingest

#: Facts of a person: type, name, born, city and two friends.
FACTS = 6
SHAPES = f"""
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix r: <{DEFAULT_BASE}relation:> . @prefix c: <{DEFAULT_BASE}class:> .
<urn:Person> a sh:NodeShape ; sh:targetClass c:Person ;
  sh:property [ sh:path r:name ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:string ;
    sh:pattern "^[A-Z]" ; sh:maxLength 20 ] ;
  sh:property [ sh:path r:born ; sh:datatype xsd:integer ; sh:minInclusive 1900 ] ;
  sh:property [ sh:path r:city ; sh:class c:City ; sh:minCount 1 ] ;
  sh:property [ sh:path r:friend ; sh:nodeKind sh:IRI ; sh:or ( [ sh:class c:Person ]
    [ sh:class c:City ] ) ; sh:disjoint r:city ] .
<urn:City> a sh:NodeShape ; sh:targetObjectsOf r:city ; sh:property [
  sh:path [ sh:inversePath r:city ] ; sh:maxCount 1000 ] .
"""


def run(folder: Path, scale: float) -> list[Result]:
    """Check both sizes by columns, the small one by pySHACL, too."""
    (folder / "shapes.ttl").write_text(SHAPES)
    people = max(600, int(1_000_000 / FACTS * scale))
    large = snapshot_of(folder / "large", people)
    small = snapshot_of(folder / "small", max(100, people // 100))
    seconds = min(cpu_seconds(lambda: validate(large, folder / "shapes.ttl")) for _ in range(3))
    ours = sorted(map(repr, validate(small, folder / "shapes.ttl").results))
    graph = read_shapes(folder / "shapes.ttl")
    theirs: list[object] = []

    def by_peer() -> None:
        theirs.extend(by_pyshacl("shapes", graph, Facts.of(small).graph()))

    peer = cpu_seconds(by_peer) * 10_000 / Facts.of(small).statements.height
    assert len(ours) == len(theirs)
    per = 10_000 / (people * FACTS)
    details = {
        "facts": people * FACTS,
        "seconds": seconds,
        "results": len(validate(large, folder / "shapes.ttl").results),
        "times_as_fast": peer / (seconds * per),
    }
    what = "SHACL Core by columns, per 10,000 facts"
    wanted = "<= a hundredth of pySHACL"
    return [Result(what, 1000 * seconds * per, "ms", wanted, "pySHACL", 1000 * peer, details)]


def snapshot_of(folder: Path, people: int) -> Snapshot:
    """People with a name, a year, a city and two friends; a hundredth of each is wrong."""
    rng = np.random.default_rng(7)
    cities = max(5, people // 200)
    triples: list[pl.DataFrame] = []
    person = [f"<{DEFAULT_BASE}entity:p{i}>" for i in range(people)]

    def add(predicate: str, objects: list[str], subjects: list[str] = person) -> None:
        line = [f"{s} <{predicate}> {o} ." for s, o in zip(subjects, objects)]
        triples.append(pl.DataFrame({"line": line}))

    def wrong() -> np.ndarray:
        return rng.random(people) < 0.01

    city = [f"<{DEFAULT_BASE}entity:c{i}>" for i in range(cities)]
    kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    add(kind, [f"<{DEFAULT_BASE}class:Person>"] * people)
    add(kind, [f"<{DEFAULT_BASE}class:City>"] * cities, city)
    relation = f"{DEFAULT_BASE}relation:"
    add(relation + "name", [f'"{"p" if bad else "P"}erson {i}"' for i, bad in enumerate(wrong())])
    integer = "<http://www.w3.org/2001/XMLSchema#integer>"
    years = np.where(wrong(), 1800, rng.integers(1900, 2000, people))
    add(relation + "born", [f'"{year}"^^{integer}' for year in years.tolist()])
    of = rng.integers(0, cities, people)
    add(relation + "city", [person[0] if w else city[i] for w, i in zip(wrong(), of.tolist())])
    for _ in range(2):
        friends = rng.integers(0, people, people).tolist()
        add(relation + "friend", [f'"{i}"' if w else person[i] for w, i in zip(wrong(), friends)])
    file = folder.with_suffix(".nt")
    file.write_text("\n".join(itertools.chain.from_iterable(part["line"] for part in triples)))
    workspace = Workspace.create(folder)
    ingest(workspace, [file])
    return compile_snapshot(workspace, rdf=False)
