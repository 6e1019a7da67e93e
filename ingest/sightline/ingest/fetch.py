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
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

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
    _copy(iter(partial(sys.stdin.buffer.read, BLOCK), b""), path, MAX_FETCHED, STDIN)
    return path


def from_network(url: str, scratch: Path, allowed: bool) -> Path:
    """What is at an address, as a file.

    Raises:
        NetworkRefused, SourceUnreadable
    """
    if not allowed:
        raise NetworkRefused(url)
    import httpx

    # What is packed stays so: how far it may expand is bounded where it is read.
    headers = {"User-Agent": "sightline", "Accept-Encoding": "identity"}
    asking = httpx.Client(
        headers=headers, timeout=TIMEOUT, follow_redirects=True, max_redirects=MAX_REDIRECTS
    )
    try:
        path = scratch / (PurePosixPath(unquote(urlsplit(url).path)).name or "download")
        with asking, asking.stream("GET", url) as response:
            response.raise_for_status()
            _copy(response.iter_raw(BLOCK), path, MAX_FETCHED, url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        told = str(error).partition("\n")[0] or type(error).__name__
        raise SourceUnreadable(url, f"the network says: {told}") from error
    return path


def members(
    archive: Path,
    scratch: Path,
    given: Path,
    only: str | None = None,
    passed: list[tuple[Path, str]] | None = None,
) -> Iterator[tuple[Path, Path]]:
    """The files in a zip archive, unpacked: what each is called, and where it is.

    Args:
        only: the path in the archive of the one that is wanted.
        passed: takes what is left out, and why.

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
                if hidden and passed is not None:
                    out = "their names lead out of the archive"
                    passed.append((Path(name), out if ".." in name.parts else "hidden"))
                if hidden or only not in (None, str(name).lstrip("/")):
                    continue
                said = given / str(name).lstrip("/")
                folder = scratch / str(number)
                folder.mkdir(parents=True)
                with packed.open(one) as stream:
                    blocks = iter(partial(stream.read, BLOCK), b"")
                    limit -= _copy(blocks, folder / name.name, limit, said, bomb=True)
                yield said, folder / name.name
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SourceUnreadable(given, f"its zip is broken or cut short ({error})") from error
    except RuntimeError as error:  # as zipfile says of a password
        raise SourceUnreadable(given, "its zip is encrypted; unpack it first") from error


def _copy(
    blocks: Iterable[bytes], path: Path, limit: int, said: str | Path, bomb: bool = False
) -> int:
    """Write pieces to a file; how many bytes that were."""
    size = 0
    try:
        with path.open("wb") as out:
            for block in blocks:
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
        raise SourceUnreadable(said, os.strerror(error.errno or 0)) from error
    return size
