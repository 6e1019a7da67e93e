"""The one error tree. Every message names the condition, the value and the way out.

Knows status codes and exit codes, so that every door translates an error in the same way; knows
nothing of HTTP libraries or terminals.

    SightlineError
      UsageError                 the request itself is wrong
        OutOfRange               a limit is outside its allowed range
        BadReference             a reference cannot be read
        BadPattern               a pattern of relations cannot be read
        QueryError               a SPARQL query that is not answered
          QuerySyntaxError       it cannot be read; line and column are named
          QueryTooLong, QueryTooDeep
          QueryRefused           it would change the graph or ask another server
          QueryTimeout           it ran out of time
          QueryOutOfMemory       it ran out of memory
          ResultTooLarge         it has more rows or bytes than an answer may have
      NotFound
        UnknownEntity            no such entity; the nearest are named
        UnknownRelation          no such relation; the nearest are named
        UnknownClass             no such class; the nearest are named
        UnknownReport            no such report
        UnknownLoad              no such load
        UnknownSnapshot          no such snapshot; those there are named
      AmbiguousEntity            a label that several entities share
      SourceError                raw data that cannot be taken in
        SourceNotFound, SourceEmpty, SourceUnreadable, SourceSyntaxError
        TooManyRejected          more bad rows than the threshold allows
        MappingError             the mapping does not fit the source
      WorkspaceError             the folder on disk
        NotAWorkspace, FormatMismatch, WorkspaceLocked, NotWritable, DamagedArtifact, DiskFull
        SettingsError            sightline.toml cannot be used
      NotReady                   a stage has not run yet
        NothingLoaded, NothingCompiled, NoModel
      TooManyInferred            more facts follow than the limit allows
      LearningError
        CannotTrain              the graph has not what training needs
        Diverged                 the loss is no longer finite
        OutOfDeviceMemory        the device is too small for the settings
        WorseModel               the served model answers better
        UnknownToModel           the model was trained before this entity existed
      Unavailable
        MissingExtra             an optional dependency is not installed
        PortInUse                the address is taken
        Busy                     the queue is full
        QueryInterrupted         the process that evaluated a query ended
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


class SightlineError(Exception):
    """Base of every error that a user may see. ``str(error)`` is one plain sentence."""

    #: HTTP status of the condition.
    status = 500
    #: Process exit code: 1 failed, 2 wrong usage.
    exit_code = 1

    @property
    def kind(self) -> str:
        """The problem type: the class name in kebab case."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")

    @property
    def extra(self) -> dict[str, object]:
        """Members that a machine-readable problem report carries besides the sentence."""
        return {}


class UsageError(SightlineError):
    """The request cannot be answered as it stands."""

    status = 422
    exit_code = 2


class OutOfRange(UsageError):
    """A numeric limit outside its allowed range."""

    def __init__(self, name: str, value: object, low: float, high: float) -> None:
        super().__init__(f"{name} is {value!s:.40}; allowed are {low:g} to {high:g}")
        self.allowed = (low, high)

    @property
    def extra(self) -> dict[str, object]:
        return {"allowed": list(self.allowed)}


def require_range(name: str, value: float, low: float, high: float) -> None:
    """Check a limit that a caller sets.

    Raises:
        OutOfRange: below ``low``, above ``high``, or NaN.
    """
    if not low <= value <= high:
        raise OutOfRange(name, value, low, high)


class BadReference(UsageError):
    """A reference that is no IRI, CURIE or label."""

    def __init__(self, what: str, value: str) -> None:
        super().__init__(f"{what} {value[:80]!r} cannot be read; give an IRI, a CURIE or a label")


class BadPattern(UsageError):
    """A pattern of relations that is not in the notation, or too large."""

    def __init__(self, pattern: str, position: int, expected: str) -> None:
        super().__init__(
            f"pattern {pattern[:80]!r} cannot be read at character {position}: "
            f"expected {expected}; write a/b, a|b, ^a, a?, a*, a+ or (a), with a name or <IRI> for "
            "each relation"
        )
        self.position = position

    @property
    def extra(self) -> dict[str, object]:
        return {"position": self.position}


class QueryError(UsageError):
    """A SPARQL query that cannot be answered. No other query was harmed by it."""

    status = 400


class QuerySyntaxError(QueryError):
    """A query that cannot be read. Line and column count from 1."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        before = text[:position]
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        near = text[position : position + 20].partition("\n")[0].strip()
        where = f"near {near!r}" if near else "at its end"
        super().__init__(
            f"the query cannot be read at line {self.line}, column {self.column}, {where}: {reason}"
        )

    @property
    def extra(self) -> dict[str, object]:
        return {"line": self.line, "column": self.column}


class QueryTooLong(QueryError):
    """A query of too many bytes."""

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the query has {size} bytes; at most {limit} are read")


class QueryTooDeep(QueryError):
    """Brackets nest too deeply."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the query nests brackets more than {limit} deep; write it flatter")


class QueryRefused(QueryError):
    """A query that asks for what is never done here."""

    status = 403

    def __init__(self, reason: str) -> None:
        super().__init__(f"the query is refused: {reason}")


class QueryTimeout(QueryError):
    """Evaluation took too long. This says nothing about whether there are answers."""

    status = 504

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the query was stopped after {seconds:g} seconds, before it had an answer; "
            "make its patterns more selective or add a LIMIT"
        )


class QueryOutOfMemory(QueryError):
    """Evaluation needed too much memory."""

    status = 422

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the query needs more than {limit >> 20} MiB of memory; make its patterns more "
            "selective, or leave out ORDER BY, DISTINCT or GROUP BY"
        )


class ResultTooLarge(QueryError):
    """A result that is longer than an answer may be. Nothing of it is given."""

    status = 422

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"the result has more than {limit} {what}; page through it with ORDER BY, LIMIT and "
            "OFFSET, or use `sightline export`"
        )


class NotFound(SightlineError):
    """Something that was asked for by name does not exist."""

    status = 404


class _Unknown(NotFound):
    """Something that the graph does not hold, with what is near."""

    what = "name"

    def __init__(self, ref: str, nearest: Sequence[str] = ()) -> None:
        hint = f"nearest: {', '.join(nearest)}" if nearest else "nothing similar is there"
        super().__init__(f"{self.what} {ref[:120]!r} is not in the graph; {hint}")
        self.nearest = tuple(nearest)

    @property
    def extra(self) -> dict[str, object]:
        return {"nearest": list(self.nearest)}


class UnknownEntity(_Unknown):
    """No entity has this IRI, CURIE or label."""

    what = "entity"


class UnknownRelation(_Unknown):
    """No relation has this IRI, CURIE or label."""

    what = "relation"


class UnknownClass(_Unknown):
    """No class has this IRI, CURIE or label."""

    what = "type"


class UnknownReport(NotFound):
    """No report has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"report {ref[:80]!r} does not exist; POST /v1/reports makes one")


class UnknownLoad(NotFound):
    """No load has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"load {ref[:80]!r} is not in the workspace; `sightline loads` lists them")


class UnknownSnapshot(NotFound):
    """No snapshot, or more than one, has an id that begins so."""

    def __init__(self, ref: str, stored: Sequence[str]) -> None:
        super().__init__(
            f"snapshot {ref[:80]!r} is not in the workspace, or not the only one that begins so; "
            f"there are: {', '.join(stored) or 'none'}"
        )


class AmbiguousEntity(SightlineError):
    """A label that several entities share."""

    status = 409
    exit_code = 2

    def __init__(self, ref: str, candidates: Sequence[str]) -> None:
        super().__init__(
            f"{ref[:120]!r} names {len(candidates)} entities; ask for one of them by id: "
            + ", ".join(candidates[:10])
        )
        self.candidates = tuple(candidates)

    @property
    def extra(self) -> dict[str, object]:
        return {"candidates": list(self.candidates[:50])}


class SourceError(SightlineError):
    """Raw data that cannot be taken in. Nothing of it has been stored."""

    status = 422


class SourceNotFound(SourceError):
    """A path, glob or folder that yields no file."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str = "no such file") -> None:
        super().__init__(f"source {str(path)!r}: {reason}; check the path")


class SourceEmpty(SourceError):
    """A file without a single record."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"source {str(path)!r} holds no record; nothing was loaded")


class SourceUnreadable(SourceError):
    """A file that is not what its name says, is damaged, or has an unsupported format."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"source {str(path)!r} cannot be read: {reason}; nothing was loaded")


class SourceSyntaxError(SourceError):
    """A syntax error at a line of a structured source."""

    def __init__(self, path: str | Path, line: int, reason: str) -> None:
        super().__init__(
            f"source {str(path)!r}, line {line}: {reason}; correct the line, nothing was loaded"
        )
        self.line = line


class TooManyRejected(SourceError):
    """More bad rows than the threshold allows."""

    def __init__(self, path: str | Path, rejected: int, read: int, first: str) -> None:
        super().__init__(
            f"source {str(path)!r}: {rejected} of {read} records were rejected (first: {first}); "
            "nothing was loaded, correct the file or its mapping"
        )


class MappingError(SourceError):
    """The mapping is malformed or does not fit its source."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"mapping {str(path)!r}: {reason}")


class WorkspaceError(SightlineError):
    """Something is wrong with the workspace folder."""

    status = 503


class NotAWorkspace(WorkspaceError):
    """The folder holds no workspace."""

    exit_code = 2

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"{str(path)!r} is no Sightline workspace; "
            f"`sightline run SOURCE... -w {path}` makes one"
        )


class FormatMismatch(WorkspaceError):
    """The workspace was written by another format version."""

    def __init__(self, path: str | Path, found: object, wanted: int) -> None:
        super().__init__(
            f"{str(path)!r} has format version {found!s:.20}, this Sightline reads version "
            f"{wanted}; use the Sightline that wrote it, or ingest its sources into a new workspace"
        )


class WorkspaceLocked(WorkspaceError):
    """Another process is writing."""

    status = 409

    def __init__(self, path: str | Path, holder: str) -> None:
        super().__init__(
            f"workspace {str(path)!r} is being written by {holder}; wait for it or stop it"
        )


class NotWritable(WorkspaceError):
    """No permission to write, or no folder to write to."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} cannot be written: {reason}; choose another folder or change its rights"
        )


class DiskFull(WorkspaceError):
    """No space left on the device. What was committed before is intact."""

    status = 507

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"no space left for {str(path)!r}; free some space and run again")


class DamagedArtifact(WorkspaceError):
    """A stored folder whose manifest, sizes or checksums do not match."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} is damaged ({reason}); the loads are intact if `sightline verify` says "
            "so: delete the folder and run `sightline compile` or `sightline train` again"
        )


class SettingsError(WorkspaceError):
    """``sightline.toml`` cannot be used."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"settings {str(path)!r}: {reason}")


class NotReady(SightlineError):
    """A stage that this answer needs has not run yet."""

    status = 409


class NothingLoaded(NotReady):
    """The workspace has no active load."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} holds no fact; `sightline ingest SOURCE... -w {path}` first"
        )


class NothingCompiled(NotReady):
    """The workspace has no snapshot."""

    status = 503

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} has no compiled graph; `sightline compile -w {path}` first"
        )


class NoModel(NotReady):
    """The workspace has no trained model."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} has no trained model, so nothing can be predicted; "
            f"`sightline train -w {path}` and `sightline distill -w {path}` first"
        )


class TooManyInferred(SightlineError):
    """More facts follow from the stated ones than the limit allows. Nothing was written."""

    status = 422

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"more than {limit:,} facts follow from this graph; `sightline reason --limit` allows "
            "more, or retract the load whose rules (often a transitive property) give so many"
        )


class LearningError(SightlineError):
    """Training or a model cannot do what was asked."""


class CannotTrain(LearningError):
    """The graph has not what training needs; said before the first epoch."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot train on this graph: {reason}")


class Diverged(LearningError):
    """The loss is no longer finite. Nothing is published."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"training diverged at step {step} (the loss is not finite); the last checkpoint is "
            "kept, nothing was published: try another --seed or --preset"
        )


class OutOfDeviceMemory(LearningError):
    """The device is too small for the chosen size."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(f"out of memory on {device}: {reason}; use --preset quick or --device cpu")


class WorseModel(LearningError):
    """The new model answers worse than the one it would replace."""

    status = 409

    def __init__(self, new: str, new_mrr: float, old: str, old_mrr: float) -> None:
        super().__init__(
            f"model {new} is kept but not served: its MRR on validation is {new_mrr:.3f}, that of "
            f"the served model {old} is {old_mrr:.3f}; `sightline evaluate --model {new} --force` "
            "serves it all the same"
        )


class UnknownToModel(LearningError):
    """The entity came after the model was trained."""

    status = 409

    def __init__(self, what: str, ref: str) -> None:
        super().__init__(
            f"the model does not know {what} {ref[:120]!r} (it came after training, or has no "
            "edge); `sightline train` learns it"
        )


class Unavailable(SightlineError):
    """Something outside Sightline is missing or taken."""

    status = 503


class MissingExtra(Unavailable):
    """An optional dependency is not installed."""

    status = 501

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs {package}, which the base install leaves out; "
            f'install it with: pip install "sightline[{extra}]"'
        )


class PortInUse(Unavailable):
    """The address is taken."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use; choose another with --port")


class Busy(Unavailable):
    """A bounded queue is full."""

    status = 429

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is full; try again in a few seconds")


class QueryInterrupted(Unavailable):
    """The process that evaluated a query ended, by a signal or by a fault of the engine."""

    def __init__(self, signal: str) -> None:
        super().__init__(
            f"the process that evaluated the query ended ({signal}); no other query was harmed: "
            "send it again, or simplify it if that happens again"
        )


def from_os_error(error: OSError, path: str | Path) -> WorkspaceError:
    """The error of the tree that says what ``error`` means for ``path``."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(path)
    return NotWritable(path, os.strerror(error.errno) if error.errno else str(error))
