"""What is measured of requests by HTTP."""

from __future__ import annotations

from prometheus_client import Histogram

from digits.signals.metrics.buckets import CALL_SECONDS

SECONDS = Histogram(
    "digits_http_request_duration_seconds",
    "Time that an HTTP request took; of an event stream, until its first event.",
    ["method", "route", "code"],
    buckets=CALL_SECONDS,
)
