"""What is measured of jobs by whoever changes them."""

from __future__ import annotations

from prometheus_client import Counter

from digits.v1 import training_pb2 as pb

ENDED = Counter("digits_jobs_ended", "Jobs that this process brought to their end, by state.", ["state"])
REQUEUED = Counter("digits_jobs_requeued", "Messages that were sent once more.")


def count_ended(state: pb.JobState) -> None:
    """A job came to its end here."""
    ENDED.labels(pb.JobState.Name(state).lower()).inc()
