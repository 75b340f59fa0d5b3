"""Who runs a job: a lease that ends with its holder's session and fences what an older holder writes."""

from __future__ import annotations

from collections.abc import Callable

from digits import clock
from digits.errors import Cancelled, Corrupt, LeaseLost, NotFound, Unavailable
from digits.jobs import attempts
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

    @classmethod
    def take(cls, jobs: Jobs, coordinator: Coordinator, job_id: str, max_attempts: int) -> Lease | None:
        """Takes a job that is not final, that nobody holds and that may be tried once more.

        Returns None for any other, and for a message of a job that is gone: whoever called has nothing to do.
        Raises Unavailable if nothing was taken.
        """
        try:
            job = jobs.get(job_id)
        except (NotFound, Corrupt):
            return None
        if is_final(job) or attempts.in_vain(job) >= max_attempts:
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
        """Changes the job's record; raises LeaseLost, or Cancelled if somebody asked for that."""
        return self._jobs.edit(self.job_id, self._unless_cancelled(change))

    def end(self, change: Change) -> pb.Job:
        """Changes the job's record even if it was asked to stop; raises LeaseLost."""
        return self._jobs.edit(self.job_id, self._fenced(change))

    def replacement(self, change: Change) -> Replace:
        """The same as `edit`, as an operation of a larger commit."""
        stored = self._coordinator.get(job_path(self.job_id))
        if stored is None:
            raise LeaseLost(self.job_id)
        job = self._jobs.read(self.job_id, stored)
        self._unless_cancelled(change)(job)
        return Replace(job_path(self.job_id), job.SerializeToString(), stored.version)

    def hand_back(self) -> None:
        """Gives the job up without blame. Repeated, it changes nothing; raises LeaseLost."""
        self.end(lambda job: attempts.forgive(job, self.number))
        self.release()

    def forgive(self) -> bool:
        """Has this attempt not count, also after the lease was lost: its worker lives to say so.

        Returns whether the job waits for somebody to go on with it. Repeated, it changes nothing.
        """
        waits = False

        def change(job: pb.Job) -> None:
            nonlocal waits
            waits = not is_final(job) and job.lease_id <= self.number
            if not is_final(job):
                attempts.forgive(job, self.number)

        self._jobs.edit(self.job_id, change)
        return waits

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
            job.lease_id = self.number
            job.enqueue_count = 0
            if not job.HasField("start_time"):
                job.start_time.CopyFrom(clock.now())
            attempts.charge(job, self.number)
