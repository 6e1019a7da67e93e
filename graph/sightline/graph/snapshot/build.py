"""The arrays of a snapshot from loads, section by section.

Knows the order in which they are written; knows neither which loads are active nor what is served.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sightline.graph.progress import Progress, silent
from sightline.graph.record.loads import Load
from sightline.graph.snapshot import sections
from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.snapshot.reader import SNAPSHOT_FORMAT, Snapshot
from sightline.graph.storage.artifact import write_manifest
from sightline.graph.storage.settings import Settings
from sightline.graph.storage.workspace import Workspace

#: How long it takes to read loads, in the measure of ``Section.share``.
READING = 10


def snapshot_id(loads: Sequence[Load], settings: Settings) -> str:
    """16 hex digits of the active loads and of the settings that shape a snapshot."""
    text = json.dumps([SNAPSHOT_FORMAT, sorted(load.id for load in loads), settings.digest_text()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build(
    target: Path,
    loads: list[Load],
    settings: Settings,
    wanted: dict[str, bool],
    former: Path | None,
    progress: Progress,
) -> None:
    chosen = [one for one in sections.SECTIONS if one.wanted is None or wanted[one.wanted]]
    ends = list(accumulate((section.share for section in chosen), initial=READING))
    progress("compile", 0, ends[-1], "reading loads")
    inputs = Inputs.of(loads, settings, former)
    manifest: dict[str, Any] = {
        "format": SNAPSHOT_FORMAT,
        "id": snapshot_id(loads, settings),
        "base": settings.base,
        "prefixes": dict(settings.prefixes),
        "loads": [_about(load) for load in loads],
        "counts": {"statements": inputs.statements},
        **wanted,
    }
    for done, section in zip(ends, chosen):
        progress("compile", done, ends[-1], section.title)
        section.write(inputs, target, manifest)
    progress("compile", ends[-1], ends[-1], "done")
    write_manifest(target, manifest)


def _about(load: Load) -> dict[str, Any]:
    """What a snapshot keeps of a load, so that a row of it can be named."""
    tables = [{"name": t.name, "first_row": t.first_row, "kind": t.kind} for t in load.tables]
    return {"id": load.id, "source": load.source, "role": load.role, "tables": tables}


@contextmanager
def draft(workspace: Workspace, loads: list[Load]) -> Iterator[Snapshot]:
    """A snapshot of some loads without what only answers need; it is gone at the end."""
    wanted = {"rdf": False, "copies": False, "rules": False}
    with TemporaryDirectory(prefix="sightline-") as scratch:
        folder = Path(scratch) / "draft"
        folder.mkdir()
        build(folder, loads, workspace.settings, wanted, None, silent)
        yield Snapshot.open(folder)
