"""One span for OpenTelemetry a request, where the standard variable names a collector.

Knows the extra ``otel``, and loads nothing of it otherwise; knows no route.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from fastapi.telemetry import TelemetryConfig

from sightline.api.service import VERSION

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
#: What machines ask all the time, and files: not traced.
LEFT_OUT = ("/healthz", "/readyz", "/metrics", "/static/")
#: Seconds that the last spans may take to leave when the service ends.
PATIENCE = 2.0
log = logging.getLogger("sightline.api")


def tracing() -> tuple[TelemetryConfig, Callable[[], None]]:
    """What FastAPI is told of spans, and what sends the last ones.

    The other standard variables count, too: ``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER`` and so
    on. A span has method, path, query, route and status of a request: no header and no body.
    """
    config = TelemetryConfig(tracing=False, metrics=False, logs=False, operation_spans=False)
    if not os.environ.get(ENDPOINT):
        return config, lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        # Whoever runs a machine sets the variable for all that is on it, so this ends nothing.
        needed = 'pip install "sightline[otel]"'
        log.warning("%s is set, and nothing is traced: that needs %s", ENDPOINT, needed)
        return config, lambda: None
    ours = Resource({"service.name": "sightline", "service.version": VERSION})
    resource = ours.merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def end() -> None:
        # Nobody waits for a collector that has gone.
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(PATIENCE)

    config["tracing"], config["tracer_provider"] = True, provider
    config["exclude"] = lambda scope: scope["path"].startswith(LEFT_OUT)
    return config, end
