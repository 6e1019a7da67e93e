"""The small world of the tests of the service, served on a real loopback socket."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from sightline.api.app import create_app
from sightline.api.jobs import worker as jobs
from sightline.api.jobs.worker import Worker
from sightline.client import Client, Local, Sightline
from tests.api.conftest import make_workspace


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("client") / "ws").path


@pytest.fixture(scope="session")
def url(folder: Path) -> Iterator[str]:
    """The address of a service of that workspace, with a worker beside it."""
    server = uvicorn.Server(uvicorn.Config(create_app(folder), port=0, log_level="warning"))
    worker = Worker(folder, [sys.executable, "-P", "-m", "sightline.cli.jobs", str(folder)])
    threads = [threading.Thread(target=run) for run in (server.run, worker.run)]
    patched = pytest.MonkeyPatch()
    patched.setattr(jobs, "INTERVAL", 0.2)
    for thread in threads:
        thread.start()
    while not server.started:
        threads[0].join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    worker.stop()
    for thread in threads:
        thread.join()
    patched.undo()


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[Client]:
    with Client(url) as made:
        yield made


@pytest.fixture(scope="session")
def local(folder: Path) -> Iterator[Local]:
    with Local(folder) as made:
        yield made


@pytest.fixture(params=["client", "local"])
def graph(request: pytest.FixtureRequest) -> Sightline:
    """A service and a workspace, each asked the same."""
    found: Sightline = request.getfixturevalue(request.param)
    return found
