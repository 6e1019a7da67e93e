"""The bytes of a source, unpacked and bounded.

Knows gzip and byte order marks; knows no format.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from sightline.ingest.errors import SourceNotFound, SourceUnreadable

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"

#: Bytes read at a time, and the longest record.
BLOCK = 8 << 20
MAX_RECORD = 64 << 20
#: Beyond the first, a gzip file may not expand to more than the second times its own size.
BOMB_SIZE = 64 << 20
BOMB_RATIO = 200
#: Bytes from which formats, separators and headers are guessed.
HEAD = 1 << 20


class ByteStream:
    """The bytes of a file, unpacked if it is gzip, without a byte order mark. Bounded.

    ``read`` raises SourceUnreadable where gzip is broken, cut short, or a decompression bomb.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.expanded = 0
        try:
            self._raw = path.open("rb")
            packed = self._raw.read(2) == GZIP_MAGIC
            self._raw.seek(0)
        except FileNotFoundError as error:
            raise SourceNotFound(path) from error
        except OSError as error:
            raise SourceUnreadable(path, os.strerror(error.errno or 0)) from error
        self._size = os.fstat(self._raw.fileno()).st_size
        self._stream: IO[bytes] = gzip.GzipFile(fileobj=self._raw) if packed else self._raw  # type: ignore[assignment]
        self.packed = packed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()
        self._raw.close()

    @property
    def position(self) -> int:
        """Bytes of the file itself that were read so far."""
        return self._raw.tell()

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, fewer only at the end; all of them if negative."""
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        try:
            data = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceUnreadable(self.path, "its gzip is broken or cut short") from error
        except OSError as error:
            raise SourceUnreadable(self.path, os.strerror(error.errno or 0)) from error
        if self.expanded == 0 and data.startswith(BOM):
            data = data[len(BOM) :]
        self.expanded += len(data)
        if self.packed and self.expanded > max(BOMB_SIZE, BOMB_RATIO * self._size):
            raise SourceUnreadable(
                self.path,
                f"it expands to more than {BOMB_RATIO} times its size, as a decompression bomb "
                "does; unpack it first if you trust it",
            )
        return data

    def line_blocks(self) -> Iterator[bytes]:
        """Blocks of whole lines; the last line may lack its line end."""
        carry = b""
        while block := self.read(BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield carry + block[:cut]
                carry = block[cut:]
            else:
                carry += block
            if len(carry) > MAX_RECORD:
                reason = f"a line is longer than {MAX_RECORD >> 20} MiB"
                raise SourceUnreadable(self.path, reason)
        if carry:
            yield carry
