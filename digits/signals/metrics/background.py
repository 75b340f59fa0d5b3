"""What is measured of background threads."""

from __future__ import annotations

from prometheus_client import Counter

FAILURES = Counter(
    "digits_background_failures", "Turns of a background thread that failed and come again.", ["loop"]
)
