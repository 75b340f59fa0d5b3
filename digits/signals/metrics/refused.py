"""What is measured of calls that are not let in."""

from __future__ import annotations

from prometheus_client import Counter

REFUSED = Counter(
    "digits_refused_calls",
    "Calls without a token that is known, or with one that is not for them.",
    ["code"],
)
