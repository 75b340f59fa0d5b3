"""What the elected server measures of all jobs, and of what they left."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Gauge

from digits.v1 import training_pb2 as pb

UNFINISHED_STATES = (pb.QUEUED, pb.INGESTING, pb.TRAINING, pb.EVALUATING, pb.PUBLISHING)

LEADER = Gauge("digits_reconciler_leader", "1 if this is the elected server.")
UNFINISHED = Gauge("digits_jobs", "Jobs that are not final, by state; told by the elected server.", ["state"])
OLDEST_QUEUED_SECONDS = Gauge(
    "digits_oldest_queued_job_seconds", "Age of the oldest job that waits; told by the elected server."
)
SWEPT = Counter("digits_orphans_swept", "Things in the store and the log that no job owned, removed.")
STORE_BYTES = Gauge("digits_store_bytes", "Bytes in the artifact store; told by the elected server.")


def tell_unfinished(jobs: Iterable[pb.Job], oldest_queued_seconds: float) -> None:
    """What the elected server sees of all jobs."""
    states = [job.state for job in jobs]
    for state in UNFINISHED_STATES:
        UNFINISHED.labels(pb.JobState.Name(state).lower()).set(states.count(state))
    OLDEST_QUEUED_SECONDS.set(oldest_queued_seconds)


def tell_nothing() -> None:
    """Another server is elected: what this one saw last is no news."""
    UNFINISHED.clear()
    OLDEST_QUEUED_SECONDS.set(0)
