"""The bytes of a source, unpacked, as UTF-8, and bounded.

Knows compression and encodings; knows no format.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self

from backports import zstd

from sightline.ingest.encoding import name_of
from sightline.ingest.errors import SourceNotFound, SourceUnreadable

#: First bytes of each compression: what it is called, and what unpacks it.
PACKED: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", lambda raw: gzip.GzipFile(fileobj=raw)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\0": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstandard", zstd.ZstdFile),
}
#: Endings of packed files; that of the format stands before them.
PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
#: Most bytes that tell a compression.
MAGIC = max(map(len, PACKED))
BOM = codecs.BOM_UTF8
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstd.ZstdError)

#: Bytes read at a time, and the longest record.
BLOCK = 8 << 20
MAX_RECORD = 64 << 20
#: Beyond the first, a packed file may not expand to more than the second times its own size.
BOMB_SIZE = 64 << 20
BOMB_RATIO = 200
#: Bytes of a document that is parsed as a whole.
MAX_DOCUMENT = 512 << 20
#: Bytes from which formats, separators and headers are guessed.
HEAD = 1 << 20


def without_packing(name: str) -> str:
    """A file's name without the ending of its compression."""
    lower = name.lower()
    ending = next((e for e in PACKED_ENDINGS if lower.endswith(e) and lower != e), "")
    return name[: len(name) - len(ending)]


def require_no_bomb(path: Path, expanded: float, size: int, way_out: str) -> None:
    """Refuse what expands to far more bytes than it has. Raises SourceUnreadable, with a way
    out."""
    if expanded > max(BOMB_SIZE, BOMB_RATIO * size):
        raise SourceUnreadable(
            path,
            f"it expands to more than {BOMB_RATIO} times its size, as a decompression bomb "
            f"does; {way_out} if you trust it",
        )


class ByteStream:
    """The bytes of a file, unpacked, in UTF-8 and without a byte order mark. Bounded.

    ``read`` raises SourceUnreadable where the packing is broken, cut short, or a decompression
    bomb, and where the text is not in its encoding.

    Args:
        encoding: that of the file, None for UTF-8.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path = path
        self.expanded = 0
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
        self._decoded = b""
        try:
            self._raw = path.open("rb")
            magic = self._raw.read(MAGIC)
            self._raw.seek(0)
        except FileNotFoundError as error:
            raise SourceNotFound(path) from error
        except OSError as error:
            raise SourceUnreadable(path, os.strerror(error.errno or 0)) from error
        self._size = os.fstat(self._raw.fileno()).st_size
        self._stream: IO[bytes] = self._raw
        #: What it is packed with; empty if it is not.
        self.packing = ""
        for first, (name, unpack) in PACKED.items():
            if magic.startswith(first):
                self.packing, self._stream = name, unpack(self._raw)

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
        if self._decoder is None:
            data = self._unpacked(size)
        else:
            while len(self._decoded) < size and self._decode(size):
                pass
            data, self._decoded = self._decoded[:size], self._decoded[size:]
        if self.expanded == 0 and data.startswith(BOM):
            data = data[len(BOM) :]
        self.expanded += len(data)
        if self.packing:
            require_no_bomb(self.path, self.expanded, self._size, "unpack it first")
        return data

    def whole(self, way_out: str, most: int = MAX_DOCUMENT) -> bytes:
        """All bytes of a document that is not too large. Raises SourceUnreadable, with a way out
        where it is."""
        data = self.read(most + 1)
        if len(data) > most:
            raise SourceUnreadable(self.path, f"it is larger than {most >> 20} MiB; {way_out}")
        return data

    def _decode(self, size: int) -> bool:
        """Decode some more; False at the end."""
        assert self._decoder is not None
        data = self._unpacked(size)
        try:
            self._decoded += self._decoder.decode(data, final=not data).encode()
        except UnicodeError as error:
            reason = (
                f"it is not in {name_of(str(self._encoding))}; say its encoding with --encoding"
            )
            raise SourceUnreadable(self.path, reason) from error
        return bool(data)

    def _unpacked(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except BROKEN as error:
            reason = f"its {self.packing} is broken or cut short"
            raise SourceUnreadable(self.path, reason) from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else f"its {self.packing} is broken"
            raise SourceUnreadable(self.path, reason) from error

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
