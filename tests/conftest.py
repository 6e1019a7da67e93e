"""Settings of the whole run, made before anything is imported; and what is made once for it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The tests' tensors are small. With a thread per core, each waits for the other in a busy loop, and
# where something else wants the cores the run takes a hundred times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Kernels for a GPU are interpreted, where no test says otherwise; torch reads it when it is loaded.
os.environ.setdefault("TRITON_INTERPRET", "1")

# No folder of a test is to outlive a power cut; half the time of a small snapshot is the disk's.
os.fsync = lambda descriptor: None

# No test asserts wall time: neither that an example ends in 200 ms nor that it is drawn quickly.
settings.register_profile(
    "timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("timeless")

Maker = Callable[[Path], object]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Maker], Path]:
    """Make a folder once for all processes of this run; no test may change what is in it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def made(name: str, make: Maker) -> Path:
        folder, done = base / name, base / f"{name}.done"
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def trained(made_once: Callable[[str, Maker], Path]) -> Path:
    """What `sightline run` makes of the files of `tests.people`. A test that writes copies it."""
    from sightline.cli.main import run
    from tests.people import sources

    def make(folder: Path) -> None:
        assert run(["run", *sources(folder), "-w", str(folder / "ws"), "--preset", "quick"]) == 0

    return made_once("trained", make) / "ws"
