"""What is measured of the systems beneath, of background threads and of files that must be right."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ZOOKEEPER_CONNECTED = Gauge("digits_zookeeper_connected", "1 while ZooKeeper is connected.")
ZOOKEEPER_SESSIONS_LOST = Counter(
    "digits_zookeeper_sessions_lost", "Sessions that ended with what was held by them."
)
BACKGROUND_FAILURES = Counter(
    "digits_background_failures", "Turns of a background thread that failed and come again.", ["loop"]
)
STORE_BYTES = Gauge("digits_store_bytes", "Bytes in the artifact store; told by the elected server.")
TOKENS_FILE_INVALID = Gauge(
    "digits_tokens_file_invalid",
    "1 while the tokens file as it is will not do.",
    multiprocess_mode="livemax",
)
TOKENS_FILE_ERRORS = Counter("digits_tokens_file_errors", "Changes of the tokens file that would not do.")
