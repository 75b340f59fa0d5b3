"""Sees to it that no accepted job is forgotten: the queue may lose or repeat messages, the record may not."""

from __future__ import annotations

import logging

from digits import clock, status_codes
from digits.background import BackgroundLoop
from digits.errors import GaveUp
from digits.jobs.jobs import Jobs
from digits.jobs.states import advance, is_final
from digits.ports import Coordinator, EphemeralNode
from digits.v1 import training_pb2 as pb

logger = logging.getLogger(__name__)

_PERIOD_SECONDS = 2.0
# A message that was just sent has this long to reach a worker before it is sent again.
_GRACE_SECONDS = 5.0
# A queued job behind another waits for its turn; only a lost message leaves it waiting while nobody works.
_QUEUED_GRACE_SECONDS = 30.0


class Reconciler:
    """One of the servers, under election, queues again what lost its trainer."""

    def __init__(self, jobs: Jobs, coordinator: Coordinator, attempts: int) -> None:
        self._jobs, self._coordinator, self._attempts = jobs, coordinator, attempts
        self._leadership: EphemeralNode | None = None
        self.loop = BackgroundLoop("reconciler", self.turn, _PERIOD_SECONDS)

    def start(self) -> None:
        """Starts on a thread of its own."""
        self.loop.start()

    def stop(self) -> None:
        """Stops and lets another server take over."""
        self.loop.stop()

    def turn(self) -> None:
        """Looks after the jobs if elected."""
        if self._elected():
            self.reconcile()

    def reconcile(self) -> None:
        """Looks at each job that is not final once."""
        jobs = self._jobs.unfinished()
        orphans = [job for job in jobs if not self._jobs.is_leased(job.job_id)]
        nobody_works = len(orphans) == len(jobs)
        # Without a worker another message would only wait beside the first.
        worker_there = bool(self._coordinator.children("/workers/train"))
        for job in orphans:
            if job.cancel_requested:
                self._jobs.edit(job.job_id, _cancelled)
            elif job.attempt_count >= self._attempts:
                self._jobs.edit(job.job_id, self._give_up)
            elif worker_there and _waited_too_long(job, nobody_works):
                logger.info("job %s has no trainer; queued again", job.job_id)
                self._jobs.requeue(job.job_id)

    def _give_up(self, job: pb.Job) -> None:
        if is_final(job):
            return
        reason = job.last_problem or "each attempt ended without a word, as when a worker is killed"
        error = GaveUp(f"gave up after {job.attempt_count} attempts: {reason}")
        job.progress.error.CopyFrom(status_codes.job_error(error))
        advance(job, pb.FAILED)

    def _elected(self) -> bool:
        if self._leadership is None or not self._leadership.alive():
            self._leadership = self._coordinator.create_ephemeral("/reconciler", b"")
        return self._leadership is not None


def _cancelled(job: pb.Job) -> None:
    if not is_final(job):
        advance(job, pb.CANCELLED)


def _waited_too_long(job: pb.Job, nobody_works: bool) -> bool:
    waited = clock.seconds_since(job.enqueue_time)
    if job.attempt_count == 0:
        return nobody_works and waited > _QUEUED_GRACE_SECONDS
    return waited > _GRACE_SECONDS
