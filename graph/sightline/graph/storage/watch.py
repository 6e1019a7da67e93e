"""The entities of a workspace that somebody watches, and when they were last looked at.

Knows a file of IRIs; knows no graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.graph.storage.artifact import read_json, sealed, write_json_atomic
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch, NothingWatched
from sightline.graph.storage.workspace import WATCH, Workspace

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch list.

    Attributes:
        since: the snapshot in which the entities were last looked at.
        entities: IRIs, in the order in which they were added.
    """

    since: str
    entities: tuple[str, ...]


def watched(workspace: Workspace) -> Watch:
    """The watch list.

    Raises:
        NothingWatched, DamagedArtifact, FormatMismatch
    """
    path = workspace.path / WATCH
    way_out = "delete it and add the entities again"
    try:
        value = read_json(path)
    except FileNotFoundError as error:
        raise NothingWatched(workspace.path) from error
    except DamagedArtifact as error:
        raise DamagedArtifact(path, error.reason, way_out) from error
    if value.get("format") != FORMAT:
        raise FormatMismatch(path, value.get("format"), FORMAT, way_out)
    since, entities = value.get("since"), value.get("entities")
    if not isinstance(since, str) or not isinstance(entities, list):
        raise DamagedArtifact(path, "it is no watch list", way_out)
    if not entities:
        raise NothingWatched(workspace.path)
    return Watch(since, tuple(map(str, entities)))


def watch(workspace: Workspace, snapshot: str, add: Sequence[str], remove: Sequence[str]) -> Watch:
    """Add and remove entities, in one step.

    Args:
        snapshot: the served one: a list that begins now was last looked at in it.

    Raises:
        DamagedArtifact, FormatMismatch, WorkspaceLocked, NotWritable, DiskFull
    """
    with workspace.lock():
        try:
            found = watched(workspace)
        except NothingWatched:
            found = Watch(snapshot, ())
        entities = [iri for iri in dict.fromkeys((*found.entities, *add)) if iri not in remove]
        return _write(workspace, Watch(found.since, tuple(entities)))


def seen(workspace: Workspace, snapshot: str) -> Watch:
    """Note that the entities were looked at in a snapshot.

    Raises:
        NothingWatched, DamagedArtifact, FormatMismatch, WorkspaceLocked, NotWritable, DiskFull
    """
    with workspace.lock():
        return _write(workspace, Watch(snapshot, watched(workspace).entities))


def _write(workspace: Workspace, new: Watch) -> Watch:
    value = {"format": FORMAT, "since": new.since, "entities": list(new.entities)}
    write_json_atomic(workspace.path / WATCH, sealed(value))
    return new
