"""Find the files to load, what format each has, and which part of a split it plays.

Knows names, first bytes and gzip; knows nothing of records. Formats and compression are recognised
by content where the name does not tell.
"""

from __future__ import annotations

import glob
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Self

from sightline.graph.record.loads import Role
from sightline.graph.storage.settings import FILE as SETTINGS_FILE
from sightline.ingest.errors import SourceEmpty, SourceNotFound, SourceUnreadable

Format = Literal["delimited", "json", "jsonl", "parquet", "nt", "nq", "ttl", "trig"]

FORMATS: dict[str, Format] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".txt": "delimited",
    ".sif": "delimited",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".nt": "nt",
    ".nq": "nq",
    ".ttl": "ttl",
    ".trig": "trig",
}
MEDIA_TYPES: dict[Format, str] = {
    "delimited": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "nt": "application/n-triples",
    "nq": "application/n-quads",
    "ttl": "text/turtle",
    "trig": "application/trig",
}
#: A folder with the first three of these is a benchmark split.
SPLIT: dict[str, Role] = {
    "train.txt": "facts",
    "valid.txt": "valid",
    "test.txt": "test",
    "valid_negatives.txt": "valid_negatives",
    "test_negatives.txt": "test_negatives",
}
#: First bytes of files that people rename to .csv.
BINARY_MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; export it as CSV",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; export it as CSV",
    b"\x89PNG": "a PNG image",
    b"BZh": "bzip2; unpack it or use gzip",
    b"\x28\xb5\x2f\xfd": "zstandard; unpack it or use gzip",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}
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


@dataclass(frozen=True, slots=True)
class Source:
    """One file to load.

    Attributes:
        path: as the user wrote it.
        split: the file is part of a benchmark split, so its triples have no header.
    """

    path: Path
    format: Format
    role: Role = "facts"
    split: bool = False

    @property
    def name(self) -> str:
        """The file's name without ``.gz``."""
        return self.path.name.removesuffix(".gz")

    @property
    def stem(self) -> str:
        """What the file is called, without its endings and in lower case."""
        return self.name.partition(".")[0].lower()

    @property
    def media_type(self) -> str:
        tabs = Path(self.name).suffix.lower() != ".csv"
        if self.format == "delimited" and tabs:
            return "text/tab-separated-values"
        return MEDIA_TYPES[self.format]

    def open(self) -> ByteStream:
        """The file's bytes, unpacked.

        Raises:
            SourceNotFound, SourceUnreadable
        """
        return ByteStream(self.path)


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


def discover(sources: Sequence[str | Path]) -> list[Source]:
    """The files behind paths, folders and globs, in order and each once.

    A folder gives the files in it and below that have a known ending. One that holds ``train.txt``,
    ``valid.txt`` and ``test.txt`` is a benchmark split: train becomes facts, the others are held
    out.

    Raises:
        SourceNotFound: nothing is there, or nothing with a known ending.
        SourceEmpty, SourceUnreadable: a file without bytes, or of no known format.
    """
    found: dict[Path, Source] = {}
    for source in sources:
        for path, explicit in _files(Path(source)):
            recognised = _recognise(path, explicit)
            if recognised is not None:
                found.setdefault(path.resolve(), recognised)
    if not found:
        names = ", ".join(str(source) for source in sources)
        raise SourceNotFound(names, f"no file ends in {', '.join(FORMATS)} (or that and .gz)")
    return list(found.values())


def _files(path: Path) -> Iterator[tuple[Path, bool]]:
    """Files behind a path, and whether the user named the file itself."""
    try:
        if path.is_dir():
            yield from ((file, False) for file in _below(path))
        elif path.exists():
            yield path, True
        elif matches := sorted(glob.glob(str(path), recursive=True)):
            for match in matches:
                yield from _files(Path(match))
        else:
            raise SourceNotFound(path)
    except PermissionError as error:
        raise SourceUnreadable(error.filename or path, "permission denied") from error


def _below(folder: Path) -> Iterator[Path]:
    """The files of a folder and below, without hidden ones and those of workspaces."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        if SETTINGS_FILE in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _recognise(path: Path, explicit: bool) -> Source | None:
    """The source, or None for a file of a folder that is none of ours."""
    name = path.name.removesuffix(".gz")
    format = FORMATS.get(Path(name).suffix.lower())
    if format is None and not explicit:
        return None
    if not path.is_file():
        raise SourceUnreadable(path, "it is no regular file")
    with ByteStream(path) as stream:
        head = stream.read(HEAD)
    if not head:
        raise SourceEmpty(path)
    in_split = all((path.parent / part).exists() for part in tuple(SPLIT)[:3])
    if in_split and name in SPLIT:
        return Source(path, _checked(path, "delimited", head), SPLIT[name], split=True)
    if not explicit and name.lower().endswith(".txt") and b"\t" not in head.partition(b"\n")[0]:
        return None  # prose beside the data, such as LICENSE.txt
    return Source(path, _checked(path, format or _guess(head), head))


def _checked(path: Path, format: Format, head: bytes) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, what in BINARY_MAGIC.items():
        if head.startswith(magic):
            raise SourceUnreadable(path, f"it is {what}")
    # A stray NUL spoils its own record; many of them mean that this is no text at all.
    sample = head[:65536]
    odd = len(sample.translate(None, bytes(range(9, 14)) + bytes(range(32, 256))))
    if format == "parquet" or (b"\0" in sample and odd * 20 > len(sample)):
        raise SourceUnreadable(
            path, f"it is binary, not {'Parquet' * (format == 'parquet') or 'text'}"
        )
    if format == "json" and _is_json_lines(head):
        return "jsonl"
    return format


def _guess(head: bytes) -> Format:
    """The format of text whose name says nothing."""
    start = head.lstrip()
    if start.startswith((b"{", b"[")):
        return "json"
    if start.startswith((b"@prefix", b"@base", b"PREFIX", b"BASE")):
        return "ttl"
    return "nt" if start.startswith((b"<", b"_:")) else "delimited"


def _is_json_lines(head: bytes) -> bool:
    """One object per line, under a name that ends in .json."""
    lines = [line.strip() for line in head.split(b"\n")[:2]]
    return len(lines) == 2 and all(x.startswith(b"{") and x.endswith(b"}") for x in lines)
