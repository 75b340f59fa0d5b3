"""What a service's processes send their spans to, and keeps them in memory: OTLP over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class ReceivedSpan:
    """A span and whose it is; ids in hexadecimal."""

    part: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str


class Collector:
    """The spans received until now."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.spans = []  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def of_trace(self, trace_id: str) -> list[ReceivedSpan]:
        """Those of one trace."""
        spans: list[ReceivedSpan] = self._server.spans  # type: ignore[attr-defined]
        return [span for span in spans if span.trace_id == trace_id]

    def ancestors(self, trace_id: str, name: str) -> list[str]:
        """The parts and names from the first span of that name up to the trace's first."""
        spans = {span.span_id: span for span in self.of_trace(trace_id)}
        span = next((span for span in spans.values() if span.name == name), None)
        found = []
        while span:
            found.append(f"{span.part} {span.name}")
            span = spans.get(span.parent_id)
        return found

    def close(self) -> None:
        """Listens no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def collector() -> Iterator[Collector]:
    """One that listens on loopback."""
    made = Collector()
    try:
        yield made
    finally:
        made.close()


class _Handler(BaseHTTPRequestHandler):
    """Takes every export."""

    def do_POST(self) -> None:
        """Keeps the spans."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.spans += _spans(ExportTraceServiceRequest.FromString(body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


def _spans(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            _part(resource), span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _part(resource: Any) -> str:
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    return attributes["service.name"].removeprefix("digits-")
