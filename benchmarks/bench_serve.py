"""What the service costs over HTTP, and how long a cheap question waits beside dear ones.

Costs are CPU time of the serving process, kernel included. Waits are what an asker sees, on a
machine that the askers share with the service.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np
from measure import Result, cpu_milliseconds

from sightline.cli.main import run as command
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds.related import KIND, RelatedQuestion

WORLD = Path(__file__).parents[1] / "examples" / "world"
SERVE = "import sys; from sightline.cli.main import run; sys.exit(run(sys.argv[1:]))"
#: A route that does nothing but send some bytes.
BARE = """
import socket, sys, uvicorn
from fastapi import FastAPI, Response
app, body = FastAPI(), b"x" * int(sys.argv[1])
@app.get("/{id}")
async def answer(id: str, k: int = 10) -> Response:
    return Response(body, media_type="application/json")
listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listener])
"""
QUERY = "SELECT (count(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f }"
#: Method, target, body, and in how many pieces that comes.
Question = tuple[str, str, bytes, int]


def run(folder: Path, scale: float) -> list[Result]:
    """Serve the bundled example with a student learnt quickly, and ask."""
    source = [str(WORLD), "--mapping", str(WORLD / "mapping.yaml"), "-w", str(folder / "ws")]
    assert command(["run", *source, "--preset", "quick"]) == 0
    return measure(folder / "ws", scale)


def measure(workspace: Path, scale: float) -> list[Result]:
    """The figures of a workspace that has a model."""
    sight = Sightline.open(Workspace.open(workspace))
    iris = sight.snapshot.entity_iris
    chosen = [iris[int(i)] for i in np.random.default_rng(0).permutation(len(iris))]
    asked = chosen[: int(500 * scale) or 2]
    targets = [f"/v1/entities/{quote(iri, safe='')}/related?predicted=false" for iri in asked]
    questions = [RelatedQuestion(iri, predicted=False) for iri in asked]
    KIND.answer(sight, questions[0])
    alone = float(np.mean(cpu_milliseconds(lambda q: KIND.answer(sight, q), questions)))
    with served(SERVE, "serve", "-w", workspace, "--port", 0, "--no-worker") as service:
        size = len(service.ask("GET", targets[0]))
        cold = service.cost(targets[1:])
        hot = service.cost(targets[:1] * len(targets) * 4)
        waits = {
            name: beside(service, chosen, dear, 10 * scale)
            for name, dear in dear_questions(chosen).items()
        }
    with served(BARE, size) as service:
        service.cost(["/x?k=3"] * 200)
        bare = service.cost(["/x?k=3"] * len(targets) * 4)
    limit = (alone + bare) / 0.6
    details = {"in process": alone, "a bare FastAPI route": bare, "bytes": size}
    what = "server CPU of stated facts"
    return [
        Result(f"{what}, cold", cold, "ms", f"<= {limit:.2g} ms", None, None, details),
        Result(f"{what}, hot", hot, "ms", "<= 0.3 ms", "a bare FastAPI route", bare, {}),
        *(_waited(name, found) for name, found in waits.items()),
    ]


def _waited(name: str, found: Sequence[float]) -> Result:
    details = {"median": float(np.median(found)), "longest": max(found), "asked": len(found)}
    p99 = float(np.quantile(found, 0.99))
    return Result(f"cheap beside {name}, p99", p99, "ms", "<= 100 ms", None, None, details)


def dear_questions(iris: Sequence[str]) -> dict[str, list[Question]]:
    """Sets of askers: what each asks again and again."""

    def path(i: int, k: int) -> Question:
        ends = urlencode({"source": iris[2 * i], "target": iris[2 * i + 1], "max_hops": 5, "k": k})
        return "GET", f"/v1/paths?{ends}&deadline_ms=MS", b"", 1

    gaps = [{"head": iri, "relation": "borders", "k": 10} for iri in iris[:100]]
    batch = json.dumps({"questions": gaps}).encode()
    wrong = json.dumps({"questions": [{"head": 0}] * 1000}).encode()
    sparql = f"/sparql?{urlencode({'query': QUERY})}"
    return {
        **{f"4 askers of {k} paths": [path(i, k) for i in range(4)] for k in (10, 100, 1000)},
        "4 batches of 100 predictions": [("POST", "/v1/predictions", batch, 1)] * 4,
        "4 bodies in 3000 pieces": [("POST", "/v1/predictions", b" " * 300_000 + batch, 3000)] * 4,
        "4 bodies of 1000 errors": [("POST", "/v1/predictions", wrong, 1)] * 4,
        "8 SPARQL queries": [("GET", sparql, b"", 1)] * 8,
    }


def beside(
    service: Service, iris: Sequence[str], dear: Sequence[Question], seconds: float
) -> list[float]:
    """Milliseconds that cheap questions take while others ask dear ones."""
    others = get_context("spawn").Process(target=repeat, args=(service.port, dear), daemon=True)
    others.start()
    time.sleep(1.5)
    waits: list[float] = []
    end = time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        iri = quote(iris[len(waits) % len(iris)], safe="")
        service.ask("GET", f"/v1/entities/{iri}/related?predicted=false&k=20")
        waits.append(1000 * (time.monotonic() - start))
        time.sleep(0.005)
    others.kill()
    others.join()
    return waits


def repeat(port: int, questions: Sequence[Question]) -> None:
    """Ask each question in a thread of its own, with ever another deadline: none is remembered."""

    def ask(question: Question) -> None:
        service = Service(0, port)
        method, target, *body = question
        for deadline in range(2000, 10_000):
            service.ask(method, target.replace("MS", str(deadline)), *body)

    for question in questions:
        threading.Thread(target=ask, args=(question,)).start()


class Service:
    """A connection to a running service."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, method: str, target: str, body: bytes = b"", pieces: int = 1) -> bytes:
        """The body of an answer."""
        step = len(body) // pieces + 1
        chunks = iter([body[i : i + step] for i in range(0, len(body), step)])
        headers = {"Content-Type": "application/json"} if body else {}
        self._connection.request(method, target, chunks if pieces > 1 else body or None, headers)
        return self._connection.getresponse().read()

    def cost(self, targets: Sequence[str]) -> float:
        """Mean CPU milliseconds of the service per question."""
        before = self._cpu()
        for target in targets:
            self.ask("GET", target)
        return (self._cpu() - before) / len(targets)

    def _cpu(self) -> float:
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


@contextmanager
def served(code: str, *arguments: object) -> Iterator[Service]:
    """A service as a process of its own, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+)", process.stdout.readline())
        assert found
        service = Service(process.pid, int(found[1]))
        service.ask("GET", "/readyz")
        yield service
    finally:
        process.terminate()
        process.wait()
