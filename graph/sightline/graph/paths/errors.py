"""A pattern of relations that cannot be read."""

from __future__ import annotations

from sightline.graph.errors import UsageError


class BadPattern(UsageError):
    """A pattern of relations that is not in the notation, or too large."""

    def __init__(self, pattern: str, position: int, expected: str) -> None:
        super().__init__(
            f"pattern {pattern[:80]!r} cannot be read at character {position}: "
            f"expected {expected}; write a/b, a|b, ^a, a?, a*, a+ or (a), with a name or <IRI> for "
            "each relation"
        )
        self.position = position

    @property
    def extra(self) -> dict[str, object]:
        return {"position": self.position}
