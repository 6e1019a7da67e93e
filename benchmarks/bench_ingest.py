"""Tables to loads: with the profile applied, and with a mapping beside pandas with rdflib and
morph-kgc, which make the same statements.

morph-kgc wants an environment of its own: ``MORPH_KGC`` names the interpreter of one. Everything is
counted after imports. rdflib reads a part of the rows: what one takes does not depend on them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import polars as pl
import rdflib
from measure import Result, cpu_seconds
from synthetic import scale_free

#: rdflib reads this part of the rows.
PART = 10
#: The median of so many loads counts.
RUNS = 5
BASE = "http://example.org/"
MAPPING = f"""
prefixes:
  ex: "{BASE}"
  rdfs: "http://www.w3.org/2000/01/rdf-schema#"
  xsd: "http://www.w3.org/2001/XMLSchema#"
mappings:
  city:
    sources:
      - ['cities.csv~csv']
    s: ex:city/$(id)
    po:
      - [a, ex:City]
      - [rdfs:label, $(name)]
      - [ex:country, $(country)]
  order:
    sources:
      - ['orders.csv~csv']
    s: ex:order/$(id)
    po:
      - [a, ex:Order]
      - [rdfs:label, $(name)]
      - [ex:in, ex:city/$(city_id)~iri]
      - [ex:price, $(price), xsd:decimal]
      - [ex:quantity, $(quantity), xsd:integer]
      - [ex:sold, $(sold), xsd:date]
      - [ex:colour, $(colour)]
"""
MORPH = """
import sys, time, importlib.metadata, morph_kgc
start = time.process_time()
made = morph_kgc.materialize_set(sys.argv[1])
print(importlib.metadata.version("morph-kgc"), len(made), time.process_time() - start)
"""


def run(folder: Path, scale: float) -> list[Result]:
    """Load tables with a profile and with a mapping, and a table of triples."""
    rows, size = int(150_000 * scale), int(1_000_000 * scale)
    shop, part, triples = (folder / name for name in ("shop", "part", "triples"))
    _write_shop(shop, rows)
    _write_shop(part, rows // PART)
    _write_triples(triples, size)
    profiled, mapped, edges = (
        _in_a_process(*source) for source in ((shop, False), (shop, True), (triples, False))
    )
    wanted = ">= 1e6"
    pandas = f"pandas {pd.__version__} and rdflib {rdflib.__version__}"
    what = "the same with a mapping"
    return [
        Result("CSV tables to load, profiled", *_rate(profiled), wanted, None, None, profiled),
        Result(what, *_rate(mapped), wanted, pandas, _by_rdflib(part), mapped),
        Result(what, *_rate(mapped), wanted, *_by_morph(shop), {}),
        Result("a table of head, relation, tail", *_rate(edges), wanted, None, None, edges),
    ]


def _rate(measured: dict[str, float]) -> tuple[float, str]:
    return measured["statements"] / measured["seconds"], "statements/s"


def _write_shop(folder: Path, rows: int) -> None:
    """Orders of seven columns, and the cities that they are in."""
    folder.mkdir()
    (folder / "mapping.yaml").write_text(MAPPING)
    rng, at = np.random.default_rng(0), pl.int_range(pl.len())
    cities = pl.DataFrame({"id": np.arange(2000)})
    cities.with_columns(
        name=pl.format("City {}", "id"),
        country=pl.lit(pl.Series(["CH", "DE", "FR"])).gather(at % 3),
    ).write_csv(folder / "cities.csv")
    orders = pl.DataFrame(
        {
            "id": np.arange(rows),
            "city_id": rng.integers(0, 2000, rows),
            "price": np.round(rng.random(rows) * 1000, 2),
            "quantity": rng.integers(1, 90_000, rows),
        }
    )
    orders.with_columns(
        name=pl.format("Order {}", "id"),
        sold=pl.date(2000 + at % 20, 1 + at % 12, 1 + at % 28),
        colour=pl.lit(pl.Series(["red", "green", "blue", "black"])).gather(at % 4),
    ).write_csv(folder / "orders.csv")


def _write_triples(folder: Path, size: int) -> None:
    folder.mkdir()
    columns = dict(zip(("head", "relation", "tail"), scale_free(size // 10, 20, size).T))
    frame = pl.DataFrame(columns).select(pl.format("x{}", pl.all()).name.keep())
    frame.write_csv(folder / "facts.csv")


def _by_rdflib(folder: Path) -> float:
    """Statements a second of a loop over the rows that pandas reads."""
    graph = rdflib.Graph()
    seconds = cpu_seconds(partial(_convert, folder, graph))
    return len(graph) / seconds


def _convert(folder: Path, graph: rdflib.Graph) -> None:
    ex, xsd, rdf, rdfs = rdflib.Namespace(BASE), rdflib.XSD, rdflib.RDF, rdflib.RDFS
    for row in pd.read_csv(folder / "cities.csv", dtype=str).itertuples():
        city = ex[f"city/{row.id}"]
        graph.add((city, rdf.type, ex.City))
        graph.add((city, rdfs.label, rdflib.Literal(row.name)))
        graph.add((city, ex.country, rdflib.Literal(row.country)))
    for row in pd.read_csv(folder / "orders.csv", dtype=str).itertuples():
        order = ex[f"order/{row.id}"]
        graph.add((order, rdf.type, ex.Order))
        graph.add((order, rdfs.label, rdflib.Literal(row.name)))
        graph.add((order, ex["in"], ex[f"city/{row.city_id}"]))
        graph.add((order, ex.price, rdflib.Literal(row.price, datatype=xsd.decimal)))
        graph.add((order, ex.quantity, rdflib.Literal(row.quantity, datatype=xsd.integer)))
        graph.add((order, ex.sold, rdflib.Literal(row.sold, datatype=xsd.date)))
        graph.add((order, ex.colour, rdflib.Literal(row.colour)))


def _by_morph(folder: Path) -> tuple[str, float | None]:
    """What morph-kgc is called, and its statements a second; None where it is not installed."""
    config = "[CONFIGURATION]\nnumber_of_processes=1\n[SHOP]\nmappings=mapping.yaml"
    command = [os.environ.get("MORPH_KGC", sys.executable), "-c", MORPH, config]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        return "morph-kgc: not installed", None
    version, statements, seconds = done.stdout.split()[-3:]
    return f"morph-kgc {version}", int(statements) / float(seconds)


def _in_a_process(folder: Path, mapped: bool) -> dict[str, float]:
    command = [sys.executable, __file__, str(folder), *(["mapping.yaml"] if mapped else [])]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _measure(folder: Path, mapping: str | None) -> dict[str, float]:
    from sightline.graph.record.loads import active_loads
    from sightline.graph.storage.workspace import Workspace
    from sightline.ingest.load import ingest

    rules = None if mapping is None else folder / mapping
    (folder / "few").mkdir(exist_ok=True)
    (folder / "few" / "few.csv").write_text("id,name\n1,One\n2,Two\n")
    ingest(Workspace.create(folder / "warm"), [folder / "few"])
    times, files = [], sorted(folder.glob("*.csv"))
    for number in range(RUNS):
        workspace = Workspace.create(folder / f"ws-{mapping}-{number}")
        times.append(cpu_seconds(lambda ws=workspace: ingest(ws, files, mapping=rules)))
    statements = sum(load.counts.statements for load in active_loads(workspace))
    return {"statements": statements, "seconds": median(times)}


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), *(sys.argv[2:] or [None]))))
