"""What is served: one opened (snapshot, model) pair at a time, and the threads that answer from it.

Knows when another pair has been published and how to open it beside the old one; what cannot be
opened is refused, and the old pair goes on serving. Knows no route and no media type.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from sightline.distill.serving import verify_model
from sightline.graph.errors import Busy, SightlineError, Unavailable
from sightline.graph.storage.artifact import verify_artifact
from sightline.graph.storage.errors import WorkspaceError
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.models.errors import NoModel

T = TypeVar("T")

VERSION = version("sightline")
#: Threads that answer. The kernels let go of the interpreter, the rest of an answer does not.
THREADS = 4
#: Questions that may wait for a thread before the next one is told to come back.
QUEUE = 64
#: Bytes of finished answers kept per pair.
CACHE_BYTES = 32 << 20
#: Seconds between two looks at ``current.json``.
WATCH_INTERVAL = 1.0

log = logging.getLogger("sightline.api")


#: What an answer depends on beside the pair: raw path, query string, header Accept.
Key = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished answer."""

    media_type: str
    body: bytes


class Cache:
    """Finished answers, the least recently used leave first. For one thread: the event loop's."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def get(self, key: Key) -> Kept | None:
        """The answer kept under ``key``."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: Key, kept: Kept) -> None:
        """Keep an answer, unless it is too large to share the room."""
        size = _size(key, kept)
        if key in self._kept or size > self._limit // 8:
            return
        self._kept[key] = kept
        self._size += size
        while self._size > self._limit:
            self._size -= _size(*self._kept.popitem(last=False))


def _size(key: Key, kept: Kept) -> int:
    return len(kept.body) + sum(map(len, key))


@dataclass(frozen=True, slots=True)
class Pair:
    """An opened snapshot and its model.

    Attributes:
        tag: short text that changes with the software, the snapshot and the model.
        cache: answers made from this pair; they leave with it.
    """

    sight: Sightline
    tag: str
    cache: Cache = field(default_factory=Cache)

    @classmethod
    def open(cls, folder: Path, strict: bool) -> Pair:
        """Open what is published and ask it once, so that compiled kernels and tables are ready.

        Args:
            strict: refuse a snapshot whose model is damaged, instead of serving it without one.

        Raises:
            NotAWorkspace, FormatMismatch, NothingCompiled, DamagedArtifact
        """
        sight = Sightline.open(Workspace.open(folder))
        if strict and isinstance(sight.no_model, WorkspaceError):
            raise sight.no_model
        if sight.snapshot.num_entities:
            sight.search("a")
            sight.paths(0, sight.snapshot.num_entities - 1)
            with suppress(SightlineError):  # there may be no model, or one that does not know it
                sight.related(0, known=False)
        return cls.of(sight)

    @classmethod
    def of(cls, sight: Sightline) -> Pair:
        """The pair that a ``Sightline`` answers from."""
        model = None if sight.model is None else sight.model.id
        digest = hashlib.sha256(f"{VERSION} {sight.snapshot.id} {model}".encode())
        return cls(sight, digest.hexdigest()[:20])

    def verified(self, folder: Path) -> Pair:
        """This pair, if every checksum of its files is right; without its model, if only that is
        damaged.

        Raises:
            DamagedArtifact
        """
        sight = self.sight
        verify_artifact(sight.snapshot.folder, full=True)
        if sight.model is None:
            return self
        try:
            verify_model(Workspace(folder), sight.model.id, full=True)
        except (WorkspaceError, NoModel) as error:
            return Pair.of(Sightline(sight.snapshot, None, error))
        return self

    @property
    def flaw(self) -> SightlineError | None:
        """What is wrong with the model, if it is there and cannot be used."""
        error = self.sight.no_model
        return error if isinstance(error, WorkspaceError) else None


class Served:
    """The pair that answers, and why there is none or an old one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: What is wrong with the published pair; None when it is the one that serves.
        self.trouble: SightlineError | None = Unavailable("the service is starting")
        self.pair_or_none: Pair | None = None
        self._before: Pair | None = None
        self._seen: object = object()
        self._checked = True
        self._asked = 0
        self._threads = ThreadPoolExecutor(THREADS, "answer")
        self._keeper = ThreadPoolExecutor(1, "keeper")

    @property
    def pair(self) -> Pair:
        """The pair to answer from.

        Raises:
            SightlineError: nothing can be served; it says why.
        """
        if self.pair_or_none is None:
            assert self.trouble is not None
            raise self.trouble
        return self.pair_or_none

    async def run(self, work: Callable[[], T]) -> T:
        """Do work in a thread, for the event loop never waits.

        Raises:
            Busy: too many questions wait already.
        """
        if self._asked >= THREADS + QUEUE:
            raise Busy("the queue of questions")
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._asked -= 1

    async def watch(self) -> None:
        """Follow what is published until cancelled."""
        while True:
            await self._check()
            await asyncio.sleep(WATCH_INTERVAL)
            await self.refresh()

    async def refresh(self) -> None:
        """Open what is published, if it is not what serves; what cannot be opened is refused."""
        mark = self._mark()
        if mark == self._seen:
            return
        try:
            pair = await self._keep(
                lambda: Pair.open(self.folder, strict=self.pair_or_none is not None)
            )
        except Exception as error:
            self._refuse(error)
        else:
            self.pair_or_none, self._before = pair, self.pair_or_none
            self._seen, self.trouble, self._checked = mark, None, False
            if pair.flaw is not None:
                self._refuse(pair.flaw)

    async def _check(self) -> None:
        """Read every byte of a pair that has begun to serve; if it is damaged go back."""
        pair = self.pair_or_none
        if self._checked or pair is None:
            return
        self._checked = True
        try:
            found = await self._keep(lambda: pair.verified(self.folder))
        except Exception as error:
            self.pair_or_none = self._before
            self._refuse(error)
        else:
            if found is not pair:
                self.pair_or_none = self._before or found
                self._refuse(found.sight.no_model or Unavailable("the model cannot be used"))
        self._before = None

    async def _keep(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._keeper, work)

    def close(self) -> None:
        """Let the threads end; questions that wait are dropped."""
        for threads in (self._threads, self._keeper):
            threads.shutdown(wait=False, cancel_futures=True)

    def _mark(self) -> object:
        """Changes when another pair is published."""
        try:
            status = (self.folder / "current.json").stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _refuse(self, error: Exception) -> None:
        said, unforeseen = error, None
        if not isinstance(said, SightlineError):
            what = f"{self.folder} cannot be opened ({type(error).__name__}); the log says more"
            said, unforeseen = Unavailable(what), error
        if str(said) != str(self.trouble):
            log.error("%s", said, exc_info=unforeseen)
        self.trouble = said
