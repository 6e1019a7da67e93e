"""Drawings as SVG: plots, and the paths between two entities as one graph.

Knows numbers, labels and coordinates; colours and letters are the page's. Every label is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from sightline.insights.records import EntityRef, Path

#: Width of a drawing: what a phone shows without making letters smaller.
WIDTH = 340
#: Height of a step of a graph, and of a bar.
STEP, BAR = 74, 22
#: How far down between two layers labels stand, by turns.
TURNS_TAKEN = (0.38, 0.56, 0.74)
#: About how wide a letter of a relation is; one of an entity is a fifth wider.
LETTER = 5.4
#: Characters of a label at an entity and at a relation.
NODE, EDGE = 17, 22
#: What turns the direction of text around it.
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Number = float | int


def upright(text: str, most: int = 1000) -> str:
    """A label in one line that turns no text around it, of so many characters at most."""
    line = " ".join(TURNS.sub("", text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _svg(height: Number, about: str, parts: Iterable[Markup]) -> Markup:
    head = Markup('<svg class="plot" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">')
    return head.format(WIDTH, height, upright(about)) + Markup("").join(parts) + Markup("</svg>")


def _text(x: Number, y: Number, text: str, kind: str = "", anchor: str = "start") -> Markup:
    form = Markup('<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>')
    return form.format(x, y, kind, anchor, text)


def _line(x: Number, y: Number, to_x: Number, to_y: Number, kind: str) -> Markup:
    form = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>')
    return form.format(x, y, to_x, to_y, kind)


def _rect(x: Number, y: Number, width: Number, height: Number, kind: str, told: str) -> Markup:
    form = Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3" class="{}">'
        "<title>{}</title></rect>"
    )
    return form.format(x, y, width, height, kind, upright(told))


def chance_against_truth(bins: Sequence[tuple[float, float]]) -> Markup:
    """How often answers were true, over what their chance was said to be; on the line both agree.

    Args:
        bins: mean chance and share of true ones of each, 0 to 1.
    """
    left, bottom, size = 44, 200, 180
    top = max(0.1, *(x for pair in bins for x in pair))
    scale = size / top
    parts = [_line(left, bottom, left + size, bottom - size, "line")]
    for share in (0, top / 2, top):
        at = share * scale
        parts.append(_line(left, bottom - at, left + size, bottom - at, "grid"))
        parts.append(_text(left - 6, bottom - at + 4, f"{share:.0%}", "small", "end"))
        parts.append(_text(left + at, bottom + 15, f"{share:.0%}", "small", "middle"))
    for said, true in bins:
        form = Markup(
            '<circle cx="{:.1f}" cy="{:.1f}" r="4" class="mark"><title>{}</title></circle>'
        )
        told = f"said {said:.1%}, true {true:.1%}"
        parts.append(form.format(left + said * scale, bottom - true * scale, told))
    parts.append(_text(left + size / 2, bottom + 31, "chance that was said", "small", "middle"))
    parts.append(_text(left, bottom - size - 8, "share that was true", "small"))
    return _svg(bottom + 38, "How often answers were true, over their chance", parts)


def columns(rows: Sequence[tuple[str, int]], about: str, under: str) -> Markup:
    """Columns over labels, as high as their numbers' logarithms: what is rare shows beside what is
    frequent."""
    from math import log10

    left, bottom, height = 6, 130, 100
    most = log10(max((n for _, n in rows), default=0) + 1) or 1
    wide = (WIDTH - 2 * left) / max(len(rows), 1)
    parts = []
    for i, (label, n) in enumerate(rows):
        x, tall = left + i * wide, height * log10(n + 1) / most
        parts.append(_rect(x + 2, bottom - tall, wide - 4, tall, "bar-of", f"{label}: {n:,}"))
        parts.append(_text(x + wide / 2, bottom + 14, label, "small", "middle"))
        parts.append(_text(x + wide / 2, bottom - tall - 4, f"{n:,}", "small", "middle"))
    parts.append(_text(WIDTH / 2, bottom + 30, under, "small", "middle"))
    return _svg(bottom + 36, about, parts)


def bars(rows: Sequence[tuple[str, int]], about: str) -> Markup:
    """A bar for each label, as long as its number."""
    most = max((n for _, n in rows), default=0) or 1
    parts = []
    for i, (label, n) in enumerate(rows):
        y = 2 * BAR * i
        parts.append(_text(0, y + 14, upright(label, 44)))
        parts.append(_rect(0, y + 20, 280 * n / most, 10, "bar-of", f"{label}: {n:,}"))
        parts.append(_text(280 * n / most + 6, y + 29, f"{n:,}", "small"))
    return _svg(2 * BAR * len(rows), about, parts)


def merged_paths(paths: Sequence[Path], head: EntityRef, tail: EntityRef) -> Markup:
    """Paths from one entity to another as one graph, from top to bottom: every entity and every
    relation between two once. An arrow says which way a relation reads."""
    labels = {head.iri: head.label, tail.iri: tail.label}
    edges: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        for step in path.steps:
            labels[step.target.iri] = step.target.label
            said = edges.setdefault((step.source.iri, step.target.iri), [])
            text = f"{'↓' if step.forward else '↑'} {upright(step.relation.label, EDGE)}"
            if text not in said:
                said.append(text)
    place = _places(edges, labels, head.iri, tail.iri)
    lines, texts = [], []
    turn: dict[float, int] = {}
    for (one, other), said in edges.items():
        (x, y), (to_x, to_y) = place[one], place[other]
        # Labels between two layers take turns in height, on the side their line leans to.
        part = TURNS_TAKEN[turn.setdefault(y, 0) % len(TURNS_TAKEN)]
        turn[y] += 1
        middle, bend = x + (to_x - x) * part, 0.0
        if abs(to_y - y) > STEP:  # around what lies between
            bend = -70.0 if x + to_x > WIDTH else 70.0
            middle += bend * 2 * part * (1 - part)
        form = Markup('<path d="M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}" class="link"/>')
        lines.append(form.format(x, y, (x + to_x) / 2 + bend, (y + to_y) / 2, to_x, to_y))
        text, down = ", ".join(said[:2]), y + (to_y - y) * part + 3
        long = LETTER * len(text)
        start = middle - long - 3 if to_x < x else middle + 3
        texts.append(_text(max(0, min(start, WIDTH - long)), down, text, "rel-of"))
    for iri, (x, y) in place.items():
        label = upright(labels[iri], NODE)
        wide = 14 + 1.2 * LETTER * len(label)
        kind = "end" if iri in (head.iri, tail.iri) else "node"
        lines.append(_rect(x - wide / 2, y - 11, wide, 22, kind, labels[iri]))
        texts.append(_text(x, y + 4, label, "", "middle"))
    height = max(y for _, y in place.values()) + 18
    return _svg(height, f"How {head.label} and {tail.label} are connected", lines + texts)


def _places(
    edges: Iterable[tuple[str, str]], nodes: Iterable[str], first: str, last: str
) -> dict[str, tuple[float, float]]:
    """Where each node of a graph stands: as low as its longest way from the first, the last one
    below all others."""
    depth = dict.fromkeys(nodes, 0)
    pairs = [pair for pair in edges if first != pair[1]]
    for _ in range(3):  # as long as paths are; a circle ends here too
        for one, other in pairs:
            depth[other] = max(depth[other], depth[one] + 1)
    depth[last] = max(*depth.values(), 1)
    used = sorted(set(depth.values()))
    rows = {layer: [node for node in depth if depth[node] == layer] for layer in used}
    if len(rows[depth[last]]) > 1:
        rows[depth[last]].remove(last)
        rows[depth[last] + 1] = [last]
    return {
        node: (WIDTH * (i + 0.5) / len(row), 16 + STEP * y)
        for y, row in enumerate(rows.values())
        for i, node in enumerate(row)
    }
