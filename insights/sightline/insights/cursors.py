"""Pages of a list: where one ends, as an opaque text that the next begins from."""

from __future__ import annotations

import base64

from sightline.graph.errors import UsageError
from sightline.graph.snapshot.reader import Snapshot


def cursor_of(snapshot: Snapshot, offset: int) -> str:
    """An opaque text that says where the next page starts."""
    text = f"{snapshot.id[:16]}:{offset}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def offset_of(snapshot: Snapshot, cursor: str | None) -> int:
    """Where the page of a cursor starts.

    Raises:
        UsageError: it was not made here, or what is served has changed since.
    """
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        snapshot_id, _, number = text.partition(":")
        offset = int(number)
    except ValueError as error:
        raise UsageError("cursor cannot be read; use `next` of the page before") from error
    if snapshot_id != snapshot.id[:16] or not 0 <= offset < 1 << 31:
        raise UsageError("cursor belongs to data that is no longer served; begin again without it")
    return offset
