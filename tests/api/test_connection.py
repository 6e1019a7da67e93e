"""What a client may cost: connections, pieces, requests sent ahead, answers not read."""

from __future__ import annotations

import http.client
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier

import pytest

from sightline.api.server.connection import MAX_AHEAD, MAX_CHUNKS, MAX_FIELDS, MAX_HEAD
from tests.api.test_reports import children_of
from tests.api.test_serve import ask, get, service
from tests.api.test_served import until

HEAD = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * (MAX_CHUNKS + 1), 413),
        (HEAD + b"X: y\r\n" * MAX_FIELDS + b"\r\n", 431),
        (HEAD + b"X: " + b"y" * (MAX_HEAD + 300_000), 431),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * (MAX_AHEAD + 20), 429),
    ],
    ids=["pieces", "fields", "head", "ahead"],
)
def test_what_is_without_measure_is_refused_and_the_connection_closed(
    port: int, sent: bytes, status: int
) -> None:
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        received = b""
        try:
            connection.sendall(sent)
            while more := connection.recv(65536):
                received += more
        except ConnectionError:
            pass  # closed while there was more to send
    assert b"HTTP/1.1 %d " % status in received or b"HTTP/1.1" not in received
    assert b"HTTP/1.1 422" not in received
    assert received.count(b"HTTP/1.1") <= MAX_AHEAD + 1
    assert get(port, "/healthz").status == 200


def test_silent_connections_give_way_when_descriptors_run_out(folder: Path) -> None:
    # The arrays of a snapshot and a model hold some seventy of them.
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160))\n"
    with service(folder, before=few) as (process, port), ExitStack() as opened:
        for _ in range(200):
            silent = opened.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            silent.sendall(b"GET /he")
        for _ in range(5):
            assert get(port, "/v1/stats").status == 200
            assert get(port, "/sparql?query=ASK%7B%7D").status == 200
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_an_answer_that_is_not_read_is_dropped(folder: Path) -> None:
    impatient = (
        "import sightline.api.server.connection as c; c.WRITE_TIMEOUT = 0.2\n"
        "import sightline.api.app as a\n"
        "a.to_json = lambda value: bytes(16 << 20)\n"
    )
    with service(folder, before=impatient) as (_, port), socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = len(connection.recv(1))
        opened = connections_of(port)
        assert opened
        until(lambda: not set(opened) & set(connections_of(port)))
        try:
            while more := connection.recv(1 << 20):
                received += len(more)
        except ConnectionError:
            pass
        assert received < 16 << 20


def connections_of(port: int) -> list[str]:
    """The connections to a port that the server holds."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [f[2] for f in lines if f[1].endswith(f":{port:04X}") and f[3] == "01"]


def test_at_the_end_every_request_is_answered_and_the_last_answer_says_so(folder: Path) -> None:
    begun = Barrier(9)

    def hammer(port: int) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            for number in range(1 << 30):
                if number == 3:
                    begun.wait()
                answer = ask(connection, "GET", "/v1/stats")
                assert answer.status == 200
                if answer.headers["connection"] == "close":
                    return number
        return 0

    with (
        service(folder) as (process, port),
        ThreadPoolExecutor(8) as threads,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as unfinished,
    ):
        assert ask(unfinished, "GET", "/v1/stats").status == 200
        unfinished.putrequest("POST", "/v1/entities:search")
        unfinished.putheader("Content-Length", "2")
        unfinished.endheaders()
        unfinished.send(b"{")
        assert get(port, "/v1/stats").status == 200  # the head has been read by now
        clients = [threads.submit(hammer, port) for _ in range(8)]
        begun.wait()
        process.send_signal(signal.SIGTERM)
        until(lambda: refused(port))
        unfinished.send(b"}")
        assert unfinished.getresponse().headers["connection"] == "close"
        assert min(client.result() for client in clients) >= 3
        assert process.wait(20) == 0


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_workers_do_not_outlive_their_service(folder: Path) -> None:
    with service(folder, workers=2) as (process, port):
        assert get(port, "/readyz").status == 200
        children = children_of(process.pid)
        assert len(children) >= 2
        process.kill()
        process.wait()
        until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
        socket.create_server(("127.0.0.1", port)).close()
