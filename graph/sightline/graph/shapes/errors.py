"""Shapes that facts cannot be checked against."""

from __future__ import annotations

from sightline.graph.errors import SightlineError, UsageError


class ShapesUnusable(UsageError):
    """Shapes that cannot be read, or that ask for what is never done."""

    def __init__(self, path: object, reason: str) -> None:
        self.reason = " ".join(reason.split())[:300]
        super().__init__(f"shapes {str(path)!r} cannot be used: {self.reason}")


class ShapesUnfinished(SightlineError):
    """Shapes that take longer to check than is allowed. Some never end, such as a query that joins
    everything with everything."""

    status = 422

    def __init__(self, path: object, seconds: float, most: float) -> None:
        super().__init__(
            f"shapes {str(path)!r} were not checked within {seconds:g} seconds; --deadline allows "
            f"more, up to {most:g}; what takes long are sh:sparql, sh:pattern and shapes that lead "
            "back to themselves"
        )


class NoShapes(UsageError):
    """A workspace without shapes is asked whether it keeps them."""

    def __init__(self) -> None:
        super().__init__(
            "there are no shapes to check the facts against; name a file with --shapes, which "
            "--keep keeps in the workspace"
        )
