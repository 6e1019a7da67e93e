"""A measured model beside what others published for the same data.

    python benchmarks/published.py WORKSPACE/models/ID/metrics.json

The data set is recognised by its counts and by nothing else. Published figures are test figures as
their source prints them (``published.json``); no training, choice or calibration sees them.

Knows ``metrics.json`` and the published figures; knows no model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.cli import terminal
from sightline.distill.student.arrays import WIDTH

FIGURES = Path(__file__).with_name("published.json")
RANKING = ("mrr", "hits_at_1", "hits_at_3", "hits_at_10")
#: The columns of the table, by title.
COLUMNS = {
    "model": "model",
    "#numbers per entity": "numbers",
    "#bytes": "bytes",
    "#MRR": "mrr",
    "#Hits@1": "hits_at_1",
    "#Hits@3": "hits_at_3",
    "#Hits@10": "hits_at_10",
    "#accuracy": "accuracy",
    "#F1": "f1",
    "source": "source",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Test figures of one model; None where they were not measured or not printed.

    Attributes:
        model: its name.
        numbers: stored per entity.
        bytes: size of a portable file.
        mrr, hits_at_1, hits_at_3, hits_at_10: filtered ranking, both directions.
        accuracy, f1: of triple classification against negatives that the data set holds.
        source: where a published figure was read, with the year of the paper; empty for our own.
    """

    model: str
    numbers: int | None = None
    bytes: int | None = None
    mrr: float | None = None
    hits_at_1: float | None = None
    hits_at_3: float | None = None
    hits_at_10: float | None = None
    accuracy: float | None = None
    f1: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measured models first, then the published ones as they became known.

    Attributes:
        data_set: its name, or None where no published figures are known for this data.
    """

    data_set: str | None
    lines: tuple[Line, ...]


def compare(metrics: Mapping[str, Any]) -> Comparison:
    """Lay the measured test figures beside the published ones."""
    name, figures = recognised(counts(metrics["data"]))
    own = [_measured(who, metrics[who]) for who in ("teacher", "student", "control")]
    formats = [_measured(file, found) for file, found in metrics["formats"].items()]
    published = [_published(figure) for figure in sorted(figures, key=lambda f: int(f["year"]))]
    return Comparison(name, (*own, *formats, *published))


def counts(data: Mapping[str, Any]) -> dict[str, int]:
    """What a data set is recognised by, out of the ``data`` part of the metrics."""
    split = data["split"]
    valid = split["select"] + split["calibrate"]
    return {**data["rows"], "train": split["train"], "valid": valid, "test": split["test"]}


def recognised(found: Mapping[str, int]) -> tuple[str | None, list[dict[str, Any]]]:
    """Name and published figures of the data set with exactly these counts."""
    for name, entry in json.loads(FIGURES.read_bytes()).items():
        if entry["counts"] == found:
            return name, entry["figures"]
    return None, []


def _measured(name: str, found: Mapping[str, Any]) -> Line:
    classes = found.get("triple_classification") or {}
    # Against negatives of our own sampling the figures would be compared with nobody's.
    given = classes if classes.get("source") == "given" else {}
    return Line(
        model=name,
        numbers=None if name == "teacher" else WIDTH,
        bytes=found.get("bytes"),
        accuracy=given.get("accuracy"),
        f1=given.get("f1"),
        **{key: found["test"][key] for key in RANKING},
    )


def _published(figure: Mapping[str, Any]) -> Line:
    values = {key: value for key, value in figure.items() if key not in ("year", "source")}
    return Line(**values, source=f"{figure['source']} ({figure['year']})")


def main() -> None:
    """Print the table; columns that nobody fills are left out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("metrics", type=Path, help="what `sightline evaluate` wrote")
    found = compare(json.loads(parser.parse_args().metrics.read_bytes()))
    cells = {
        t: [_figure(getattr(line, name)) for line in found.lines] for t, name in COLUMNS.items()
    }
    filled = {title: column for title, column in cells.items() if any(column)}
    title = f"Test facts of {found.data_set}" if found.data_set else "Test facts"
    terminal.table(title, list(filled), zip(*filled.values()))
    if found.data_set is None:
        print("no published figures are known for data with these counts")


def _figure(value: str | int | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else value or ""


if __name__ == "__main__":
    main()
