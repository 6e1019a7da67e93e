"""Write the results into ``docs/benchmarks.md``, so that no figure there is copied by hand.

    python benchmarks/table.py

Knows the JSON files of ``results/`` and the marks in the page.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- benchmarks/table.py: {} -->\n", "<!-- end -->\n"
MODELS = ("teacher", "student", "control")
MEASURES = ("mrr", "hits_at_1", "hits_at_10")


def tables(results: Path = RESULTS) -> dict[str, str]:
    """The parts of the page that are made here, by name, as Markdown."""
    return {"speed": speed(results), "accuracy": accuracy(results)}


def speed(results: Path) -> str:
    """One row per figure of the runner, beside what is wanted and its peer."""
    lines = ["| benchmark | what | measured | wanted | peer |", "|---|---|--:|---|---|"]
    machines: dict[str, None] = {}
    for document in _read(results, "benchmark"):
        machine = document["machine"]
        machines[f"{machine['cores']} cores {machine['processor']}, {document['date']}"] = None
        lines += [row(document["benchmark"], result) for result in document["results"]]
    return "\n".join([*lines, "", f"Measured on: {'; '.join(machines)}.", ""])


def row(benchmark: str, result: dict[str, Any]) -> str:
    """One figure as a row."""
    unit = f" {result['unit']}".rstrip()
    peer = ""
    if result["peer_value"] is not None:
        peer = f"{result['peer']}: {figure(result['peer_value'])}{unit}"
    measured = f"{figure(result['value'])}{unit}"
    cells = (benchmark, result["what"], measured, result["wanted"], peer)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def figure(value: float) -> str:
    """Three digits, without powers of ten."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def accuracy(results: Path) -> str:
    """One row per data set and model: test figures, mean and standard deviation over the seeds."""
    lines = []
    for document in _read(results, "summary"):
        found, seeds = document["summary"], len(document["seeds"])
        about = f"{document['data']}, {document['preset']}, {seeds} seed{'s' * (seeds > 1)}"
        for who in MODELS:
            values = (found[f"{who} test {measure}"] for measure in MEASURES)
            cells = (f"{value['mean']:.4f} ± {value['sd']:.4f}" for value in values)
            lines.append(f"| {about} | {who} | {' | '.join(cells)} |")
    if not lines:
        return "No result is kept yet.\n"
    return "\n".join(
        ["| data | model | MRR | Hits@1 | Hits@10 |", "|---|---|--:|--:|--:|", *lines, ""]
    )


def _read(results: Path, key: str) -> list[dict[str, Any]]:
    documents = [json.loads(path.read_bytes()) for path in sorted(results.glob("*.json"))]
    return [document for document in documents if key in document]


def main() -> None:
    """Replace what is between the marks."""
    page = PAGE.read_text(encoding="utf-8")
    for name, text in tables().items():
        begin = BEGIN.format(name)
        before, _, rest = page.partition(begin)
        page = before + begin + text + END + rest.partition(END)[2]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
