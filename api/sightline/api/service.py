"""What is served: one opened (snapshot, model) pair at a time, and the lanes that answer from it.

Knows when another pair has been published and how to open it beside the old one; what cannot be
opened is refused, and the old pair goes on serving. Knows no route and no media type.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sightline.api.budget import Budgets
from sightline.api.lanes import Lane
from sightline.api.terms import NONE, Terms
from sightline.distill.serving import verify_model
from sightline.graph.errors import SightlineError, Unavailable
from sightline.graph.storage.artifact import verify_artifact
from sightline.graph.storage.errors import WorkspaceError
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds import paths, related, search
from sightline.models.errors import NoModel

VERSION = version("sightline")
#: Seconds between two looks at ``current.json``.
WATCH_INTERVAL = 1.0

log = logging.getLogger("sightline.api")


@dataclass(frozen=True, slots=True)
class Served:
    """An opened snapshot and its model.

    Attributes:
        tag: short text that changes with the software, the snapshot and the model.
    """

    sight: Sightline
    tag: str

    @classmethod
    def open(cls, folder: Path, strict: bool) -> Served:
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
            iris = sight.snapshot.entity_iris
            first, last = iris[0], iris[len(iris) - 1]
            search.entities(sight, search.SearchQuestion("a"))
            paths.paths(sight, paths.PathsQuestion((first,), (last,)))
            with suppress(SightlineError):  # there may be no model, or one that does not know it
                related.related(sight, related.RelatedQuestion(first, known=False))
        return cls.of(sight)

    @classmethod
    def of(cls, sight: Sightline) -> Served:
        """The pair that a ``Sightline`` answers from."""
        model = None if sight.model is None else sight.model.id
        digest = hashlib.sha256(f"{VERSION} {sight.snapshot.id} {model}".encode())
        return cls(sight, digest.hexdigest()[:20])

    def verified(self, folder: Path) -> Served:
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
            return Served.of(Sightline(sight.snapshot, None, error))
        return self

    @property
    def flaw(self) -> SightlineError | None:
        """What is wrong with the model, if it is there and cannot be used."""
        error = self.sight.no_model
        return error if isinstance(error, WorkspaceError) else None


class Service:
    """The pair that answers, and why there is none or an old one."""

    def __init__(self, folder: Path, terms: Terms = NONE) -> None:
        self.folder, self.terms = folder, terms
        budgets = Budgets(terms.budget)
        #: What is wrong with the published pair; None when it is the one that serves.
        self.trouble: SightlineError | None = Unavailable("the service is starting")
        self.served_or_none: Served | None = None
        self._before: Served | None = None
        self._seen: object = object()
        #: Whether every byte of the pair that serves has been read.
        self.checked = True
        #: Cheap questions have a lane of their own, so that no dear one keeps them waiting. The
        #: kernels let go of the interpreter, the rest of an answer does not: few threads do.
        self.cheap = Lane("questions", 4, 64, budgets)
        self.dear = Lane("questions that take long", 2, 16, budgets)
        # What they take, they take in processes of their own.
        self.sparql = Lane("SPARQL queries", 16, 16, budgets, time.monotonic)
        self.own = Lane("the service's own work", 2, 256, budgets)

    @property
    def served(self) -> Served:
        """The pair to answer from.

        Raises:
            SightlineError: nothing can be served; it says why.
        """
        if self.served_or_none is None:
            assert self.trouble is not None
            raise self.trouble
        return self.served_or_none

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
            pair = await self.own.run(
                lambda: Served.open(self.folder, strict=self.served_or_none is not None)
            )
        except Exception as error:
            self._refuse(error)
        else:
            self.served_or_none, self._before = pair, self.served_or_none
            self._seen, self.trouble, self.checked = mark, None, False
            # To look through what is open takes the collector .1 seconds and more, in which nobody
            # is answered, and long answers would have it do that again and again.
            gc.freeze()
            if pair.flaw is not None:
                self._refuse(pair.flaw)

    async def _check(self) -> None:
        """Read every byte of a pair that has begun to serve; if it is damaged go back."""
        pair = self.served_or_none
        if self.checked or pair is None:
            return
        try:
            found = await self.own.run(lambda: pair.verified(self.folder))
        except Exception as error:
            self.served_or_none = self._before
            self._refuse(error)
        else:
            if found is not pair:
                self.served_or_none = self._before or found
                self._refuse(found.sight.no_model or Unavailable("the model cannot be used"))
        if self._before is not None:
            self._before = None
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        self.checked = True

    def close(self) -> None:
        """Let the threads end; questions that wait are dropped."""
        for lane in (self.cheap, self.dear, self.sparql, self.own):
            lane.close()

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
            what = (
                f"{self.folder.name} cannot be opened ({type(error).__name__}); the log says more"
            )
            said, unforeseen = Unavailable(what), error
        if str(said) != str(self.trouble):
            log.error("%s", said, exc_info=unforeseen)
        self.trouble = said
