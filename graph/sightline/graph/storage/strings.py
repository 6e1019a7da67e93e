"""Many strings as two memory-mapped arrays: UTF-8 bytes and offsets.

Knows positions and bytes; does not know what the strings mean.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt


class StringTable(Sequence[str]):
    """A read-only sequence of strings.

    Args:
        data: uint8 ``(num_bytes,)``: all strings in UTF-8, one after the other.
        offsets: int64 ``(n + 1,)``: string ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
    """

    def __init__(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        # A memoryview gives plain integers and slices at a third of an array's cost.
        self._data = data.view(np.ndarray).data
        self._offsets = offsets.view(np.ndarray).data

    @classmethod
    def of(cls, strings: Iterable[str]) -> StringTable:
        """A table in memory."""
        encoded = [s.encode() for s in strings]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(e) for e in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    @classmethod
    def open(cls, folder: Path, name: str) -> StringTable:
        """Map ``NAME.bytes.npy`` and ``NAME.offsets.npy``."""
        data, offsets = (
            np.load(folder / f"{name}.{part}.npy", mmap_mode="r") for part in ("bytes", "offsets")
        )
        return cls(data, offsets)

    @staticmethod
    def write(folder: Path, name: str, strings: Iterable[str]) -> None:
        """Write a table so that ``open`` finds it."""
        table = StringTable.of(strings)
        data, offsets = table.arrays()
        np.save(folder / f"{name}.bytes.npy", data)
        np.save(folder / f"{name}.offsets.npy", offsets)

    def arrays(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """``data`` and ``offsets``."""
        return np.frombuffer(self._data, np.uint8), np.frombuffer(self._offsets, np.int64)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = int(index)
        if not 0 <= position < len(self):
            raise IndexError(position)
        return str(self._data[self._offsets[position] : self._offsets[position + 1]], "utf-8")

    def take(self, indices: Iterable[int]) -> list[str]:
        """The strings at ``indices``, in their order."""
        return [self[int(i)] for i in indices]

    def find(self, text: str) -> int | None:
        """Position of ``text`` in a table sorted by UTF-8 bytes, or None. O(log n)."""
        wanted = text.encode()
        i = bisect_left(range(len(self)), wanted, key=self._bytes)
        return i if i < len(self) and self._bytes(i) == wanted else None

    def _bytes(self, i: int) -> bytes:
        return bytes(self._data[self._offsets[i] : self._offsets[i + 1]])


def match_sorted(a: StringTable, b: StringTable) -> npt.NDArray[np.int32]:
    """For each string of ``a`` its position in ``b``, or -1. Both are sorted; one merge, O(n + m).

    Returns:
        int32 ``(len(a),)``.
    """
    out = np.full(len(a), -1, np.int32)
    j, end = 0, len(b)
    for i in range(len(a)):
        text = a._bytes(i)
        while j < end and b._bytes(j) < text:
            j += 1
        if j < end and b._bytes(j) == text:
            out[i] = j
    return out
