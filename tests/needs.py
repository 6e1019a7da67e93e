"""What a machine may lack: such a test is skipped with a reason, or fails where it is demanded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def require(what: str, there: object, reason: str) -> None:
    """Skip the test, or fail it where ``SIGHTLINE_REQUIRE`` names ``what``, unless it is there."""
    if there:
        return
    if what in os.environ.get("SIGHTLINE_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


def data_set(name: str) -> Path:
    """The folder of a public data set."""
    folder = os.environ.get("SIGHTLINE_DATA")
    require("data", folder, "SIGHTLINE_DATA names no folder of public data sets")
    return Path(str(folder), name)
