"""What is measured of networks at work."""

from __future__ import annotations

from prometheus_client import Histogram

from digits.signals.metrics.buckets import CALL_SECONDS

PREDICT_SECONDS = Histogram(
    "digits_predict_duration_seconds", "Time that the network took for a batch.", buckets=CALL_SECONDS
)
