"""What is measured of the tokens file."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

FILE_INVALID = Gauge(
    "digits_tokens_file_invalid",
    "1 while the tokens file as it is will not do.",
    multiprocess_mode="livemax",
)
FILE_ERRORS = Counter("digits_tokens_file_errors", "Changes of the tokens file that would not do.")
