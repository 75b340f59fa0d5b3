"""What is measured of a training, on the driver's side."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from digits.signals.metrics.buckets import TRAINING_SECONDS

ATTEMPTS = Counter("digits_job_attempts", "Leases that this worker took.")
IMAGES_TRAINED = Counter("digits_trained_images", "Images trained, each epoch counted.")
# Each is 0 while no job runs.
IMAGES_PER_SECOND = Gauge("digits_training_images_per_second", "Images trained a second, last micro-batch.")
BACKLOG_IMAGES = Gauge("digits_training_backlog_images", "Images in the log and not trained yet.")
WINDOW_IMAGES = Gauge("digits_ingest_window_images", "Most images that may be in the log and not trained.")
MICRO_BATCH_SECONDS = Histogram(
    "digits_micro_batch_duration_seconds", "Time of a micro-batch with its commit.", buckets=TRAINING_SECONDS
)
COMMIT_SECONDS = Histogram(
    "digits_checkpoint_commit_duration_seconds", "Time to write a checkpoint.", buckets=TRAINING_SECONDS
)
STRAGGLERS = Counter("digits_training_stragglers", "Partitions that were cut off since they took too long.")
RESUMED = Counter("digits_training_resumptions", "Trainings that went on from a checkpoint.")


def idle() -> None:
    """No job runs in this process."""
    for gauge in (IMAGES_PER_SECOND, BACKLOG_IMAGES, WINDOW_IMAGES):
        gauge.set(0)
