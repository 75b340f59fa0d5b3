"""What is measured of calls, by gRPC and by HTTP."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram

from digits.signals.metrics.buckets import CALL_SECONDS

GRPC_SECONDS = Histogram(
    "digits_grpc_request_duration_seconds",
    "Time that a gRPC call took; of a stream, until its end.",
    ["method", "code"],
    buckets=CALL_SECONDS,
)
HTTP_SECONDS = Histogram(
    "digits_http_request_duration_seconds",
    "Time that an HTTP request took; of an event stream, until its first event.",
    ["method", "route", "code"],
    buckets=CALL_SECONDS,
)
REFUSED = Counter(
    "digits_refused_calls",
    "Calls without a token that is known, or with one that is not for them.",
    ["code"],
)


@cache
def grpc_seconds(method: str, code: str) -> Histogram:
    """The series of a method and a code: looking it up takes a lock and longer than its observation."""
    return GRPC_SECONDS.labels(method, code)
