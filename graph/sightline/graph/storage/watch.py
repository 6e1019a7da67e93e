"""The entities of a workspace that somebody watches, and when they were last looked at.

Knows a file of IRIs: one list for whoever is at the workspace, and one for each token that has one.
Knows no graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sightline.graph.storage.artifact import read_list, sealed, turn, write_json_atomic
from sightline.graph.storage.errors import DamagedArtifact, NothingWatched
from sightline.graph.storage.tokens import tokens
from sightline.graph.storage.workspace import WATCH, Workspace

LOCK, FORMAT = ".lock-watch", 1


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch list.

    Attributes:
        since: the snapshot in which the entities were last looked at.
        entities: IRIs, in the order in which they were added.
    """

    since: str
    entities: tuple[str, ...]


def lists(workspace: Workspace) -> dict[str | None, Watch]:
    """Every watch list that is not empty, by id of its token; None: that of the workspace. That of
    a token which was taken back is none any more, and leaves the file when it is next written.

    Raises:
        DamagedArtifact, FormatMismatch
    """
    path = workspace.path / WATCH
    way_out = "delete it and add the entities again"
    value = read_list(path, FORMAT, way_out)
    if value is None:
        return {}
    try:
        owned = {token: _watch(one) for token, one in value.get("tokens", {}).items()}
        found: dict[str | None, Watch] = {None: _watch(value)}
    except (AttributeError, KeyError, TypeError) as error:
        raise DamagedArtifact(path, "it is no watch list", way_out) from error
    if owned:
        found |= {
            token.id: owned[token.id] for token in tokens(workspace.path) if token.id in owned
        }
    return {owner: one for owner, one in found.items() if one.entities}


def _watch(value: Mapping[str, Any]) -> Watch:
    since, entities = value["since"], value["entities"]
    if not isinstance(since, str) or not isinstance(entities, list):
        raise TypeError
    return Watch(since, tuple(map(str, entities)))


def watched(workspace: Workspace, owner: str | None = None) -> Watch:
    """The watch list of a token, or of the workspace.

    Raises:
        NothingWatched, DamagedArtifact, FormatMismatch
    """
    try:
        return lists(workspace)[owner]
    except KeyError:
        raise NothingWatched(workspace.path) from None


def watch(
    workspace: Workspace,
    snapshot: str,
    add: Sequence[str],
    remove: Sequence[str],
    owner: str | None = None,
) -> Watch:
    """Add and remove entities, in one step.

    Args:
        snapshot: the served one: a list that begins now was last looked at in it.
        owner: id of the token whose list it is.

    Raises:
        DamagedArtifact, FormatMismatch, NotWritable, DiskFull
    """
    with turn(workspace.path / LOCK):
        found = lists(workspace).get(owner, Watch(snapshot, ()))
        entities = [iri for iri in dict.fromkeys((*found.entities, *add)) if iri not in remove]
        return _write(workspace, Watch(found.since, tuple(entities)), owner)


def seen(workspace: Workspace, snapshot: str, owner: str | None = None) -> Watch:
    """Note that the entities were looked at in a snapshot.

    Raises:
        NothingWatched, DamagedArtifact, FormatMismatch, NotWritable, DiskFull
    """
    with turn(workspace.path / LOCK):
        return _write(workspace, Watch(snapshot, watched(workspace, owner).entities), owner)


def forget(workspace: Workspace, owner: str | None) -> None:
    """Remove the watch list of a token, if it has one: what it was last looked at in may go, too.

    Raises:
        DamagedArtifact, FormatMismatch, NotWritable, DiskFull
    """
    if owner in lists(workspace):
        with turn(workspace.path / LOCK):
            _write(workspace, Watch("", ()), owner)


def _write(workspace: Workspace, new: Watch, owner: str | None) -> Watch:
    every = {**lists(workspace), owner: new}
    own = every.pop(None, Watch("", ()))
    owned = {token: asdict(one) for token, one in every.items() if one.entities}
    value = {"format": FORMAT, **asdict(own), **({"tokens": owned} if owned else {})}
    write_json_atomic(workspace.path / WATCH, sealed(value))
    return new
