"""Runs a job under its lease and writes down how it ended, whatever is away meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from digits import status_codes
from digits.errors import CoordinatorUnavailable, DigitsError, LeaseLost, Unavailable
from digits.jobs import attempts
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Change, Lease
from digits.jobs.states import advance
from digits.ports import Coordinator
from digits.signals.context import REQUEST_ID
from digits.signals.metrics import jobs as measured
from digits.signals.metrics.training import ATTEMPTS
from digits.v1 import training_pb2 as pb
from workers.failure_policy import Verdict, problem, verdict
from workers.outage import Answer, until_answered, wait_for_recovery

logger = logging.getLogger(__name__)

# For so long a job waits for a system in the hands of the worker that began it; then whoever is free has it.
_MAX_OUTAGE_SECONDS = 300.0
_BREATH_SECONDS = 6.0


class LeasedJobs:
    """Runs one job at a time; whatever fails, its lease is released.

    `train` runs a job to its published model or raises. `ask_all` raises Unavailable if a system that a job
    needs is away. What has to be written is tried until the coordinator is back or `stopping` is set.
    """

    def __init__(
        self,
        *,
        jobs: Jobs,
        coordinator: Coordinator,
        max_attempts: int,
        stopping: threading.Event,
        train: Callable[[Lease, pb.Job], None],
        ask_all: Callable[[str], None],
    ) -> None:
        self._jobs, self._coordinator, self._max_attempts = jobs, coordinator, max_attempts
        self._stopping, self._train, self._ask_all = stopping, train, ask_all

    def run(self, job_id: str) -> bool:
        """Runs a job unless it is final, has another trainer or had too many; returns whether it did."""
        lease = self._take(job_id)
        if lease is None:
            logger.info("job %s is not for this worker", job_id)
            return False
        ATTEMPTS.inc()
        try:
            job = self._jobs.get(job_id)
            REQUEST_ID.set(job.spec.origin.request_id)
            self._train(lease, job)
            measured.count_ended(pb.SUCCEEDED)
        except Exception as error:
            self._end(lease, error)
        finally:
            lease.release()
        return True

    def _take(self, job_id: str) -> Lease | None:
        jobs, max_attempts = self._jobs, self._max_attempts
        try:
            return self._insist(lambda: Lease.take(jobs, self._coordinator, job_id, max_attempts))
        except Unavailable as away:
            logger.warning("job %s: told to stop before it could be taken: %s", job_id, away)
            return None

    def _end(self, lease: Lease, error: Exception) -> None:
        """Writes down what an exception means for its job."""
        try:
            self._judge(lease, error)
        except LeaseLost:
            self._stand_down(lease)
        except Unavailable as away:
            logger.warning("job %s: told to stop before its end could be written: %s", lease.job_id, away)

    def _judge(self, lease: Lease, error: Exception) -> None:
        means = verdict(error)
        if means is Verdict.CANCEL:
            self._write(lease, lambda job: advance(job, pb.CANCELLED))
            measured.count_ended(pb.CANCELLED)
        elif means is Verdict.FAIL:
            logger.warning("job %s failed: %s", lease.job_id, error)
            self._write(lease, partial(_fail, error))
            measured.count_ended(pb.FAILED)
        elif means is Verdict.HAND_BACK:
            self._hand_back(lease)
        elif means is Verdict.LOST:
            self._stand_down(lease)
        else:
            unforeseen = None if isinstance(error, DigitsError) else error
            logger.warning("job %s did not finish: %s", lease.job_id, error, exc_info=unforeseen)
            self._leave_for_another(lease, error)

    def _leave_for_another(self, lease: Lease, error: Exception) -> None:
        """Counts the attempt, unless a system that the job needs was away: that is no fault of the job.

        Whoever asks meanwhile why the job waits is told.
        """
        self._write(lease, lambda job: setattr(job, "last_problem", problem(error)))

        def ask() -> None:
            lease.check()
            self._ask_all(lease.job_id)

        was_away = wait_for_recovery(ask, self._stopping, _MAX_OUTAGE_SECONDS)
        if was_away or isinstance(error, CoordinatorUnavailable):
            self._hand_back(lease)
        elif isinstance(error, Unavailable):
            # It answers again, or answers others: a moment later it may answer this job too.
            self._stopping.wait(_BREATH_SECONDS)
            self._write(lease, lambda job: attempts.forgive_silence(job, lease.number))

    def _hand_back(self, lease: Lease) -> None:
        """Sends the job's message again at once: whoever is free goes on from the newest checkpoint."""
        self._insist(lease.hand_back)
        self._insist(lambda: self._jobs.requeue(lease.job_id))

    def _stand_down(self, lease: Lease) -> None:
        """Leaves a job that is final or another's; queues it if the lease just went with its session."""
        if lease.alive():
            logger.info("job %s has ended, or another goes on with it", lease.job_id)
            return
        logger.warning("job %s: the lease is over, as after a long silence of the coordinator", lease.job_id)
        lease.release()
        if self._insist(lease.forgive):
            self._insist(lambda: self._jobs.requeue(lease.job_id))

    def _write(self, lease: Lease, change: Change) -> None:
        self._insist(lambda: lease.end(change))

    def _insist(self, asks: Callable[[], Answer]) -> Answer:
        return until_answered(asks, self._stopping)


def _fail(error: Exception, job: pb.Job) -> None:
    job.progress.error.CopyFrom(status_codes.job_error(error))
    advance(job, pb.FAILED)
