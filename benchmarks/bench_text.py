"""Facts from texts on BioCreative V CDR: names found, and chemical-induced disease from sentences.

The names and facts of one half are the graph; its abstracts teach how texts state such facts, and
those of the other half are read. For each of them the task wants the pairs it states. Scores are
of sentences that the model has not learnt from; the threshold is the one with the best F1 on the
first half. Beside it the same pairs by co-mention. Names that only the other half has are no part
of the graph in the first lines; in the last, they are, so that relations are judged apart from
names that no dictionary holds. The test half of the task is in neither.
"""

from __future__ import annotations

import json
import lzma
import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from measure import Result

from sightline.graph.extraction import linking, relations
from sightline.graph.extraction.sentences import sentences
from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.build import draft
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDF_TYPE, RDFS_LABEL, SKOS
from sightline.ingest.load import ingest

#: F1 of the best system of the task, with names of its own (Wei et al. 2016).
PUBLISHED = 0.5703
ENTITY = "urn:sightline:entity:"
CID = "urn:sightline:relation:induces"


@dataclass(slots=True)
class Half:
    """Abstracts, and what annotators found in them."""

    texts: dict[str, str] = field(default_factory=dict)
    mentions: list[tuple[str, int, int, str, str]] = field(default_factory=list)
    facts: set[tuple[str, str, str]] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def run(folder: Path, scale: float) -> list[Result]:
    """The figures, where SIGHTLINE_DATA has the data."""
    data = Path(os.environ.get("SIGHTLINE_DATA", "")) / "cdr"
    if not os.environ.get("SIGHTLINE_DATA") or not data.is_dir():
        print("text: skipped, SIGHTLINE_DATA names no folder with cdr/")
        return []
    first, second = (
        read(data / f"CDR_{part}Set.PubTator.txt.xz") for part in ("Training", "Development")
    )
    return [
        *measure(folder / "one", first, second, (first,), "names of one half"),
        *measure(folder / "both", first, second, (first, second), "names of both halves"),
    ]


def read(path: Path) -> Half:
    """A file in the format of PubTator."""
    half = Half()
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        lines = stream.read().split("\n")
    for line in lines:
        parts = line.rstrip("\n").split("\t")
        if len(parts) == 1 and "|" in line:
            key, kind, text = line.rstrip("\n").split("|", 2)
            half.texts[key] = text if kind == "t" else f"{half.texts[key]} {text}"
        elif len(parts) == 4:
            half.facts.add((parts[0], parts[2], parts[3]))
        elif len(parts) >= 6 and parts[5] != "-1" and "|" not in parts[5]:
            key, start, end, name, kind, what = parts[:6]
            half.mentions.append((key, int(start), int(end), name, what))
            half.kinds[what] = kind
            half.names[what].add(name)
    return half


def measure(
    folder: Path, first: Half, second: Half, named: tuple[Half, ...], how: str
) -> list[Result]:
    """Linking and relations with the names of some halves."""
    folder.mkdir(parents=True)
    ws = Workspace.create(folder / "ws")
    (folder / "graph.nt").write_text("\n".join(statements(first, named)) + "\n")
    ingest(ws, [folder / "graph.nt"])
    texts = {**first.texts, **second.texts}
    keys = list(texts)
    said = [(at, texts[key][a:b]) for at, key in enumerate(keys) for a, b in sentences(texts[key])]
    document = np.array([at for at, _ in said], np.int32)
    with draft(ws, active_loads(ws)) as s:
        told = linking.Told()
        start = time.process_time()
        found = linking.link(s, [text for _, text in said], document, told)
        possible = relations.candidates(s, found)
        score = relations.scores(possible, possible.sentence)
        seconds = time.process_time() - start
        names = [iri.rpartition(":")[2] for iri in s.entity_iris.take(range(s.num_entities))]
    of = document[found.sentence].tolist()
    got = {(keys[d], names[e]) for d, e in zip(of, found.entity.tolist())}
    got = {one for one in got if one[0] in second.texts}
    gold = {(key, what) for key, _, _, _, what in second.mentions}
    best: dict[tuple[str, str, str], float] = {}
    columns = (document[possible.sentence], possible.head, possible.tail, score)
    for d, h, t, x in zip(*(column.tolist() for column in columns)):
        pair = keys[d], names[h], names[t]
        best[pair] = max(best.get(pair, x), x)
    taught = sorted(((x, one in first.facts) for one, x in best.items() if one[0] in first.texts))
    hits = np.cumsum([known for _, known in reversed(taught)])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + len(first.facts))
    least = taught[len(taught) - 1 - int(f1.argmax())][0]
    pairs = {one for one in best if one[0] in second.texts}
    taken = {one for one in pairs if best[one] >= least}
    details = {
        "linking": scores(got, gold),
        "sentence co-mention": scores(pairs, second.facts),
        "extracted": scores(taken, second.facts),
        "published": PUBLISHED,
    }
    print(how, details)
    baseline = details["sentence co-mention"]["f1"]
    return [
        Result(f"names found, {how}", scores(got, gold)["f1"], "F1", "", None, None, details),
        Result(
            f"chemical-induced disease, {how}",
            scores(taken, second.facts)["f1"],
            "F1",
            "above co-mention",
            "co-mention in a sentence",
            baseline,
            details,
        ),
        Result(f"linking and relations, {how}", seconds, "CPU s", "minutes", None, None, details),
    ]


def statements(first: Half, named: tuple[Half, ...]) -> list[str]:
    """The graph as N-Triples: names and types of some halves, the facts of the first."""
    lines = []
    for half in named:
        for what, kind in half.kinds.items():
            lines.append(f"<{ENTITY}{what}> <{RDF_TYPE}> <urn:sightline:class:{kind}> .")
            for i, name in enumerate(sorted(half.names[what])):
                key = RDFS_LABEL if i == 0 else SKOS + "altLabel"
                lines.append(f"<{ENTITY}{what}> <{key}> {json.dumps(name)} .")
    facts = sorted({(chemical, disease) for _, chemical, disease in first.facts})
    return lines + [f"<{ENTITY}{c}> <{CID}> <{ENTITY}{d}> ." for c, d in facts]


def scores(found: set[Any], gold: set[Any]) -> dict[str, float]:
    """Precision, recall and F1."""
    hits = len(found & gold)
    precision, recall = hits / max(len(found), 1), hits / max(len(gold), 1)
    f1 = 2 * hits / max(len(found) + len(gold), 1)
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}
