"""What can go wrong with merges."""

from __future__ import annotations

from sightline.graph.errors import NotFound


class UnknownMerge(NotFound):
    """No merge says that this entity is another one."""

    def __init__(self, ref: str) -> None:
        super().__init__(
            f"no merge made {ref[:80]!r} another entity; `sightline merges` lists those that did"
        )
