"""What is made of a snapshot once, and kept as long as it is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from sightline.graph.snapshot.reader import Snapshot

T = TypeVar("T")


def once_each(make: Callable[[Snapshot], T]) -> Callable[[Snapshot], T]:
    """The same function, which makes one result for each snapshot. The result must not hold the
    snapshot itself, or neither ever goes."""
    made: WeakKeyDictionary[Snapshot, T] = WeakKeyDictionary()

    @wraps(make)
    def kept(snapshot: Snapshot) -> T:
        found = made.get(snapshot)
        if found is None:
            found = made[snapshot] = make(snapshot)
        return found

    return kept
