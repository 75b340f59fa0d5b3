"""Who runs a job: a lease that ends with its holder's session and fences what an older holder writes."""

from __future__ import annotations

from collections.abc import Callable

from digits.errors import Cancelled, LeaseLost, Unavailable
from digits.jobs.jobs import Jobs
from digits.jobs.states import is_final, job_path, lease_path
from digits.ports import Coordinator, EphemeralNode, Replace
from digits.v1 import training_pb2 as pb

Change = Callable[[pb.Job], None]


class Lease:
    """The right to run one job. Every write checks that no newer lease has written."""

    def __init__(self, jobs: Jobs, coordinator: Coordinator, job_id: str, node: EphemeralNode) -> None:
        self._jobs, self._coordinator, self._node = jobs, coordinator, node
        self.job_id = job_id
        self.number = node.number
        self._attempts_before = 0

    @classmethod
    def take(cls, jobs: Jobs, coordinator: Coordinator, job_id: str, attempts: int) -> Lease | None:
        """Takes a job that is not final, that nobody holds and that was tried less than `attempts` times.

        Returns None for any other: whoever called has nothing to do. Raises Unavailable if nothing was taken.
        """
        job = jobs.get(job_id)
        if is_final(job) or job.attempt_count >= attempts:
            return None
        node = coordinator.create_ephemeral(lease_path(job_id), b"")
        if node is None:
            return None
        lease = cls(jobs, coordinator, job_id, node)
        try:
            jobs.edit(job_id, lease._sign)
        except Unavailable:
            # It may have been written or not. The lease is there, and its next write signs if need be.
            return lease
        except Exception as error:
            lease.release()
            if isinstance(error, LeaseLost):
                return None
            raise
        return lease

    def alive(self) -> bool:
        """Whether the lease surely is there still; once false, false for ever."""
        return self._node.alive()

    def check(self) -> None:
        """Raises LeaseLost once the lease is over: whoever works under it stops at once."""
        if not self.alive():
            raise LeaseLost(self.job_id)

    def edit(self, change: Change) -> pb.Job:
        """Changes the job's record; raises LeaseLost, or Cancelled where somebody asked for that."""
        return self._jobs.edit(self.job_id, self._unless_cancelled(change))

    def end(self, change: Change) -> pb.Job:
        """Changes the job's record even where it was asked to stop; raises LeaseLost."""
        return self._jobs.edit(self.job_id, self._fenced(change))

    def replacement(self, change: Change) -> Replace:
        """The same as `edit`, as an operation of a larger commit."""
        stored = self._coordinator.get(job_path(self.job_id))
        if stored is None:
            raise LeaseLost(self.job_id)
        job = pb.Job.FromString(stored.value)
        self._unless_cancelled(change)(job)
        return Replace(job_path(self.job_id), job.SerializeToString(), stored.version)

    def hand_back(self) -> None:
        """Gives the job up without blame: this attempt does not count. Repeated, it changes nothing."""
        self.end(lambda job: setattr(job, "attempt_count", min(job.attempt_count, self._attempts_before)))
        self.release()

    def forgive(self) -> bool:
        """Takes back the attempt that ended with the lease; returns whether nobody has begun another."""
        is_free = False

        def uncharge(job: pb.Job) -> None:
            nonlocal is_free
            is_free = not is_final(job) and job.lease_id <= self.number
            if not is_final(job) and job.lease_id >= self.number:
                job.attempt_count = max(0, job.attempt_count - 1)

        self._jobs.edit(self.job_id, uncharge)
        return is_free

    def release(self) -> None:
        """Lets others take the job."""
        self._node.release()

    def _unless_cancelled(self, change: Change) -> Change:
        def checked(job: pb.Job) -> None:
            if job.cancel_requested:
                raise Cancelled("the job was cancelled")
            change(job)

        return self._fenced(checked)

    def _fenced(self, change: Change) -> Change:
        def fenced(job: pb.Job) -> None:
            self.check()
            self._sign(job)
            change(job)

        return fenced

    def _sign(self, job: pb.Job) -> None:
        if is_final(job) or job.lease_id > self.number:
            raise LeaseLost(self.job_id)
        if job.lease_id < self.number:
            self._attempts_before = job.attempt_count
            job.lease_id = self.number
            job.attempt_count += 1
