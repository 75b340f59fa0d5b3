"""What is measured of the model in memory, and of the batches that it answers."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from digits.signals.metrics.buckets import CALL_SECONDS, PICTURES

BATCH_PICTURES = Histogram("digits_batch_pictures", "Pictures in a batch.", buckets=PICTURES)
SERVING_VERSION = Gauge(
    "digits_serving_version", "The number of the version in memory, 3 for v3; 0 for none."
)
SERVING_GENERATION = Gauge("digits_serving_generation", "The alias's generation that the version came with.")
SERVING_CURRENT = Gauge("digits_serving_model_current", "1 if what is in memory is what the alias names.")
SWAPS = Counter("digits_model_swaps", "Times that another version took over in this process.")
LOAD_FAILURES = Counter("digits_model_load_failures", "Versions that the alias named and that did not load.")
LOAD_SECONDS = Histogram(
    "digits_model_load_duration_seconds", "Time to read, verify and warm a version.", buckets=CALL_SECONDS
)
