"""What tables mean without a mapping: a folder of several formats, and a table of many columns.

Counted is all CPU time of the command, its start included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from measure import Result

#: Bytes of the folder are this part of a gigabyte; its CPU time is said for a whole one.
PART = 0.1
COLUMNS, ROWS = 12_000, 5
WORDS = ("red", "green", "blue", "black")
#: What the columns of the wide tables hold, in turn.
KINDS = {"mixed": ("category", "decimal", "whole"), "texts": ("text",), "numbers": ("decimal",)}


def run(folder: Path, scale: float) -> list[Result]:
    """Profile a folder; profile and load tables of many columns, of which the worst counts."""
    size = _write_folder(folder / "shop", PART * scale)
    _write_small(folder / "small.csv")
    for _ in range(2):  # the first one writes bytecode
        start = _cpu("profile", folder / "small.csv", "-o", folder / "small.yaml")
    seconds = _cpu("profile", folder / "shop", "-o", folder / "shop.yaml") - start
    profiled, loaded = {}, {}
    for name, kinds in KINDS.items():
        path = folder / f"{name}.csv"
        _write_wide(path, kinds, int(COLUMNS * scale))
        profiled[name] = _cpu("profile", path, "-o", folder / f"{name}.yaml")
        loaded[name] = _cpu("ingest", path, "-w", folder / f"ws-{name}")
    what, details = f"{COLUMNS:,} columns, {ROWS} rows", {"start": start}
    whole = start + seconds * 1e9 / size
    return [
        Result(
            "profile of a folder of CSV and JSON, a GB",
            *(whole, "s", "<= 60", None, None),
            details={"bytes": size, "seconds": seconds, **details},
        ),
        *(
            Result(f"{what}: {name}", max(by.values()), "s", "<= 2", None, None, {**by, **details})
            for name, by in (("profile", profiled), ("load", loaded))
        ),
    ]


def _cpu(*arguments: str | Path) -> float:
    """CPU seconds of a command, those of the system included."""
    code = "from sightline.cli.main import main; main()"
    before = os.times()
    command = [sys.executable, "-c", code, *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    children = (after.children_user, after.children_system)
    return sum(children) - before.children_user - before.children_system


def _write_small(path: Path) -> None:
    path.write_text("id,name\n1,One\n2,Two\n")


def _write_wide(path: Path, kinds: tuple[str, ...], columns: int) -> None:
    rng = np.random.default_rng(0)
    made: dict[str, Callable[[], np.ndarray]] = {
        "category": lambda: rng.choice(WORDS[:2], columns),
        "decimal": lambda: np.round(rng.random(columns) * 100, 2).astype(str),
        "whole": lambda: rng.integers(0, 10_000, columns).astype(str),
        "text": lambda: np.char.add(rng.integers(0, 1 << 40, columns).astype(str), " is a word"),
    }
    lines = [["id", *(f"feature_{i}" for i in range(columns))]]
    for row in range(ROWS):
        cells = [made[kind]() for kind in kinds]
        lines.append([str(row), *(str(cells[i % len(kinds)][i]) for i in range(columns))])
    path.write_text("".join(",".join(line) + "\n" for line in lines))


def _write_folder(folder: Path, scale: float) -> int:
    """About ``scale`` gigabytes: three tables in CSV, a fifth in JSON Lines and JSON; its bytes."""
    folder.mkdir()
    rng, at = np.random.default_rng(0), pl.int_range(pl.len())
    day = pl.date(2000 + at % 20, 1 + at % 12, 1 + at % 28)
    customers, products = int(760_000 * scale) + 9, int(500_000 * scale) + 9
    frame = pl.DataFrame({"customer_id": np.arange(1, customers + 1)}).with_columns(
        name=pl.format("Customer {}", "customer_id"),
        email=pl.format("user{}@example.org", "customer_id"),
        city=pl.format("City {}", at % 500),
        born=day,
    )
    frame.write_csv(folder / "customers.csv")
    rows = int(11_800_000 * scale)
    orders = {
        "order_id": np.arange(1, rows + 1),
        "customer_id": rng.integers(1, customers + 1, rows),
        "product_id": rng.integers(1, products + 1, rows),
        "price": np.round(rng.random(rows) * 1000, 2),
        "quantity": rng.integers(1, 90, rows),
    }
    colour = pl.lit(pl.Series(WORDS)).gather(at % 4)
    pl.DataFrame(orders).with_columns(sold=day, colour=colour).write_csv(folder / "orders.csv")
    rows = int(8_200_000 * scale)
    tags = {"product_id": rng.integers(1, products + 1, rows), "tag": rng.integers(1, 5000, rows)}
    tagged = pl.DataFrame(tags).with_columns(pl.format("t{}", "tag").alias("tag"), since=day)
    tagged.with_columns(weight=(at % 1000) / 1000).write_csv(folder / "product_tags.csv")
    with (folder / "events.jsonl").open("w") as lines:
        lines.writelines(
            json.dumps(_event(i, customers)) + "\n" for i in range(int(630_000 * scale))
        )
    document = {"products": [_product(i) for i in range(products)]}
    (folder / "products.json").write_text(json.dumps(document))
    return sum(path.stat().st_size for path in folder.iterdir())


def _event(i: int, customers: int) -> dict[str, object]:
    return {
        "event_id": f"e{i}",
        "customer_id": 1 + i * 7919 % customers,
        "kind": ("view", "click", "buy")[i % 3],
        "at": f"20{10 + i % 14}-{1 + i % 12:02d}-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:00",
        "amount": round(i * 0.37 % 100, 2),
        "device": {"os": ("ios", "android", "web")[i % 3], "version": f"{i % 9}.{i % 7}"},
        "tags": [f"t{i % 50}", f"t{i % 31}"],
        "ok": i % 2 == 0,
        "note": None if i % 3 else f"note number {i}",
    }


def _product(i: int) -> dict[str, object]:
    return {
        "product_id": i + 1,
        "name": f"Product {i}",
        "price": round(i * 0.73 % 100, 2),
        "category": f"c{i % 40}",
        "sizes": ["S", "M", "L"][: 1 + i % 3],
        "maker": {"id": i % 500, "name": f"Maker {i % 500}"},
        "stock": i % 1000,
        "active": i % 5 != 0,
    }
