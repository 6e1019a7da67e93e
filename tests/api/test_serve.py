"""The service as a process: addresses, signals, sockets."""

from __future__ import annotations

import errno
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from uvicorn.config import STARTUP_FAILURE

from sightline.api.errors import PortInUse
from sightline.api.jobs.worker import working
from sightline.api.server import process
from sightline.api.server.process import _listen
from sightline.graph.errors import SightlineError, UsageError
from sightline.graph.storage.errors import NotAWorkspace
from tests.api.conftest import SLASHED

CODE = """
import sys
import time
from pathlib import Path
from sightline.api.server.process import serve
host, port, workers, factory, *worker = sys.argv[2:]
serve(Path(sys.argv[1]), host, int(port), int(workers), worker, factory=factory)
"""


def start(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    workers: int = 1,
    worker: Sequence[str] = (),
    before: str = "",
    factory: str = "sightline.api.server.process:application",
) -> subprocess.Popen[str]:
    how = (host, port, workers, factory, *worker)
    return subprocess.Popen(
        [sys.executable, "-c", before + CODE, str(folder), *map(str, how)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@contextmanager
def service(folder: Path, **how: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A running service and its port; it must end well when it is told to stop."""
    with start(folder, **how) as process:  # type: ignore[arg-type]
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+:(\d+)", line)
            assert found, process.stderr.read() if process.stderr else line
            # Who connects before it is ready waits: for long where kernels are compiled first.
            address, port = str(how.get("host", "127.0.0.1")), int(found[1])
            with closing(http.client.HTTPConnection(address, port, timeout=300)) as connection:
                ask(connection, "GET", "/healthz")
            yield process, port
        finally:
            process.kill()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: str


def ask(connection: http.client.HTTPConnection, method: str, target: str) -> Answer:
    connection.request(method, target)
    answer = connection.getresponse()
    return Answer(answer.status, answer.headers, answer.read().decode())


def get(port: int, target: str, host: str = "127.0.0.1") -> Answer:
    """One request whose target is sent byte for byte."""
    with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
        return ask(connection, "GET", target)


def test_a_request_names_one_host(port: int) -> None:
    for version, hosts, status in (
        ("1.1", ["localhost"], b" 200 "),
        ("1.1", ["localhost", "localhost"], b" 400 "),
        ("1.1", [], b" 400 "),
        ("1.0", [], b" 200 "),
    ):
        fields = "".join(f"Host: {host}\r\n" for host in hosts)
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as connection:
            head = f"GET /healthz HTTP/{version}\r\n{fields}Connection: close\r\n\r\n"
            connection.sendall(head.encode())
            assert status in connection.recv(4096), (version, hosts)


def test_it_is_ready_when_it_says_where(port: int) -> None:
    assert get(port, "/readyz").status == 200


@pytest.mark.parametrize("target", ["{}", "-/related?id={}"])
def test_an_encoded_slash_arrives(port: int, target: str) -> None:
    answer = get(port, "/v1/entities/" + target.format(quote(SLASHED, safe="")))

    assert answer.status == 200
    assert SLASHED in answer.body


def test_head_over_a_socket(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(2):  # the connection is still good after the first
            answer = ask(connection, "HEAD", "/v1/stats")
            assert answer.status == 200
            assert int(answer.headers["content-length"]) > 0
            assert answer.body == ""


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\xff\xfe\r\n\r\n",
        b"GET /v1/entities/\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%zz%ff/v1?%% HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET http://evil.example/v1/stats HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=range(7),
)
def test_what_is_no_good_request_harms_nobody(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(sent)
        status = connection.recv(65536).split(b" ")[1]
    assert int(status) in (200, 307, 400, 404, 414, 431)
    assert get(port, "/healthz").status == 200


def test_an_answer_over_a_kept_connection_comes_in_one_piece(port: int) -> None:
    """Were its body sent after its head, it would wait for an acknowledgement: 40 ms each time."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        for _ in range(20):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65536).endswith(b"}")
    with _listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_connection_that_sends_no_request_is_closed(folder: Path) -> None:
    impatient = "import sightline.api.server.connection as s; s.HEADER_TIMEOUT = 1\n"
    with service(folder, before=impatient) as (_, port), ExitStack() as opened:
        address, end = ("127.0.0.1", port), time.monotonic() + 20
        silent, slow, second = (
            opened.enter_context(socket.create_connection(address, 20)) for _ in range(3)
        )
        second.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in second.recv(65536)
        second.sendall(b"GET /")
        slow.settimeout(0.1)
        for byte in b"GET /" + b"x" * 1000:
            try:
                slow.sendall(bytes([byte]))
                if slow.recv(10) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert silent.recv(10) == b""
        while second.recv(65536):
            pass
        assert time.monotonic() < end
        assert get(port, "/healthz").status == 200


def test_it_ends_well_on_an_interrupt(folder: Path) -> None:
    with service(folder) as (process, port):
        assert get(port, "/healthz").status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_request_that_runs_is_answered_and_none_is_begun_before_it_ends_well(
    folder: Path,
) -> None:
    question = b'{"head": "Kenya", "relation": "member of"}'
    head = (
        b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    )
    with (
        service(folder, workers=2) as (process, port),
        socket.create_connection(("127.0.0.1", port), 20) as connection,
    ):
        connection.sendall(head % len(question))
        assert b"100 " in connection.recv(1000)
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 8  # running requests get ten seconds
        while not unheard(port):
            assert time.monotonic() < end
            time.sleep(0.05)
        connection.sendall(question)
        assert b"HTTP/1.1 200" in connection.recv(65536)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def unheard(port: int) -> bool:
    """Whether nobody listens there any more."""
    with socket.socket() as late:
        return late.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def refused(folder: Path, why: type[SightlineError], **where: Any) -> str:
    """Why a workspace is not served."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", dict(os.environ))
        with pytest.raises(why) as said:
            process.serve(folder, **where, factory="none:none")
    text = str(said.value)
    assert "\n" not in text
    return text


def test_a_port_in_use_is_said_in_one_line(folder: Path, capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in refused(folder, PortInUse, port=port)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_said_in_one_line(folder: Path, host: str) -> None:
    said = refused(folder, UsageError, host=host)
    assert said.startswith("cannot listen on ")
    assert "--host" in said


def test_a_folder_that_is_no_workspace_is_said_in_one_line(tmp_path: Path) -> None:
    refused(tmp_path, NotAWorkspace)


def test_several_workers_share_one_socket(folder: Path) -> None:
    with service(folder, workers=2) as (process, port):
        assert [get(port, "/readyz").status for _ in range(20)] == [200] * 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def children(parent: int) -> list[int]:
    """The processes that answer for one that serves."""
    found = subprocess.run(["pgrep", "-P", str(parent), "-f", "spawn_main"], capture_output=True)
    return [int(line) for line in found.stdout.split()]


def test_a_worker_that_says_nothing_delays_neither_another_nor_the_end(folder: Path) -> None:
    brief = "import sightline.api.server.process as p; p.END = 0.5\n"
    how = {"workers": 2, "before": brief, "factory": "tests.api.bare:application"}
    with service(folder, **how) as (process, port):
        assert get(port, "/").status == 200
        silent, other = children(process.pid)
        os.kill(silent, signal.SIGSTOP)
        os.kill(other, signal.SIGKILL)
        end = time.monotonic() + 30
        while other in (now := children(process.pid)) or len(now) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert silent in now
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_workers_that_cannot_start_end_the_service_and_are_not_made_again() -> None:
    class Failed:
        exitcode = STARTUP_FAILURE

    supervisor = object.__new__(process._Workers)
    supervisor.should_exit, supervisor.processes = threading.Event(), [Failed()]
    supervisor.keep_subprocess_alive()
    assert supervisor.should_exit.is_set()
    assert isinstance(supervisor.processes[0], Failed)


def test_ipv6(folder: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with service(folder, host="::1") as (_, port):
        assert get(port, "/healthz", "::1").status == 200


def test_whatever_ends_a_worker_another_follows(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sightline.api.jobs.worker.GAVE_UP", 0.01)
    begun = tmp_path / "begun"
    code = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(1)"
    end = time.monotonic() + 30
    with working([sys.executable, "-c", code, str(begun)]):
        while not begun.exists() or begun.read_text() == "x":
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_socket_that_cannot_be_bound_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Kept(socket.socket):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(process.socket, "socket", Kept)
        with pytest.raises(PortInUse):
            process._listen("127.0.0.1", taken.getsockname()[1])
    (one,) = made
    assert one.fileno() == -1
