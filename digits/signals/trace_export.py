"""OpenTelemetry's SDK, set up: imported by those processes alone whose settings want traces."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

import digits
from digits.settings import Settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def provider(settings: Settings, part: str) -> TracerProvider:
    """Sends a share of this process's spans to the collector, in the background and in batches.

    Who begins a trace decides whether it is kept, so that no trace has holes.
    """
    session = requests.Session()
    # No proxy reaches a collector on this machine.
    session.trust_env = urlsplit(settings.trace_endpoint).hostname not in _LOOPBACK
    resource = Resource.create({"service.name": f"digits-{part}", "service.version": digits.__version__})
    made = TracerProvider(sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)), resource=resource)
    exporter = OTLPSpanExporter(endpoint=settings.trace_endpoint, session=session)
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made
