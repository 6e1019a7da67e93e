"""The findings of the doctor that somebody looked at and lets be.

Knows a file of ids; knows no finding.
"""

from __future__ import annotations

from sightline.graph.storage.artifact import read_list, sealed, write_json_atomic
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import IGNORED, Workspace

FORMAT = 1


def ignored(workspace: Workspace) -> frozenset[str]:
    """The ids; none where there is no file.

    Raises:
        DamagedArtifact, FormatMismatch
    """
    path = workspace.path / IGNORED
    way_out = "delete it: every finding is listed again"
    value = read_list(path, FORMAT, way_out)
    if value is None:
        return frozenset()
    if not isinstance(value.get("findings"), list):
        raise DamagedArtifact(path, "it is no list of findings", way_out)
    return frozenset(map(str, value["findings"]))


def ignore(workspace: Workspace, finding: str, on: bool = True) -> None:
    """Let a finding be, or list it again.

    Raises:
        DamagedArtifact, FormatMismatch, WorkspaceLocked, NotWritable, DiskFull
    """
    with workspace.lock():
        before = ignored(workspace)
        after = before | {finding} if on else before - {finding}
        if after != before:
            value = {"format": FORMAT, "findings": sorted(after)}
            write_json_atomic(workspace.path / IGNORED, sealed(value))
