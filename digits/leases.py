"""Who runs a job: a lease that ends with its holder's session and fences what an older holder writes."""

from __future__ import annotations

from collections.abc import Callable

from digits.errors import Cancelled, GaveUp, LeaseLost
from digits.jobs import Jobs, is_final, job_path, lease_path
from digits.ports import Coordinator, Hold, Replace
from digits.v1 import training_pb2 as pb


class Lease:
    """The right to run one job. Every write checks that no newer lease has written."""

    def __init__(self, jobs: Jobs, coordinator: Coordinator, job_id: str, hold: Hold) -> None:
        self._jobs, self._coordinator, self._hold = jobs, coordinator, hold
        self.job_id = job_id
        self.number = hold.number

    @classmethod
    def take(
        cls, jobs: Jobs, coordinator: Coordinator, job_id: str, holder: str, attempts: int
    ) -> Lease | None:
        """Takes a job that is not final and that nobody holds, else returns None.

        Raises GaveUp where `attempts` workers have had the job and none finished it.
        """
        if is_final(jobs.get(job_id)):
            return None
        hold = coordinator.hold(lease_path(job_id), holder.encode())
        if hold is None:
            return None
        lease = cls(jobs, coordinator, job_id, hold)
        try:
            lease._sign(attempts)
        except Exception:
            lease.release()
            raise
        return lease

    def edit(self, change: Callable[[pb.Job], None]) -> pb.Job:
        """Changes the job's record; raises LeaseLost, or Cancelled where somebody asked for it."""

        def fenced(job: pb.Job) -> None:
            self._check(job)
            if job.cancel_requested:
                raise Cancelled("the job was cancelled")
            change(job)

        return self._jobs.edit(self.job_id, fenced)

    def end(self, change: Callable[[pb.Job], None]) -> pb.Job:
        """Changes the job's record for the last time, even where it was asked to stop; raises LeaseLost."""

        def fenced(job: pb.Job) -> None:
            self._check(job)
            change(job)

        return self._jobs.edit(self.job_id, fenced)

    def replacement(self, change: Callable[[pb.Job], None]) -> Replace:
        """The same change as an operation of a larger commit; raises LeaseLost, Cancelled."""
        stored = self._coordinator.get(job_path(self.job_id))
        if stored is None:
            raise LeaseLost(self.job_id)
        job = pb.Job.FromString(stored.value)
        self._check(job)
        if job.cancel_requested:
            raise Cancelled("the job was cancelled")
        change(job)
        return Replace(job_path(self.job_id), job.SerializeToString(), stored.version)

    def hand_back(self) -> None:
        """Gives the job up without blame, so that this attempt does not count."""
        self.end(lambda job: setattr(job, "attempt_count", max(0, job.attempt_count - 1)))
        self.release()

    def release(self) -> None:
        """Lets others take the job."""
        self._hold.release()

    def _check(self, job: pb.Job) -> None:
        if not self._hold.alive() or job.lease_id != self.number or is_final(job):
            raise LeaseLost(self.job_id)

    def _sign(self, attempts: int) -> None:
        def sign(job: pb.Job) -> None:
            if is_final(job) or job.lease_id > self.number:
                raise LeaseLost(self.job_id)
            if job.attempt_count >= attempts:
                raise GaveUp(f"gave up: {job.attempt_count} workers died on this job")
            job.lease_id = self.number
            job.attempt_count += 1

        self._jobs.edit(self.job_id, sign)
