"""Spans go to the collector that the standard variable names, and nowhere where it names none."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sightline.api import tracing
from sightline.api.app import create_app
from tests.needs import require

HAS_IT = find_spec("opentelemetry.exporter") is not None


class Collector(HTTPServer):
    """Keeps what is sent to it, by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Kept)
        self.sent: list[tuple[str, bytes]] = []


class _Kept(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.sent.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        monkeypatch.setenv(tracing.ENDPOINT, f"http://127.0.0.1:{made.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield made
        made.shutdown()
        thread.join()


def test_a_span_of_each_request_goes_to_the_collector(folder: Path, collector: Collector) -> None:
    require("otel", HAS_IT, 'the extra is not installed: pip install "sightline[otel]"')
    ids = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    headers = {"traceparent": f"00-{ids[0]}-{ids[1]}-01", "Authorization": "Bearer sl_secret"}
    with TestClient(create_app(folder)) as client:
        for path in ("/v1/entities/Kenya/related", "/v1/nothing", "/healthz"):
            client.get(path, headers=headers)
    assert {path for path, _ in collector.sent} == {"/v1/traces"}
    said = b"".join(body for _, body in collector.sent)
    assert said.count(bytes.fromhex(ids[0])) == 2  # it goes on with the trace of whoever asked
    assert b"/v1/entities/Kenya/related" in said
    assert b"/v1/nothing" in said
    assert b"service.name\x12\x0b\n\tsightline" in said
    assert b"healthz" not in said
    assert b"sl_secret" not in said


def test_a_collector_that_has_gone_keeps_no_service_from_ending(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("otel", HAS_IT, 'the extra is not installed: pip install "sightline[otel]"')
    monkeypatch.setattr(tracing, "PATIENCE", 0.1)
    monkeypatch.setenv(tracing.ENDPOINT, "http://127.0.0.1:9")
    with TestClient(create_app(folder)) as client:
        assert client.get("/v1/stats").status_code == 200
    assert any("OtelBatchSpan" in thread.name for thread in threading.enumerate())


def test_without_the_extra_a_line_says_why_nothing_is_traced(
    folder: Path,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with TestClient(create_app(folder)) as client:
        assert client.get("/v1/stats").status_code == 200
    assert not collector.sent
    assert 'pip install "sightline[otel]"' in caplog.text


def test_without_the_variable_nothing_of_the_extra_is_loaded() -> None:
    code = "import sys; from pathlib import Path; from sightline.api.app import create_app; "
    code += "create_app(Path()); print([m for m in sys.modules if 'opentelemetry.sdk' in m])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
