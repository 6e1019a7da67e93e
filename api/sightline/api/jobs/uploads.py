"""Files that are sent to be loaded: taken in piece by piece, bounded, and kept under names of our
own; what the sender calls a file is kept beside it, and is no part of any path.

``uploads/ID/`` holds the files of the job ``ID``, ``0.csv`` and so on, the mapping that came with
them, and a manifest. Files that a load was made of stay, so that the record behind a fact can be
shown. Knows bytes and multipart; knows no source format.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fastapi import Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from sightline.api.errors import BadUpload, UnknownJob, UploadTooLarge
from sightline.api.jobs.queue import Jobs
from sightline.api.terms import HEADROOM
from sightline.graph.progress import Cancelled
from sightline.graph.record.loads import Load
from sightline.graph.storage.artifact import new_artifact, remove, write_manifest
from sightline.graph.storage.errors import DiskFull, WorkspaceError
from sightline.graph.storage.workspace import Workspace

FORMAT = 1
#: Bytes and files of one request; bytes of all that are kept; bytes of a mapping.
MAX_BYTES, MAX_FILES, MAX_KEPT, MAX_MAPPING = 4 << 30, 100, 64 << 30, 1 << 20
#: Bytes of a body that are no file: a mapping, and what is between the parts of a form.
MAX_OTHER = 2 * MAX_MAPPING
#: Characters of a name.
MAX_NAME = 200
#: Seconds for which a sender may send nothing.
IDLE = 30.0
#: Bytes that are written at once.
AT_ONCE = 1 << 20
#: Seconds for which the files of a job that failed or was cancelled wait for another try.
WAITING = 86_400.0
#: What of a name is kept for those who tell formats by it.
_ENDING = re.compile(r"(\.[a-z0-9]{1,12}){1,2}$")
MAPPING = "mapping"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was taken in.

    Attributes:
        name: what the sender calls it.
        stored: what it is called in the folder of its job.
    """

    name: str
    stored: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    """What one request sent: its files, and what a mapping among them is stored as."""

    files: tuple[Sent, ...]
    mapping: str | None


async def take_in(request: Request, ws: Workspace, job_id: str, name: str | None) -> Upload:
    """Store what a request sends, for a job.

    Args:
        name: what the body is called, where it is one file and no form.

    Raises:
        BadUpload, UploadTooLarge, NotWritable, DiskFull
        Cancelled: the sender has gone.
    """
    sent, options = parse_options_header(request.headers.get("content-type"))
    is_form = sent == b"multipart/form-data"
    if is_form and not options.get(b"boundary"):
        raise BadUpload("the form names no boundary between its parts")
    if not is_form and name is None:
        raise BadUpload(
            "the body is one file and has no name; say ?name=FILE, or send multipart/form-data"
        )
    room = await run_in_threadpool(_room, ws)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > room + MAX_OTHER:
        raise _too_large(room)
    made = new_artifact(ws.uploads, job_id)
    async with contextmanager_in_threadpool(made) as folder:
        intake = _Intake(folder, room)
        if is_form:
            write, end = _form(options[b"boundary"], intake)
        else:
            assert name is not None
            intake.begin(name)
            write, end = intake.write, intake.end
        try:
            async for block in _blocks(request, room):
                await run_in_threadpool(write, block)
            await run_in_threadpool(end)
        finally:
            intake.close()
        upload = intake.upload()
        await run_in_threadpool(
            write_manifest, folder, {"format": FORMAT, "names": [f.name for f in upload.files]}
        )
    return upload


async def _blocks(request: Request, room: int) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a turn of a thread."""
    stream = request.stream().__aiter__()
    block, left = bytearray(), room + MAX_OTHER
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream, None), IDLE)
        except TimeoutError:
            raise BadUpload(f"nothing of the body came for {IDLE:g} seconds") from None
        except ClientDisconnect:
            raise Cancelled from None
        block += piece or b""
        left -= len(piece or b"")
        if left < 0:
            raise _too_large(room)
        if len(block) >= AT_ONCE or piece is None:
            yield bytes(block)
            block.clear()
        if piece is None:
            return


class _Intake:
    """Files one after the other, into a folder."""

    def __init__(self, folder: Path, room: int) -> None:
        self._folder = folder
        self._room = self._left = room
        self._files: list[Sent] = []
        self._mapping: str | None = None
        self._out: IO[bytes] | None = None
        self._name: str | None = None
        self._stored = ""
        self._bytes = 0

    def begin(self, name: str) -> None:
        """A file begins.

        Raises:
            BadUpload
        """
        self._name = _checked(name)
        if len(self._files) == MAX_FILES:
            raise BadUpload(f"there are more than {MAX_FILES} files; send fewer at once")
        self._open(f"{len(self._files)}{_ending(self._name)}")

    def begin_mapping(self, name: str) -> None:
        """The mapping begins; the ending of its name says its language.

        Raises:
            BadUpload
        """
        if self._mapping is not None:
            raise BadUpload("there are several mappings; send one")
        self._name = None
        self._mapping = f"{MAPPING}{_ending(name)}"
        self._open(self._mapping)

    def _open(self, stored: str) -> None:
        self._stored, self._bytes = stored, 0
        self._out = (self._folder / stored).open("wb")

    def write(self, data: bytes) -> None:
        """More of the file.

        Raises:
            UploadTooLarge
        """
        assert self._out is not None
        self._bytes += len(data)
        if self._name is None and self._bytes > MAX_MAPPING:
            raise UploadTooLarge(f"the mapping is larger than {MAX_MAPPING} bytes")
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._room)
        self._out.write(data)

    def end(self) -> None:
        """The file is whole."""
        self.close()
        if self._name is not None:
            self._files.append(Sent(self._name, self._stored, self._bytes))

    def close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None

    def upload(self) -> Upload:
        """What was taken in.

        Raises:
            BadUpload
        """
        if not self._files:
            raise BadUpload("no file was sent; a form holds each as a part with a filename")
        return Upload(tuple(self._files), self._mapping)


def _form(boundary: bytes, intake: _Intake) -> tuple[Callable[[bytes], None], Callable[[], None]]:
    """How the body of a form is written, and ended."""
    field, value, heads, ended = bytearray(), bytearray(), {}, []

    def header_end() -> None:
        heads[bytes(field).lower()] = bytes(value)
        field.clear()
        value.clear()

    def headers_finished() -> None:
        _, options = parse_options_header(heads.pop(b"content-disposition", b""))
        heads.clear()
        part = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename", b"").decode("utf-8", "replace")
        if part == MAPPING:
            intake.begin_mapping(filename)
        elif filename:
            intake.begin(filename)
        else:
            raise BadUpload(
                f"the part {part[:80]!r} is no file; a form holds files, each with a filename, and "
                f"may hold a part {MAPPING}; what else there is to say is said by parameters"
            )

    callbacks: dict[str, Any] = {
        "on_header_field": lambda data, start, end: field.extend(data[start:end]),
        "on_header_value": lambda data, start, end: value.extend(data[start:end]),
        "on_header_end": header_end,
        "on_headers_finished": headers_finished,
        "on_part_data": lambda data, start, end: intake.write(data[start:end]),
        "on_part_end": intake.end,
        "on_end": lambda: ended.append(True),
    }
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
    except FormParserError as error:
        raise BadUpload(f"the form cannot be read: {error}") from error

    def write(data: bytes) -> None:
        try:
            parser.write(data)
        except FormParserError as error:
            raise BadUpload(f"the form cannot be read: {error}") from error

    def end() -> None:
        if not ended:
            raise BadUpload("the form is cut short: the boundary at its end is missing")

    return write, end


def _ending(name: str) -> str:
    """What of a name is kept, in lower case."""
    ending = _ENDING.search(name.lower())
    return ending[0] if ending else ""


def _checked(name: str) -> str:
    """The last part of a name that somebody gave a file.

    Raises:
        BadUpload
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    if not last or last == ".." or len(last) > MAX_NAME or not last.isprintable():
        raise BadUpload(
            f"{name[:80]!r} is no name of a file: it takes 1 to {MAX_NAME} printable characters"
        )
    return last


def _too_large(room: int) -> UploadTooLarge:
    if room < MAX_BYTES:
        return UploadTooLarge(
            f"uploads may hold {MAX_KEPT} bytes together and leave {HEADROOM} of the disk free, so "
            f"that {room} are left; send less, or ask whoever runs this service to load the files "
            "there (sightline ingest), which keeps none, or to remove folders of uploads/"
        )
    return UploadTooLarge(
        f"the files are larger than {MAX_BYTES} bytes together; send fewer at once, or ask "
        "whoever runs this service to load them there (sightline ingest)"
    )


def _room(ws: Workspace) -> int:
    """Bytes that may be taken in, after what nobody needs was removed.

    Raises:
        DiskFull: hardly anything of the disk is left.
    """
    sweep(ws)
    kept = sum(path.stat().st_size for path in ws.uploads.rglob("*") if path.is_file())
    free = shutil.disk_usage(ws.path).free - HEADROOM
    if free <= 0:
        raise DiskFull(ws.uploads, HEADROOM)
    return max(min(MAX_BYTES, MAX_KEPT - kept, free), 0)


def sweep(ws: Workspace) -> None:
    """Remove files that no load was made of and no job waits for."""
    try:
        used = {Path(load.path).parts[:2] for load in Load.all(ws.loads_folder)}
    except WorkspaceError:
        return  # of a damaged load nobody knows what it was made of
    jobs = Jobs(ws.path)
    for folder in ws.uploads.glob("[!.]*"):
        if folder.relative_to(ws.path).parts in used:
            continue
        with suppress(OSError):
            ended = time.time() - folder.stat().st_mtime
            with suppress(UnknownJob):
                job = jobs.get(folder.name)
                if not job.ended:
                    continue
                ended = time.time() - job.changed
            if ended > WAITING:
                remove(folder)
