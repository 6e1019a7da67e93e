"""Every error class of every component, wherever its ``errors`` module lies."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from sightline.graph.errors import SightlineError

ROOT = Path(__file__).parents[1]
COMPONENTS = ("graph", "ingest", "models", "distill", "insights", "api", "cli")


def every_error() -> list[type[SightlineError]]:
    """The classes of the tree, each once, by name."""
    found: dict[str, type[SightlineError]] = {}
    for component in COMPONENTS:
        for path in sorted((ROOT / component / "sightline").rglob("errors.py")):
            dotted = path.relative_to(ROOT / component).with_suffix("").parts
            for name, item in inspect.getmembers(importlib.import_module(".".join(dotted))):
                if inspect.isclass(item) and issubclass(item, SightlineError):
                    found[name] = item
    return [found[name] for name in sorted(found)]
