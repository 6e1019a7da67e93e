"""Shapes that facts cannot be checked against."""

from __future__ import annotations

from sightline.graph.errors import UsageError


class ShapesUnusable(UsageError):
    """Shapes that cannot be read, or that ask for what is never done."""

    def __init__(self, path: object, reason: str) -> None:
        said = " ".join(reason.split())[:300]
        super().__init__(f"shapes {str(path)!r} cannot be used: {said}")
