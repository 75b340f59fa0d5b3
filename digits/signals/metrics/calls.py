"""What is measured of calls by gRPC."""

from __future__ import annotations

from functools import cache

from prometheus_client import Histogram

from digits.signals.metrics.buckets import CALL_SECONDS

SECONDS = Histogram(
    "digits_grpc_request_duration_seconds",
    "Time that a gRPC call took; of a stream, until its end.",
    ["method", "code"],
    buckets=CALL_SECONDS,
)


@cache
def seconds(method: str, code: str) -> Histogram:
    """The series of a method and a code: looking it up takes a lock and longer than its observation."""
    return SECONDS.labels(method, code)
