"""Write the results into ``docs/benchmarks.md``, so that no figure there is copied by hand.

    python benchmarks/table.py

Knows the JSON files of ``results/`` and two marks in the page.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- benchmarks/table.py: begin -->\n", "<!-- benchmarks/table.py: end -->\n"


def table(results: Path = RESULTS) -> str:
    """The results as Markdown: one row per figure, beside what is wanted and its peer."""
    lines = ["| benchmark | what | measured | wanted | peer |", "|---|---|--:|---|---|"]
    machines: dict[str, None] = {}
    for path in sorted(results.glob("*.json")):
        document = json.loads(path.read_bytes())
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


def main() -> None:
    """Replace what is between the marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
