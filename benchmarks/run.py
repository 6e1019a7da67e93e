"""Run the benchmarks and write one JSON file each to ``benchmarks/results/``.

    python benchmarks/run.py                    all of them
    python benchmarks/run.py paths search       some of them
    python benchmarks/run.py --scale 0.1        on a tenth of the data, to see that they run

Knows which benchmarks there are; each says itself what it measures.
"""

from __future__ import annotations

import os

# One core for everybody, or a library with its own threads would be compared with one without.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", POLARS_MAX_THREADS="1")

import argparse
import importlib
import json
import platform
import re
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import table
from measure import Result

RESULTS = Path(__file__).parent / "results"
NAMES = (
    "paths",
    "chance",
    "report",
    "rules",
    "surprising",
    "text",
    "search",
    "ingest",
    "profile",
    "compile",
    "student",
    "related",
    "serve",
    "sparql",
    "training",
    "doctor",
    "duplicates",
    "shapes",
)


def main() -> None:
    """Run what was asked for, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(NAMES)}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(
            f"unknown benchmark {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}"
        )
    for name in arguments.names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            results = importlib.import_module(f"bench_{name}").run(Path(folder), arguments.scale)
        for result in results:
            print(f"{name:8} {line(result)}", flush=True)
        if results and arguments.scale == 1.0:
            write(name, results)
            table.main()


def line(result: Result) -> str:
    """A result for people: the figure, what it should be, its peer and the ratio."""
    text = (
        f"{result.what}: {result.value:.3g} {result.unit}".rstrip() + f" (wanted {result.wanted})"
    )
    if result.peer_value is None:
        return text
    text += f"; {result.peer}: {result.peer_value:.3g} {result.unit}"
    return f"{text}; ratio {result.value / result.peer_value:.2g}" if result.peer_value else text


def write(name: str, results: list[Result]) -> None:
    """Keep the results with what they were measured on."""
    machine = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sightline": version("sightline"),
    }
    document = {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "clock": "CPU time of the process, one core",
        "machine": machine,
        "results": [asdict(result) for result in results],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _processor() -> str:
    """The model, where Linux tells it."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        about = ""
    model = re.search(r"^model name\s*:\s*(.+)$", about, re.MULTILINE)
    return f"{platform.machine()}, {model[1]}" if model else platform.machine()


if __name__ == "__main__":
    main()
