"""The tokens of a workspace: who may ask its service, and what.

A token is 256 random bits, shown once; only its SHA-256 is stored, in a file that its owner alone
reads. Knows that file and the names of roles; knows no route.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sightline.graph.errors import UsageError
from sightline.graph.storage.artifact import read_list, sealed, turn, write_json_atomic
from sightline.graph.storage.errors import DamagedArtifact, UnknownToken, from_os_error

FILE, LOCK, FORMAT = "tokens.json", ".lock-tokens", 1
#: What a token with a role may do, itself included. ``read``: what the graph holds. ``ask``: also
#: questions that cost, and reports. ``ingest``: add data, and nothing else. ``admin``: everything.
ROLES: Mapping[str, frozenset[str]] = {
    "read": frozenset({"read"}),
    "ask": frozenset({"read", "ask"}),
    "ingest": frozenset({"ingest"}),
    "admin": frozenset({"read", "ask", "ingest", "admin"}),
}
#: Begins every token, so that one which was published by mistake can be found.
PREFIX = "sl_"
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Token:
    """What is stored of a token.

    Attributes:
        id: what of the token may be shown: 8 hex digits.
        roles: names of ``ROLES``.
        digest: SHA-256 of the whole token, in hex.
        created, expires: seconds since 1970; ``expires`` None: never.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    digest: str
    created: float
    expires: float | None

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and time.time() >= self.expires


def tokens(folder: Path) -> tuple[Token, ...]:
    """The tokens of a workspace, the oldest first; none where no file is.

    Raises:
        DamagedArtifact, FormatMismatch, NotWritable: the file is there and cannot be used.
    """
    path = folder / FILE
    way_out = "delete it and make new tokens with `sightline token create`"
    try:
        value = read_list(path, FORMAT, way_out)
        return () if value is None else tuple(_token(item) for item in value["tokens"])
    except OSError as error:
        raise from_os_error(error, path) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedArtifact(path, "it is no list of tokens", way_out) from error


def _token(item: Mapping[str, Any]) -> Token:
    found = Token(**{**item, "roles": tuple(item["roles"])})
    if not set(found.roles) <= set(ROLES):
        raise ValueError
    return found


def create_token(
    folder: Path, name: str, roles: Sequence[str], days: float | None = None
) -> tuple[Token, str]:
    """Make a token; the text to hand over, which nobody can see again.

    Args:
        roles: names of ``ROLES``.
        days: until it expires; None: never.

    Raises:
        UsageError: the name is taken or cannot be shown in a line; a role does not exist.
        DamagedArtifact, FormatMismatch, NotWritable, DiskFull
    """
    if not re.fullmatch(r"[\w.@+-]{1,64}", name):
        raise UsageError(
            f"the name of a token is {name[:80]!r}; it has 1 to 64 letters, digits and . _ - @ +"
        )
    for role in roles:
        if role not in ROLES:
            raise UsageError(f"there is no role {role[:40]!r}; there are {', '.join(ROLES)}")
    with turn(folder / LOCK):
        known = tokens(folder)
        if name in (token.name for token in known):
            raise UsageError(f"a token {name!r} exists; take another name, or revoke it first")
        ident, now = secrets.token_hex(4), time.time()
        text = f"{PREFIX}{ident}_{secrets.token_urlsafe(32)}"
        expires = None if days is None else now + days * DAY
        token = Token(ident, name, tuple(dict.fromkeys(roles)), _digest(text), now, expires)
        _write(folder, [*known, token])
    return token, text


def revoke_token(folder: Path, ref: str) -> Token:
    """Take a token back, by id or name; at most a second later it opens nothing.

    Raises:
        UnknownToken, DamagedArtifact, FormatMismatch, NotWritable, DiskFull
    """
    with turn(folder / LOCK):
        known = tokens(folder)
        found = [token for token in known if ref in (token.id, token.name)]
        if not found:
            raise UnknownToken(ref, [token.name for token in known])
        _write(folder, [token for token in known if token is not found[0]])
    return found[0]


def check_tokens(folder: Path) -> None:
    """Check that the tokens can be read, and by nobody else.

    Raises:
        DamagedArtifact, FormatMismatch, NotWritable
    """
    path = folder / FILE
    if tokens(folder) and path.stat().st_mode & 0o077:
        raise DamagedArtifact(path, "others may read it", f"chmod 600 {path}")


def match(known: Mapping[str, Token], text: str) -> Token | None:
    """The token that a text is, among ``known`` ones by id, unless it has expired.

    It takes as long for a wrong text as for a right one.
    """
    token = known.get(text[len(PREFIX) : len(PREFIX) + 8])
    right = hmac.compare_digest(_digest(text), "" if token is None else token.digest)
    return token if right and token is not None and not token.expired else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _write(folder: Path, known: Sequence[Token]) -> None:
    value = {"format": FORMAT, "tokens": [asdict(token) for token in known]}
    write_json_atomic(folder / FILE, sealed(value), mode=0o600)
