"""Who asks, and whether they may.

Every request gets a caller before anything else is looked at, a cache included; every route
declares once, by ``may``, whom it answers. Knows tokens and roles; knows no route.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.api.budget import Budgets
from sightline.api.errors import NotAllowed, NoToken
from sightline.api.problems import of_sightline
from sightline.api.terms import Terms
from sightline.graph.errors import SightlineError
from sightline.graph.storage.tokens import FILE, ROLES, Token, match, tokens

#: Seconds after which a token that was made or taken back counts.
FOLLOW = 1.0
#: Wrong tokens in a minute from one address that are answered as such.
GUESSES = 30.0
#: The name of the one way to say who asks, in OpenAPI.
SCHEME = "token"
SCHEMES = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `sightline token create`; needed as soon as one exists, and "
        "always where the service listens on another address than loopback.",
    }
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        owner: id of the token; what is made for it belongs to it. None: nobody in particular.
        name: of the token, for logs.
        roles: what it may do.
        budget: whose time its work is charged to; None: nobody counts it.
    """

    owner: str | None
    name: str
    roles: frozenset[str]
    budget: str | None = None

    def sees(self, owner: str | None) -> bool:
        """Whether it may see what belongs to somebody."""
        return "admin" in self.roles or (owner is not None and owner == self.owner)


#: Where no token exists: everybody on this machine.
ANYBODY = Caller(None, "-", ROLES["admin"])
NOBODY = Caller(None, "-", frozenset())
_CALLER, _AGAIN = "sightline.caller", "sightline.caller.again"


def may(*roles: str) -> dict[str, Any]:
    """What a route declares: whom it answers, as OpenAPI says it; none named: everybody."""
    assert set(roles) <= set(ROLES)
    return {"security": [{SCHEME: [role]} for role in roles]}


def roles_of(declared: Mapping[str, Any] | None) -> frozenset[str]:
    """The roles of which a caller needs one, as ``may`` declared them; none: no token is needed.

    Raises:
        TypeError: nothing is declared.
    """
    if declared is None or "security" not in declared:
        raise TypeError("a route must declare whom it answers: openapi_extra=may(...)")
    return frozenset(role for way in declared["security"] for role in way[SCHEME])


def caller_of(scope: Scope) -> Caller:
    """Who asks; nobody, where no check has been passed."""
    found: Caller = scope.get(_CALLER, NOBODY)
    return found


def is_still(scope: Scope) -> bool:
    """Whether who asked is who it was: for answers that go on while a token may be taken back."""
    try:
        return _AGAIN not in scope or scope[_AGAIN]() == caller_of(scope)
    except SightlineError:
        return False


def permits(scope: Scope, roles: Collection[str]) -> bool:
    """Whether the caller may ask what one of some roles may; what needs none, everybody may."""
    return not roles or not caller_of(scope).roles.isdisjoint(roles)


def require(scope: Scope, roles: Collection[str]) -> None:
    """Check that the caller may ask what one of some roles may.

    Raises:
        NoToken, NotAllowed
    """
    if not permits(scope, roles):
        caller = caller_of(scope)
        raise NoToken("this needs a token") if caller is NOBODY else NotAllowed(caller.name, roles)


def name_of(scope: Scope) -> str:
    """Who asks, for logs: name and id of the token."""
    caller = caller_of(scope)
    return f"{caller.name}/{caller.owner}" if caller.owner else "-"


class Access:
    """ASGI middleware that says who asks, and turns strangers away.

    Args:
        public: paths that everybody may see, and folders of them, which end with a slash.
    """

    def __init__(self, app: ASGIApp, folder: Path, terms: Terms, public: Collection[str]) -> None:
        self.app = app
        self._folder = folder
        self._open = terms.open
        self._guesses = Budgets(GUESSES)
        self._public = public
        self._known: dict[str, Token] = {}
        self._trouble: SightlineError | None = None
        self._mark: object = None
        self._next = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                scope[_CALLER] = self._caller(scope)
                scope[_AGAIN] = partial(self._caller, scope)
            except SightlineError as error:
                if not self._is_public(scope["path"]):
                    await of_sightline(error)(scope, receive, send)
                    return
                scope[_CALLER] = NOBODY
        await self.app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + FOLLOW
            self._follow()
        if self._trouble is not None:
            raise self._trouble
        address = scope["client"][0] if scope.get("client") else ""
        if not self._known and self._open:
            return ANYBODY if is_loopback(address) else replace(ANYBODY, budget=address)
        sent = next((v for name, v in scope["headers"] if name == b"authorization"), None)
        if sent is None:
            raise NoToken("this needs a token")
        scheme, _, text = sent.decode("latin-1").partition(" ")
        token = match(self._known, text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            self._guesses.require(address)
            self._guesses.charge(address, 1.0)
            raise NoToken("the token is wrong, has expired, or was taken back")
        roles = frozenset[str]().union(*(ROLES[role] for role in token.roles))
        return Caller(token.id, token.name, roles, token.id)

    def _follow(self) -> None:
        """Read the tokens again when they have changed; what cannot be read opens nothing."""
        try:
            status = (self._folder / FILE).stat()
            mark: object = (status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            mark = None
        if mark == self._mark and self._trouble is None:
            return
        try:
            self._known = {token.id: token for token in tokens(self._folder)}
            self._mark, self._trouble = mark, None
        except SightlineError as error:
            self._trouble = error

    def _is_public(self, path: str) -> bool:
        return path in self._public or path[: path.find("/", 1) + 1] in self._public


@lru_cache
def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
