"""What callers see of a running job: written to its record, not more often than somebody can read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from google.protobuf.duration_pb2 import Duration

from digits.jobs import history
from digits.jobs.history import Took
from digits.jobs.leases import Change, Lease
from digits.jobs.states import advance
from digits.v1 import training_pb2 as pb

# Ingest moves many times a second; a person and ZooKeeper want it less often.
_SHORTEST_INTERVAL_SECONDS = 0.25

Ingested = Callable[[], Mapping[str, int]]
"""How far the ingest is, by the names of a progress's fields."""


class ProgressReport:
    """Collects changes from the ingest and the training threads and writes them under the lease."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._lock = threading.Lock()
        self._written = 0.0
        self._waiting: Ingested | None = None

    def enter(self, state: pb.JobState, **fields: int) -> pb.Job:
        """Moves the job to a state; raises LeaseLost, Cancelled."""
        with self._lock:
            return self._write(lambda job: _enter(job, state, fields))

    def ingested(self, look: Ingested) -> None:
        """Tells how far the ingest is, now or with the next `catch_up`; raises LeaseLost, Cancelled."""
        with self._lock:
            self._waiting = look
            self._tell_waiting()

    def catch_up(self) -> None:
        """Tells what had to wait, if it is time; raises LeaseLost, Cancelled."""
        with self._lock:
            self._tell_waiting()

    def begin(self, notes: Sequence[str] = (), **fields: float) -> None:
        """Moves the job to INGESTING, told how far its training is; raises LeaseLost, Cancelled.

        `notes` are what callers should know of the batch and how it will go; what they know already is not
        said again. A job that has micro-batches already goes on from a checkpoint, which is noted.
        """
        with self._lock:
            self._write(lambda job: _begin(job, notes, fields))

    def trained(self, eta_seconds: float, took: Took, images_committed: int, **fields: float) -> None:
        """Tells what a micro-batch brought; raises LeaseLost, Cancelled."""
        eta = Duration()
        eta.FromMilliseconds(round(eta_seconds * 1000))
        with self._lock:
            self._write(lambda job: _advance(job, eta, took, images_committed, fields))

    def judged(self, reading: pb.HeldOutReading) -> None:
        """Keeps how the candidate read its held-out images; raises LeaseLost, Cancelled."""
        with self._lock:
            self._write(lambda job: job.held_out_reading.CopyFrom(reading))

    def _tell_waiting(self) -> None:
        if self._waiting and time.monotonic() - self._written >= _SHORTEST_INTERVAL_SECONDS:
            # As it is now: a micro-batch may have been told since.
            fields, self._waiting = self._waiting(), None
            self._write(lambda job: _set(job, fields))

    def _write(self, change: Change) -> pb.Job:
        self._written = time.monotonic()
        return self._lease.edit(change)


def _enter(job: pb.Job, state: pb.JobState, fields: Mapping[str, float]) -> None:
    advance(job, state)
    _set(job, fields)


def _begin(job: pb.Job, notes: Sequence[str], fields: Mapping[str, float]) -> None:
    _enter(job, pb.INGESTING, fields)
    job.images_committed = job.progress.images_trained
    job.progress.notes.extend(note for note in notes if note not in job.progress.notes)
    if job.progress.micro_batch:
        history.note_resumption(job)


def _advance(
    job: pb.Job, eta: Duration, took: Took, images_committed: int, fields: Mapping[str, float]
) -> None:
    job.images_committed = images_committed
    job.progress.eta.CopyFrom(eta)
    _set(job, fields)
    history.note_micro_batch(job, took)


def _set(job: pb.Job, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        setattr(job.progress, name, value)
