"""What a server measures of a picture's way to its answer, and of what people say of it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from digits.signals.metrics.buckets import CALL_SECONDS

WAITING_PICTURES = Gauge("digits_waiting_pictures", "Pictures that wait for their batch.")
OLDEST_WAIT_SECONDS = Gauge("digits_oldest_waiting_seconds", "How long the first of them has been waiting.")
QUEUE_WAIT_SECONDS = Histogram(
    "digits_queue_wait_seconds",
    "Time from a call's arrival at the batcher until its batch went out.",
    buckets=CALL_SECONDS,
)
BATCH_SECONDS = Histogram(
    "digits_batch_duration_seconds", "Time from a batch's start to its answer.", buckets=CALL_SECONDS
)
DECODE_SECONDS = Histogram(
    "digits_decode_duration_seconds",
    "Time to make 28 x 28 pixels of a picture's file, the wait for who makes them included.",
    buckets=CALL_SECONDS,
)
BREAKER_OPEN = Gauge("digits_queue_breaker_open", "1 while the task queue is not asked, only probed.")
QUEUE_FAILURES = Counter("digits_queue_failures", "Batches to which the task queue gave no answer in time.")
ANSWERED = Counter(
    "digits_classified_pictures",
    "Pictures answered, by who did and by which of the last versions; by_name: by a version of their choice.",
    ["served_by", "version"],
)
LABELS = Counter(
    "digits_reported_labels", "Labels of answers that people reported and that are kept.", ["right"]
)
LIVE_ROLLBACKS = Counter(
    "digits_live_label_rollbacks", "Times that reported labels had the version before serve again."
)
