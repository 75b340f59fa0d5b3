"""Training jobs: records in the coordinator, which are the truth about every job."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from digits import clock
from digits.errors import InvalidInput, NotFound, Overloaded, QueueUnavailable, RequestConflict, StaleWrite
from digits.jobs.states import advance, is_final, job_path, lease_path
from digits.limits import MAX_REQUEST_ID_LENGTH
from digits.ports import Coordinator, Create, Replace, Stored, TrainQueue
from digits.v1 import training_pb2 as pb

logger = logging.getLogger(__name__)


class Jobs:
    """Accepts, finds, changes and follows jobs."""

    def __init__(self, coordinator: Coordinator, queue: TrainQueue, max_unfinished_per_caller: int) -> None:
        self._coordinator = coordinator
        self._queue = queue
        self._share = max_unfinished_per_caller
        self._ended: set[str] = set()

    def submit(self, spec: pb.TrainSpec) -> pb.Job:
        """Accepts a job and queues it; for a request_id known already, returns that job.

        Raises RequestConflict where the request_id came with another body before, and Overloaded where the
        caller has its share of jobs that are not final; two calls at the same moment may both get in.
        """
        if spec.request_id and (known := self._known(spec)):
            return known
        self._check_share(spec.caller)
        job = _new_job(spec)
        record = Create(job_path(job.job_id), job.SerializeToString())
        try:
            if spec.request_id:
                self._coordinator.commit(record, Create(_request_path(spec), job.job_id.encode()))
            else:
                self._coordinator.commit(record)
        except StaleWrite:
            if known := self._known(spec):
                return known
            raise
        self._try_to_queue(job.job_id)
        return job

    def get(self, job_id: str) -> pb.Job:
        """Returns a job; raises NotFound."""
        return pb.Job.FromString(self._stored(job_id).value)

    def newest(self, limit: int, before: str = "") -> list[pb.Job]:
        """Returns up to `limit` jobs, newest first, older than the job named `before`."""
        names = [name for name in self._coordinator.children("/jobs") if not before or name < before]
        return [self.get(name) for name in reversed(names[-limit:])]

    def unfinished(self) -> list[pb.Job]:
        """Every job that is not final, oldest first."""
        names = self._coordinator.children("/jobs")
        # A job that ended stays so, and is not read again.
        self._ended.intersection_update(names)
        jobs = [self.get(name) for name in names if name not in self._ended]
        self._ended.update(job.job_id for job in jobs if is_final(job))
        return [job for job in jobs if not is_final(job)]

    def edit(self, job_id: str, change: Callable[[pb.Job], None]) -> pb.Job:
        """Reads, changes and writes a job until nobody else wrote in between; returns what was written."""
        while True:
            stored = self._stored(job_id)
            job = pb.Job.FromString(stored.value)
            change(job)
            value = job.SerializeToString()
            if value == stored.value:
                return job
            try:
                self._coordinator.commit(Replace(job_path(job_id), value, stored.version))
            except StaleWrite:
                continue
            return job

    def cancel(self, job_id: str) -> pb.Job:
        """Asks a job to stop: at once where no trainer has it, else at its next micro-batch."""

        def request(job: pb.Job) -> None:
            if is_final(job):
                return
            job.cancel_requested = True
            if job.state == pb.QUEUED:
                advance(job, pb.CANCELLED)

        return self.edit(job_id, request)

    def requeue(self, job_id: str) -> None:
        """Hands a job to the queue once more."""
        self.edit(job_id, lambda job: job.enqueue_time.CopyFrom(clock.now()))
        self._try_to_queue(job_id)

    def is_leased(self, job_id: str) -> bool:
        """Whether a live trainer has the job."""
        return self._coordinator.get(lease_path(job_id)) is not None

    def watch(self, job_id: str, changed: Callable[[pb.Job], None]) -> Callable[[], None]:
        """Calls `changed` with the job now and after every change; returns what ends it. Raises NotFound."""
        self._stored(job_id)

        def on_change(stored: Stored | None) -> None:
            if stored:
                changed(pb.Job.FromString(stored.value))

        return self._coordinator.watch(job_path(job_id), on_change)

    def _stored(self, job_id: str) -> Stored:
        if not _is_name(job_id):
            raise NotFound("job", job_id)
        stored = self._coordinator.get(job_path(job_id))
        if stored is None:
            raise NotFound("job", job_id)
        return stored

    def _check_share(self, caller: str) -> None:
        if sum(job.spec.caller == caller for job in self.unfinished()) >= self._share:
            raise Overloaded(
                f"{caller} has {self._share} jobs that are not finished", retry_after_seconds=10.0
            )

    def _known(self, spec: pb.TrainSpec) -> pb.Job | None:
        if not spec.request_id:
            return None
        stored = self._coordinator.get(_request_path(spec))
        if stored is None:
            return None
        job = self.get(stored.value.decode())
        if job.spec.fingerprint != spec.fingerprint:
            raise RequestConflict("request_id", "was used before, with another request")
        return job

    def _try_to_queue(self, job_id: str) -> None:
        try:
            self._queue.enqueue(job_id)
        except QueueUnavailable as error:
            logger.warning("job %s waits until the queue is back: %s", job_id, error)


def check_request_id(request_id: str) -> None:
    """Raises InvalidInput where a request_id cannot be one."""
    if len(request_id) > MAX_REQUEST_ID_LENGTH or not request_id.isprintable():
        raise InvalidInput("request_id", f"at most {MAX_REQUEST_ID_LENGTH} printable characters")


def _is_name(job_id: str) -> bool:
    return job_id.replace("-", "").isalnum() and job_id.isascii() and len(job_id) <= 64


def _request_path(spec: pb.TrainSpec) -> str:
    return f"/requests/{hashlib.sha256(spec.request_id.encode()).hexdigest()}"


def _new_job(spec: pb.TrainSpec) -> pb.Job:
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S%f")[:-3]
    job = pb.Job(job_id=f"{moment}-{secrets.token_hex(3)}", spec=spec)
    job.create_time.CopyFrom(clock.now())
    job.enqueue_time.CopyFrom(job.create_time)
    job.progress.job_id = job.job_id
    advance(job, pb.QUEUED)
    return job
