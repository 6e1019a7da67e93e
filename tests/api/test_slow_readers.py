"""Those who ask for much and read slowly cost disk, not memory."""

from __future__ import annotations

import json
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.test_serve import get, service

NUMBERS = " ".join(map(str, range(200)))
#: 40,000 rows, some 7 MB of JSON.
LARGE = f"SELECT * {{ VALUES ?a {{ {NUMBERS} }} VALUES ?b {{ {NUMBERS} }} }}"


def memory(pid: int) -> int:
    """Bytes of its own that a process holds."""
    found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return 1024 * int(found[1])


@pytest.mark.slow  # of the memory of a process: what else it does counts, too
def test_results_that_nobody_reads_are_not_held_in_memory(folder: Path) -> None:
    target = "/sparql?query=" + quote(LARGE)
    with service(folder) as (process, port), ExitStack() as opened:
        whole = get(port, target)
        size = len(whole.body)
        assert whole.status == 200
        assert len(json.loads(whole.body)["results"]["bindings"]) == 40_000
        before = memory(process.pid)
        for _ in range(5):
            reader = opened.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target.encode())
            assert reader.recv(15).startswith(b"HTTP/1.1 200")
        # Some slack: what a socket holds of each, and what the allocator keeps of the last result.
        assert memory(process.pid) - before < 3 * size
        assert get(port, "/healthz").status == 200
