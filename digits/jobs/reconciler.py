"""Sees to it that no accepted job is forgotten: the queue may lose or repeat messages, the record may not."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from digits import clock, status_codes
from digits.background import BackgroundLoop
from digits.errors import DigitsError, GaveUp, TookTooLong
from digits.jobs import attempts
from digits.jobs.ages import Ages
from digits.jobs.jobs import Jobs
from digits.jobs.membership import live_workers
from digits.jobs.states import advance, is_final
from digits.ports import Coordinator, EphemeralNode
from digits.records import RecordReader
from digits.signals.metrics import elected
from digits.signals.metrics import jobs as measured
from digits.v1 import training_pb2 as pb

logger = logging.getLogger(__name__)

_PERIOD_SECONDS = 2.0
# A message has this long to reach a worker that waits for one. Each time that it was sent in vain, the next
# has twice as long: a worker that takes no messages gets one a minute at most.
_IDLE_GRACE_SECONDS = 5.0
_MAX_IDLE_GRACE_SECONDS = 60.0
# Behind other jobs nobody can tell a lost message from one that waits: one in doubt, then ever fewer.
_BUSY_GRACE_SECONDS = 120.0
_MAX_BUSY_GRACE_SECONDS = 3600.0
# A trainer that lost its lease may live, and say in a moment that the job was not at fault.
_LAST_WORD_SECONDS = 10.0
_TOO_LONG = (
    "was not done after {hours:g} hours, the longest that a job may take (DIGITS_MAX_JOB_HOURS): send fewer "
    "images, or take another recipe"
)


class Reconciler:
    """One of the servers, under election, looks after each unfinished job that no trainer has."""

    def __init__(
        self, jobs: Jobs, coordinator: Coordinator, max_attempts: int, max_job_hours: float = math.inf
    ) -> None:
        self._jobs, self._coordinator = jobs, coordinator
        self._max_attempts, self._max_job_hours = max_attempts, max_job_hours
        self._leadership: EphemeralNode | None = None
        self._index_is_whole = False
        self._ages = Ages()
        self._worker_records = RecordReader(pb.WorkerStatus)
        self.loop = BackgroundLoop("reconciler", self.turn, _PERIOD_SECONDS)

    def start(self) -> None:
        """Starts on a thread of its own."""
        self.loop.start()

    def stop(self) -> None:
        """Stops and lets another server take over."""
        self.loop.stop()
        self._resign()

    def leads(self) -> bool:
        """Whether this is the server that was elected."""
        return self._leadership is not None and self._leadership.alive()

    def turn(self) -> None:
        """Looks after the jobs if elected. What nobody foresaw ends the leadership: another may do better."""
        try:
            if self._elected():
                self.reconcile()
        except DigitsError:
            raise
        except Exception:
            self._resign()
            raise

    def reconcile(self) -> None:
        """Looks at each unfinished job once. It asks no store and no log, which might hold it up."""
        if not self._index_is_whole:
            self._jobs.mend_index()
            self._index_is_whole = True
        self._ages.look_again()
        unfinished = self._jobs.unfinished()
        _measure(unfinished)
        in_time = [job for job in unfinished if not self._end_if_too_long(job)]
        orphans = [job for job in in_time if not self._jobs.is_leased(job.job_id)]
        idle_seconds, worker_there = self._train_workers()
        waiting = [job for job in orphans if not (self._end_if_over(job) or self._had_its_attempts(job))]
        # Without a worker another message would only wait beside the first.
        if worker_there:
            aged = [(job, self._ages.seconds(job.job_id, job.enqueue_time)) for job in waiting]
            self._requeue([job for job, waited in aged if _is_overdue(job, waited, idle_seconds)])

    def _requeue(self, overdue: Sequence[pb.Job]) -> None:
        for job in overdue:
            logger.info("job %s has no trainer; queued again", job.job_id)
            if not self._jobs.requeue(job.job_id):
                return  # Each further try would take seconds too.

    def _end_if_too_long(self, job: pb.Job) -> bool:
        """Also with a trainer, which may hang: one that lives reads it at its next write, and stands down."""
        return self._took_too_long(job) and is_final(self._jobs.edit(job.job_id, self._end))

    def _took_too_long(self, job: pb.Job) -> bool:
        started = job.HasField("start_time")
        return started and clock.seconds_since(job.start_time) > self._max_job_hours * 3600

    def _end_if_over(self, job: pb.Job) -> bool:
        if not (job.cancel_requested or self._gave_up_on(job)):
            return False
        ended = self._jobs.edit(job.job_id, self._end)
        if is_final(ended):
            measured.count_ended(ended.state)
        return is_final(ended)

    def _end(self, job: pb.Job) -> None:
        """Decides once more: the record may have changed since it was listed."""
        if is_final(job):
            return
        if job.cancel_requested:
            advance(job, pb.CANCELLED)
        elif self._took_too_long(job):
            _fail(job, TookTooLong(_TOO_LONG.format(hours=self._max_job_hours)))
        elif self._had_its_attempts(job):
            reason = job.last_problem or "each attempt ended without a word, as when a worker is killed"
            _fail(job, GaveUp(f"gave up after {attempts.in_vain(job)} attempts: {reason}"))

    def _gave_up_on(self, job: pb.Job) -> bool:
        silent = self._ages.seconds_seen(f"{job.job_id} without a trainer", job.lease_id)
        return self._had_its_attempts(job) and silent >= _LAST_WORD_SECONDS

    def _had_its_attempts(self, job: pb.Job) -> bool:
        return attempts.in_vain(job) >= self._max_attempts

    def _train_workers(self) -> tuple[float, bool]:
        """How long a train worker has been waiting for a job (0.0: none does), and whether there is any."""
        workers = live_workers(self._coordinator, "train", self._worker_records)
        waiting = [
            self._ages.seconds(f"{worker.host}-{worker.process_id}", worker.idle_time)
            for worker in workers
            if worker.HasField("idle_time")
        ]
        return max(waiting, default=0.0), bool(workers)

    def _elected(self) -> bool:
        if not self.leads():
            self._leadership = self._coordinator.create_ephemeral("/reconciler", b"")
            self._index_is_whole = False
            if self._leadership is None:
                elected.tell_nothing()
        return self._leadership is not None

    def _resign(self) -> None:
        elected.tell_nothing()
        leadership, self._leadership = self._leadership, None
        if leadership is not None:
            leadership.release()


def _fail(job: pb.Job, error: DigitsError) -> None:
    job.progress.error.CopyFrom(status_codes.job_error(error))
    advance(job, pb.FAILED)


def _measure(unfinished: Sequence[pb.Job]) -> None:
    queued = [clock.seconds_since(job.create_time) for job in unfinished if job.state == pb.QUEUED]
    elected.tell_unfinished(unfinished, max(queued, default=0.0))


def _is_overdue(job: pb.Job, waited: float, idle_seconds: float) -> bool:
    """Whether the job's message, which was sent `waited` seconds ago, must be taken for lost."""
    doublings = min(job.enqueue_count, 16)
    if min(waited, idle_seconds) > min(_MAX_IDLE_GRACE_SECONDS, _IDLE_GRACE_SECONDS * 2.0**doublings):
        return True
    if job.lease_id and job.enqueue_count == 0:  # Its message went with its trainer.
        return waited > _IDLE_GRACE_SECONDS
    return waited > min(_MAX_BUSY_GRACE_SECONDS, _BUSY_GRACE_SECONDS * 2.0**doublings)
