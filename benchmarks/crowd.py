"""Many connections at once, and how long answers take at half of what the service can do.

    python benchmarks/crowd.py WORKSPACE [CONNECTIONS]

Sends a request on each connection as soon as it is open, takes no answer before all are, and counts
what comes back: every one is to be answered 200, or 503 with a ``Retry-After``. Then asks from
several connections as fast as they are answered, after that half as often, and says the median and
the 99th percentile of what an asker waits. Service and askers share the machine.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from urllib.parse import quote

import numpy as np
from bench_serve import SERVE, served

from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline

#: Connections that are opened at once; those that measure; seconds that they do.
AT_ONCE, ASKERS, SECONDS = 200, 8, 10.0


async def crowd(port: int, targets: list[str], size: int) -> Counter[str]:
    """What a request on each of many connections, all open at once, is answered."""
    gate = asyncio.Semaphore(AT_ONCE)
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(at: int) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(targets[at % len(targets)]))
            opened.append((reader, writer))

    async def taken(reader: asyncio.StreamReader) -> str:
        try:
            async with asyncio.timeout(120):
                status, head, _ = await answer(reader)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            return type(error).__name__
        said = b"retry-after" in head.lower()
        return f"{status}{' with Retry-After' if said else ''}"

    await asyncio.gather(*map(ask, range(size)))
    found = Counter(await asyncio.gather(*(taken(reader) for reader, _ in opened)))
    for _, writer in opened:
        writer.close()
    return found


async def loaded(port: int, targets: list[str], rate: float | None) -> list[float]:
    """Milliseconds of each answer, at a rate in requests a second; None: as fast as they come."""
    waits: list[float] = []
    end = time.monotonic() + SECONDS

    async def ask(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        at, due, chance = first, time.monotonic(), np.random.default_rng(first)
        while time.monotonic() < end:
            if rate is not None:
                # Not later because the one before was slow: that wait counts, too.
                due += chance.exponential(ASKERS / rate)
                await asyncio.sleep(max(due - time.monotonic(), 0))
            start = time.monotonic() if rate is None else due
            writer.write(request(targets[at % len(targets)]))
            await answer(reader)
            waits.append(1000 * (time.monotonic() - start))
            at += ASKERS
        writer.close()

    await asyncio.gather(*map(ask, range(ASKERS)))
    return waits


def request(target: str) -> bytes:
    """A request."""
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """Status, head and body of an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
    return int(head.split(b" ", 2)[1]), head, await reader.readexactly(int(length))


def main(workspace: str, size: int) -> None:
    """Measure, and print."""
    from pathlib import Path

    iris = Sightline.open(Workspace.open(Path(workspace))).snapshot.entity_iris
    every = [quote(iris[i], safe="") for i in range(len(iris))]
    targets = [f"/v1/entities/{iri}/related?predicted=false" for iri in every]
    with served(SERVE, "serve", "-w", workspace, "--port", 0, "--no-worker") as service:
        found = asyncio.run(crowd(service.port, targets, size))
        print(f"{size} connections: {dict(found)}")
        full = asyncio.run(loaded(service.port, targets, None))
        rate = len(full) / SECONDS
        half = asyncio.run(loaded(service.port, targets, rate / 2))
        for name, waits in ((f"all of {rate:.0f}/s", full), ("half of that", half)):
            p50, p99 = np.quantile(waits, [0.5, 0.99])
            print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {p99 / p50:.1f} x")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
