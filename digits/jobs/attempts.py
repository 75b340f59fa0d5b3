"""How often a job may take its worker down.

An attempt is charged when it begins, since a worker that is killed cannot charge it later. It is forgiven if
its worker lives to say that the job was not at fault, and all are once the job got further.
"""

from __future__ import annotations

from digits.v1 import training_pb2 as pb

# With the breath that a worker takes after each, two minutes.
_MAX_SILENCES = 20


def in_vain(job: pb.Job) -> int:
    """How many attempts in a row ended without a word and without a new checkpoint."""
    return 0 if _got_further(job) else len(job.charged_lease_ids)


def charge(job: pb.Job, lease_id: int) -> None:
    """Counts the attempt that begins with a lease."""
    if _got_further(job):
        job.silence_count = 0
    if _got_further(job) or not job.charged_lease_ids:
        del job.charged_lease_ids[:]
        job.images_at_first_attempt = job.images_committed
    job.charged_lease_ids.append(lease_id)
    job.attempt_count = len(job.charged_lease_ids)


def forgive(job: pb.Job, lease_id: int) -> None:
    """Takes an attempt back; does nothing if it does not count any more."""
    if lease_id in job.charged_lease_ids:
        job.charged_lease_ids.remove(lease_id)
        job.attempt_count = len(job.charged_lease_ids)


def forgive_silence(job: pb.Job, lease_id: int) -> None:
    """The same for an attempt that a system's silence ended, so often in a row and no oftener.

    A system that is always silent about this one job, and answers everybody else, must not keep it for ever.
    """
    if lease_id in job.charged_lease_ids and job.silence_count < _MAX_SILENCES:
        job.silence_count += 1
        forgive(job, lease_id)


def _got_further(job: pb.Job) -> bool:
    return job.images_committed > job.images_at_first_attempt
