"""The service as a process: a socket, workers, signals.

Knows uvicorn; knows no route. One socket is opened before anything else, so that a taken port is an
error at once and all workers share it; who connects before they are ready waits.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from sightline.api.access import is_loopback
from sightline.api.app import create_app
from sightline.api.errors import OpenToAll, PortInUse
from sightline.api.jobs.worker import working
from sightline.api.loads import ReadRow
from sightline.api.metrics import FOLDER
from sightline.api.server.connection import HEADER_TIMEOUT, Connection, descriptors
from sightline.api.server.lifeline import PARENT, end_with_parent
from sightline.api.terms import STRICT, Terms
from sightline.graph.errors import UsageError
from sightline.graph.storage.tokens import tokens
from sightline.graph.storage.workspace import Workspace

#: Where a process that answers finds which workspace it serves, and on which terms.
_FOLDER = "SIGHTLINE_SERVED_WORKSPACE"
_TERMS = "SIGHTLINE_SERVED_TERMS"
#: Seconds that running requests get after a signal to stop.
GRACE = 10
#: Seconds until a process that answers is ended that was told to stop and has not.
END = 2 * GRACE


def serve(
    workspace: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    worker: Sequence[str] = (),
    terms: Terms = STRICT,
    factory: str = "sightline.api.server.process:application",
) -> None:
    """Serve a workspace until SIGTERM or Ctrl-C; prints the address once it listens.

    Args:
        workers: processes that answer.
        worker: a command that does jobs, to be run beside.
        terms: what is added to them: ``host`` is a name of the service, and loopback is open.
        factory: the function that makes the application of a process that answers.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact: there is nothing to serve.
        PortInUse, UsageError: the address cannot be listened on.
        OpenToAll: others could reach it, and there is no token.
    """
    Workspace.open(workspace)
    os.environ[_FOLDER] = str(workspace)
    os.environ[PARENT] = str(os.getpid())
    config = uvicorn.Config(
        factory,
        factory=True,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=Connection,
        ws="none",
        backlog=descriptors()[0],
        timeout_keep_alive=int(HEADER_TIMEOUT),
        timeout_graceful_shutdown=GRACE,
    )
    with _listen(host, port) as listener, ExitStack() as stack:
        open_ = terms.open or is_loopback(listener.getsockname()[0])
        if not open_ and not tokens(workspace):
            raise OpenToAll(host, workspace)
        terms = replace(terms, open=open_, hosts=(host, *(terms.hosts or ())))
        os.environ[_TERMS] = json.dumps(asdict(terms))
        if workers > 1:
            os.environ[FOLDER] = stack.enter_context(TemporaryDirectory(prefix="sightline-"))
        stack.enter_context(working(worker))
        one, several = uvicorn.Server(config), None
        if workers > 1:
            several = _Workers(config, [listener])
        else:
            # uvicorn raises a signal again when it has shut down; to have ended well is no failure.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, one.handle_exit)
        listener.listen(config.backlog)
        url = _url(host, listener.getsockname()[1])
        print(f"serving on {url} (API documentation: {url}/docs; Ctrl-C stops)", flush=True)
        if several is None:
            one.run([listener])
        else:
            several.run()


def application(read_row: ReadRow | None = None) -> FastAPI:
    """The application of a process that answers, as ``serve`` said to it."""
    end_with_parent()
    # An answer that is being made gives way to the event loop five times as soon.
    sys.setswitchinterval(0.001)
    terms = Terms(**json.loads(os.environ[_TERMS]))
    return create_app(Path(os.environ[_FOLDER]), read_row, terms)


class _Workers(Multiprocess):
    """Processes that answer: one that ends is followed by another.

    Which have ended is seen, not asked: uvicorn waits for the word of one after the other, deaf to
    signals and to the end of all, and the one that it waits for may have been killed.
    """

    def keep_subprocess_alive(self) -> None:
        for at, ended in enumerate(self.processes):
            if ended.exitcode is None or self.should_exit.is_set():
                continue
            if ended.exitcode == STARTUP_FAILURE:  # so would another
                self.should_exit.set()
            else:
                self.processes[at] = Process(self.config, self.sockets)
                self.processes[at].start()

    def terminate_all(self) -> None:
        # Whoever connects from now on is refused at once: where this process held the socket open,
        # they would wait for an answer until it ends, and get none.
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def join_all(self) -> None:
        end = time.monotonic() + END
        for one in self.processes:
            one.process.join(max(0.0, end - time.monotonic()))
            one.kill()
            one.join()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        PortInUse, UsageError
    """
    import errno

    with ExitStack() as closed:
        try:
            # With its protocol, or asyncio does not see that it is TCP: it would leave Nagle's
            # wait on.
            at = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][:3]
            listener = closed.enter_context(socket.socket(*at))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.set_inheritable(True)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(host, port) from error
            reason = error.strerror or str(error)
            raise UsageError(
                f"cannot listen on {host} port {port}: {reason}; see --host"
            ) from error
        closed.pop_all()
        return listener


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
