"""A process that evaluates SPARQL queries, one after the other, and may be killed at any time.

    python -m sightline.graph.rdf.worker FOLDER MEMORY_BYTES    (standard input: a socket)

Before it opens the index it gives up what no query needs: memory over the limit, writing files,
the network, other programs. So any query ends this process at worst, and SERVICE reaches nobody.
Imports nothing but the standard library and Oxigraph, so that it starts quickly.

A message is a JSON header and a body of bytes, each after its length.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import resource
import socket
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any

#: Bytes of stack. The parser and the evaluator recurse; with the usual 8 MiB, 3000 operators in a
#: row end the process.
STACK = 256 << 20
#: Share of the memory limit above which a process is not used again.
RETIRE = 0.5

_LENGTHS = struct.Struct(">II")

#: System calls that fail with EACCES, by machine: socket, execve, execveat.
_DENIED = {"x86_64": (41, 59, 322), "aarch64": (198, 221, 281)}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

#: What separates one solution from the next once quoted texts are gone; see ``count_rows``.
_QUOTED_JSON = re.compile(rb'"(?:[^"\\]|\\.)*"')
_QUOTED_CSV = re.compile(rb'"[^"]*"')


class TooLarge(Exception):
    """The result is larger than its limit, which the text names."""


def main() -> None:
    """Answer queries until the other end of the socket closes."""
    folder, memory = sys.argv[1], int(sys.argv[2])
    alone = confine(memory)
    import pyoxigraph

    channel = socket.socket(fileno=0)
    try:
        store = pyoxigraph.Store.read_only(folder)
    except (OSError, RuntimeError) as error:
        send(channel, {"failed": failure(error), "reason": str(error)})
        return
    # Others go first: a search or a path should not wait for somebody's query.
    os.nice(5)
    while (message := receive(channel)) is not None:
        request = message[0]
        _limit_cpu(request["seconds"])
        reply, body = reply_to(store, request, alone)
        send(channel, {**reply, "retire": _resident() > RETIRE * memory}, body)


def reply_to(store: Any, request: dict[str, Any], alone: bool) -> tuple[dict[str, Any], bytes]:
    """Header and body of the reply to one request: a result, or which way it failed.

    Args:
        alone: the system keeps this process from the network. Where it does not, a text that has
            the word ``service`` in it is not evaluated: the engine reads no other spelling.
    """
    if not alone and re.search("service", request["text"], re.IGNORECASE):
        return {"failed": "service"}, b""
    try:
        return {}, bytes(evaluate(store, request))
    except SyntaxError as error:
        return {"failed": "syntax", "reason": str(error)}, b""
    except TooLarge as error:
        return {"failed": str(error)}, b""
    except MemoryError:
        return {"failed": "memory"}, b""
    except OSError as error:
        # What is not about files is about the network, which only SERVICE wants.
        failed = failure(error) if str(error).startswith("IO error") else "service"
        return {"failed": failed, "reason": str(error)}, b""
    except (RuntimeError, ValueError) as error:
        return {"failed": failure(error, "evaluation"), "reason": str(error)}, b""


def failure(error: Exception, otherwise: str = "unreadable") -> str:
    """``damaged`` if an error of the engine means that files are missing or wrong."""
    missing = "No such file or directory" in str(error) or isinstance(error, FileNotFoundError)
    return "damaged" if missing or str(error).startswith("Corruption") else otherwise


def evaluate(store: Any, request: dict[str, Any]) -> bytearray:
    """The serialised result of a query.

    Raises:
        SyntaxError, OSError, RuntimeError, ValueError: as Oxigraph does.
        TooLarge, MemoryError
    """
    import pyoxigraph

    graphs: dict[str, Any] = {
        name: [pyoxigraph.NamedNode(iri) for iri in request[name]]
        for name in ("default_graph", "named_graphs")
        if request[name] is not None
    }
    less = request.get("less") if request["union"] else None
    if less:
        graphs["default_graph"] = [g for g in store.named_graphs() if g.value != less]
    result = store.query(
        request["text"],
        base_iri=request["base"],
        prefixes=request["prefixes"],
        use_default_graph_as_union=request["union"] and not less,
        **graphs,
    )
    body: Any = _Body(request["max_bytes"])
    media_type, max_rows = request["media_type"], request["max_rows"]
    if isinstance(result, pyoxigraph.QueryTriples):
        triples = _at_most(max_rows, result)
        pyoxigraph.serialize(triples, body, format=pyoxigraph.RdfFormat.from_media_type(media_type))
    else:
        result.serialize(body, pyoxigraph.QueryResultsFormat.from_media_type(media_type))
        if len(body.data) > max_rows and count_rows(body.data, media_type) > max_rows:
            raise TooLarge("rows")
    data: bytearray = body.data
    return data


def count_rows(data: bytes | bytearray, media_type: str) -> int:
    """How many solutions a serialised result holds. Exact for what Oxigraph writes."""
    if media_type.endswith("xml"):
        return data.count(b"<result>")
    if media_type.endswith("json"):
        bare = _QUOTED_JSON.sub(b"", data)
        return bare.count(b"[{") + bare.count(b"},{")
    if media_type == "text/csv":
        return max(_QUOTED_CSV.sub(b"", data).count(b"\n") - 1, 0)
    return max(data.count(b"\n") - 1, 0)


class _Body:
    """A file that keeps what is written, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit

    def write(self, data: bytes) -> int:
        if len(self.data) + len(data) > self._limit:
            raise TooLarge("bytes")
        self.data += data
        return len(data)

    def flush(self) -> None:
        pass


def _at_most(limit: int, triples: Any) -> Iterator[Any]:
    for count, triple in enumerate(triples):
        if count == limit:
            raise TooLarge("rows")
        yield triple


def confine(memory: int) -> bool:
    """Give up, for good, what evaluating a query does not need.

    Returns:
        Whether the network is given up, too.
    """
    for limit, value in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    stack = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (stack, hard))
    known = sys.platform == "linux" and platform.machine() in _DENIED
    return known and _deny_calls(platform.machine())


def _deny_calls(machine: str) -> bool:
    """Let the system refuse some calls of this process (seccomp); False if it cannot.

    The filter reads the machine and the number of a call; it needs no right and cannot be undone.
    """
    load, jump_if_equal, give_back = 0x20, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 13
    denied = _DENIED[machine]
    program = [
        (load, 0, 0, 4),
        (jump_if_equal, 0, len(denied) + 1, _AUDIT_ARCH[machine]),
        (load, 0, 0, 0),
        *((jump_if_equal, len(denied) - i, 0, number) for i, number in enumerate(denied)),
        (give_back, 0, 0, allow),
        (give_back, 0, 0, refuse),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    no_new_privileges, set_filter, mode = 38, 22, 2
    prctl = ctypes.CDLL(None).prctl
    prctl(no_new_privileges, 1, 0, 0, 0)
    return bool(prctl(set_filter, mode, ctypes.byref(head), 0, 0) == 0)


def _resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _limit_cpu(seconds: float) -> None:
    """Let this process end by itself if nobody is left to kill it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 2, hard))


def send(channel: socket.socket, header: dict[str, Any], body: bytes = b"") -> None:
    """Send one message."""
    head = json.dumps(header).encode()
    channel.sendall(_LENGTHS.pack(len(head), len(body)) + head + body)


def receive(
    channel: socket.socket, deadline: float | None = None
) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None where the other end has closed.

    Args:
        deadline: by ``time.monotonic``.

    Raises:
        TimeoutError: the deadline passed first.
    """
    lengths = _read(channel, _LENGTHS.size, deadline)
    if lengths is None:
        return None
    head, body = (_read(channel, size, deadline) for size in _LENGTHS.unpack(lengths))
    return None if head is None or body is None else (json.loads(head), bytes(body))


def left(deadline: float) -> float:
    """Seconds to a deadline, for a socket: zero would mean something else to it."""
    return max(deadline - time.monotonic(), 0.001)


def _read(channel: socket.socket, size: int, deadline: float | None) -> bytearray | None:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        if deadline is not None:
            channel.settimeout(left(deadline))
        received = channel.recv_into(view)
        if not received:
            return None
        view = view[received:]
    return data


if __name__ == "__main__":
    main()
