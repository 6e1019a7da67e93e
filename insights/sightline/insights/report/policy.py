"""What the page of a report may load and run, by a browser that keeps its word.

Knows the page's one script; knows nothing of what a report says.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files


@cache
def script() -> str:
    """The one script of a page."""
    return (files(__package__) / "page.js").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """What a page may load and run: its own style and that one script."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
