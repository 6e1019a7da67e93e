"""The service as a process: a socket, workers, signals.

Knows uvicorn; knows no route. One socket is opened before anything else, so that a taken port is an
error at once and all workers share it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from sightline.api.app import create_app
from sightline.api.errors import PortInUse
from sightline.graph.errors import UsageError
from sightline.graph.storage.workspace import Workspace

#: Where a worker process finds which workspace it serves.
_FOLDER = "SIGHTLINE_SERVED_WORKSPACE"
#: Seconds that running requests get after a signal to stop.
GRACE = 10
#: Seconds within which a connection must have sent the head of a request.
HEADER_TIMEOUT = 15
#: Seconds before a process that writes reports and has died is started again.
RESTART = 2.0


def serve(
    workspace: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    reports: bool = True,
) -> None:
    """Serve a workspace until SIGTERM or Ctrl-C; prints the address once it listens.

    Args:
        workers: processes that answer.
        reports: also run the process that writes reports.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact: there is nothing to serve.
        PortInUse, UsageError: the address cannot be listened on.
    """
    Workspace.open(workspace)
    os.environ[_FOLDER] = str(workspace)
    config = uvicorn.Config(
        "sightline.api.serve:application",
        factory=True,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=_Connection,
        ws="none",
        timeout_keep_alive=HEADER_TIMEOUT,
        timeout_graceful_shutdown=GRACE,
    )
    with _listen(host, port) as listener:
        url = _url(host, listener.getsockname()[1])
        # uvicorn raises a signal again when it has shut down; to have ended well is no failure.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        with _reporting(workspace) if reports else nullcontext():
            if workers == 1:
                _Server(config, url).run([listener])
            else:
                _Workers(config, url, listener).run()


def application() -> FastAPI:
    """The application of a worker process."""
    return create_app(Path(os.environ[_FOLDER]))


class _Connection(H11Protocol):
    """A connection that is closed when the head of a request takes too long, so that nobody can
    hold many of them open for nothing."""

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Start the clock, unless it runs already or a request is being answered."""
        if self._answering():
            self._stop_waiting()
        elif self._clock is None:
            self._clock = self.loop.call_later(HEADER_TIMEOUT, self._give_up)

    def _stop_waiting(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        if not self._answering():
            self.transport.close()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


class _Server(uvicorn.Server):
    """Says where it listens."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _announce(self._url)


class _Workers(Multiprocess):
    """Says where it listens."""

    def __init__(self, config: uvicorn.Config, url: str, listener: socket.socket) -> None:
        super().__init__(config, [listener])
        self._url = url

    def init_processes(self) -> None:
        super().init_processes()
        for process in self.processes:
            process.wait_until_ready(60, self.should_exit)
        _announce(self._url)


@contextmanager
def _reporting(workspace: Path) -> Iterator[None]:
    """A process beside this one that writes reports; one that dies is followed by another."""
    ending = threading.Event()
    command = [sys.executable, "-m", "sightline.api.work", str(workspace)]

    def run() -> None:
        while not ending.is_set():
            # Ctrl-C reaches only this process, which then ends the other in good order.
            with subprocess.Popen(command, start_new_session=True) as process:
                while process.poll() is None and not ending.wait(0.5):
                    pass
                process.terminate()
            ending.wait(RESTART)

    keeper = threading.Thread(target=run)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()


def _announce(url: str) -> None:
    print(f"serving on {url} (API documentation: {url}/docs; Ctrl-C stops)", flush=True)


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        PortInUse, UsageError
    """
    import errno

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.set_inheritable(True)
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on {host} port {port}: {reason}; see --host") from error


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
