"""Sources that are no plain files: archives, standard input, the network. Each becomes a file.

Knows where bytes come from, and bounds how many; knows no format. What is fetched lies in a folder
of its own until everything is loaded.
"""

from __future__ import annotations

import os
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from sightline.ingest.errors import NetworkRefused, SourceUnreadable
from sightline.ingest.streams import BLOCK, BOMB_RATIO, BOMB_SIZE

STDIN = "-"
DATABASES = re.compile(r"(postgresql|postgres|mysql|mariadb|mssql|oracle)(\+\w+)?://")
ZIP = b"PK\x03\x04"
#: Most bytes of a source from the network or from standard input, and most members of an archive.
MAX_FETCHED = 16 << 30
MAX_MEMBERS = 100_000
MAX_REDIRECTS = 5
#: Seconds for which a server may say nothing.
TIMEOUT = 60


def is_url(source: str | Path) -> bool:
    """Whether a source is on the network."""
    return str(source).lower().startswith(("http://", "https://"))


def is_database(source: str | Path) -> bool:
    """Whether a source is a database behind a server, which SQLAlchemy opens."""
    return DATABASES.match(str(source)) is not None


def from_stdin(scratch: Path) -> Path:
    """Standard input as a file."""
    path = scratch / "stdin"
    _copy(sys.stdin.buffer, path, MAX_FETCHED, STDIN)
    return path


class _Redirects(HTTPRedirectHandler):
    """Follows few redirects, and to the web alone."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(self, req: Request, *rest: Any) -> Request | None:
        if not is_url(rest[-1]):
            rest[0].close()
            raise URLError("it redirects to what is no http or https address")
        return super().redirect_request(req, *rest)


def from_network(url: str, scratch: Path, allowed: bool) -> Path:
    """What is at an address, as a file.

    Raises:
        NetworkRefused, SourceUnreadable
    """
    if not allowed:
        raise NetworkRefused(url)
    name = PurePosixPath(unquote(urlsplit(url).path)).name or "download"
    path = scratch / name
    opener: OpenerDirector = build_opener(_Redirects)
    try:
        request = Request(url, headers={"User-Agent": "sightline"})
        with opener.open(request, timeout=TIMEOUT) as response:
            length = int(response.headers.get("Content-Length") or 0)
            _copy(response, path, MAX_FETCHED, url)
    except URLError as error:
        raise SourceUnreadable(url, f"the network says: {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise SourceUnreadable(url, f"the network says: {error}") from error
    if length and path.stat().st_size < length:
        raise SourceUnreadable(url, "the connection ended before all was there; try again")
    return path


def members(
    archive: Path, scratch: Path, given: Path, only: str | None = None
) -> Iterator[tuple[Path, Path]]:
    """The files in a zip archive, unpacked: what each is called, and where it is.

    Args:
        only: the path in the archive of the one that is wanted.

    Raises:
        SourceUnreadable: it is damaged, encrypted or a decompression bomb.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            inside = [one for one in packed.infolist() if not one.is_dir()]
            if len(inside) > MAX_MEMBERS:
                raise SourceUnreadable(given, f"it has more than {MAX_MEMBERS:,} members")
            limit = max(BOMB_SIZE, BOMB_RATIO * archive.stat().st_size)
            for number, one in enumerate(inside):
                name = PurePosixPath(one.filename.replace("\\", "/"))
                hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
                if hidden or only not in (None, str(name).lstrip("/")):
                    continue
                said = given / str(name).lstrip("/")
                folder = scratch / str(number)
                folder.mkdir(parents=True)
                with packed.open(one) as stream:
                    limit -= _copy(stream, folder / name.name, limit, said, bomb=True)
                yield said, folder / name.name
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SourceUnreadable(given, f"its zip is broken or cut short ({error})") from error
    except RuntimeError as error:  # as zipfile says of a password
        raise SourceUnreadable(given, "its zip is encrypted; unpack it first") from error


def _copy(stream: IO[bytes], path: Path, limit: int, said: str | Path, bomb: bool = False) -> int:
    """Write what a stream holds to a file, in pieces; how many bytes that were."""
    size = 0
    try:
        with path.open("wb") as out:
            while block := stream.read(BLOCK):
                size += len(block)
                if size > limit:
                    reason = f"it is larger than {limit:,} bytes"
                    if bomb:
                        reason = (
                            f"its zip expands to more than {BOMB_RATIO} times its size, as a "
                            "decompression bomb does; unpack it first if you trust it"
                        )
                    raise SourceUnreadable(said, reason)
                out.write(block)
    except OSError as error:
        if isinstance(error, URLError):
            raise
        raise SourceUnreadable(said, os.strerror(error.errno or 0)) from error
    return size
