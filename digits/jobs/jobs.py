"""Training jobs: records in the coordinator, which are the truth about every job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from digits import clock
from digits.errors import Corrupt, NotFound, QueueUnavailable, StaleWrite, WrongPageToken
from digits.jobs.history import without_course
from digits.jobs.ids import age_seconds, may_be_job_id, new_job_id
from digits.jobs.open_index import OpenIndex
from digits.jobs.states import (
    advance,
    is_final,
    job_path,
    lease_path,
    request_path,
)
from digits.ports import Coordinator, Create, Replace, Stored, TrainQueue
from digits.records import RecordReader
from digits.signals.metrics import jobs as measured
from digits.v1 import training_pb2 as pb

logger = logging.getLogger(__name__)

# Records that are asked for together: at most 5 MB.
_AT_ONCE = 200


class Jobs:
    """Records, finds, changes and follows jobs."""

    def __init__(self, coordinator: Coordinator, queue: TrainQueue) -> None:
        self._coordinator, self._queue = coordinator, queue
        self._closed: set[str] = set()
        self.index = OpenIndex(coordinator)
        self._records = RecordReader(pb.Job)

    def add(self, job: pb.Job) -> None:
        """Records and queues a new job; raises StaleWrite if its request_id names another one."""
        nodes = [Create(job_path(job.job_id), job.SerializeToString()), self.index.entry(job.job_id)]
        if job.spec.request_id:
            nodes.append(Create(request_path(job.spec), job.job_id.encode()))
        self._coordinator.commit(*nodes)
        self._try_to_queue(job.job_id)

    def get(self, job_id: str) -> pb.Job:
        """Returns a job; raises NotFound, Corrupt."""
        return self.read(job_id, self._stored(job_id))

    def read(self, job_id: str, stored: Stored) -> pb.Job:
        """A job from its record; raises Corrupt."""
        job = self._records.parse(job_path(job_id), stored)
        if job is None or job.job_id != job_id:
            raise Corrupt(f"{job_path(job_id)} holds no record of that job: remove or restore it")
        return job

    def unreadable_count(self) -> int:
        """How many records were found to be junk."""
        return self._records.unreadable_count()

    def of_request(self, spec: pb.TrainSpec) -> pb.Job | None:
        """The job that the caller's request_id names already; raises Corrupt."""
        if not spec.request_id:
            return None
        named = self._coordinator.get(request_path(spec))
        return self.get(named.value.decode()) if named else None

    def newest(self, limit: int, before: str = "", caller: str = "") -> list[pb.Job]:
        """Returns up to `limit` jobs, newest first: those older than `before`, and of one caller if named.

        Without the course that each has: a thousand of them would be 25 MB. Raises InvalidInput if `before`
        is no job's id.
        """
        known = self.names()
        # It may have been pruned meanwhile.
        if before and before not in known and age_seconds(before) is None:
            raise WrongPageToken(before)
        names = [name for name in reversed(known) if not before or name < before]
        jobs = map(without_course, self._readable(names, at_once=min(limit, _AT_ONCE)))
        return list(islice((job for job in jobs if not caller or job.spec.caller == caller), limit))

    def names(self) -> list[str]:
        """The ids of all jobs, oldest first."""
        return self._coordinator.children("/jobs")

    def open(self) -> list[pb.Job]:
        """Every job that is not final, or not tidied up, oldest first."""
        return list(self._readable(self.index.names()))

    def unfinished(self) -> list[pb.Job]:
        """Every job that is not final, oldest first."""
        return [job for job in self.open() if not is_final(job)]

    def mend_index(self) -> None:
        """Adds the unfinished jobs that no index knows: those of a version of this service without one."""
        names = self.names()
        self._closed.intersection_update(names)
        known = self._closed.union(self.index.names())
        for job in self._readable([name for name in names if name not in known]):
            if is_final(job):
                self._closed.add(job.job_id)
            else:
                self.index.enter(job.job_id)

    def edit(self, job_id: str, change: Callable[[pb.Job], None]) -> pb.Job:
        """Reads, changes and writes a job until nobody else wrote in between; returns what was written."""
        while True:
            stored = self._stored(job_id)
            job = self.read(job_id, stored)
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
        """Asks a job to stop: at once if no trainer has it, else at its next micro-batch."""

        ended = False

        def request(job: pb.Job) -> None:
            nonlocal ended
            ended = job.state == pb.QUEUED
            if is_final(job):
                return
            job.cancel_requested = True
            if ended:
                advance(job, pb.CANCELLED)

        job = self.edit(job_id, request)
        if ended:
            measured.count_ended(job.state)
        return job

    def requeue(self, job_id: str) -> bool:
        """Hands a job to the queue once more; returns whether the queue was there."""
        sent = self._try_to_queue(job_id)
        measured.REQUEUED.inc(sent)

        def note(job: pb.Job) -> None:
            job.enqueue_time.CopyFrom(clock.now())
            job.enqueue_count += sent

        self.edit(job_id, note)
        return sent

    def is_leased(self, job_id: str) -> bool:
        """Whether a live trainer has the job."""
        return self._coordinator.get(lease_path(job_id)) is not None

    def leased(self, job_ids: Sequence[str]) -> set[str]:
        """Those of the jobs that a live trainer has."""
        nodes = self._coordinator.get_many([lease_path(job_id) for job_id in job_ids])
        return {job_id for job_id, node in zip(job_ids, nodes, strict=True) if node}

    def watch(self, job_id: str, changed: Callable[[pb.Job], None]) -> Callable[[], None]:
        """Calls `changed` with the job now and after every change; returns what ends it. Raises NotFound.

        A final job is told once, at once, and costs no watch: nothing will happen to it any more.
        """
        job = self.get(job_id)
        if is_final(job):
            changed(job)
            return lambda: None

        def on_change(stored: Stored | None) -> None:
            if stored and (job := self._read_or_skip(job_id, stored)):
                changed(job)

        return self._coordinator.watch(job_path(job_id), on_change)

    def _stored(self, job_id: str) -> Stored:
        stored = self._coordinator.get(job_path(job_id)) if may_be_job_id(job_id) else None
        if stored is None:
            raise NotFound("job", job_id)
        return stored

    def _read_or_skip(self, job_id: str, stored: Stored) -> pb.Job | None:
        try:
            return self.read(job_id, stored)
        except Corrupt:
            return None  # The log says so once.

    def _readable(self, names: Sequence[str], at_once: int = _AT_ONCE) -> Iterator[pb.Job]:
        """Those of the jobs that can be read and were not pruned since their names were read."""
        for first in range(0, len(names), at_once):
            some = names[first : first + at_once]
            nodes = self._coordinator.get_many([job_path(name) for name in some])
            for name, stored in zip(some, nodes, strict=True):
                if stored and (job := self._read_or_skip(name, stored)):
                    yield job

    def _try_to_queue(self, job_id: str) -> bool:
        try:
            self._queue.enqueue(job_id)
        except QueueUnavailable as error:
            logger.warning("job %s waits until the queue is back: %s", job_id, error)
            return False
        return True


def new_job(spec: pb.TrainSpec) -> pb.Job:
    """A job as it begins, with a name of its own."""
    job = pb.Job(job_id=new_job_id(), spec=spec)
    job.create_time.CopyFrom(clock.now())
    job.enqueue_time.CopyFrom(job.create_time)
    job.progress.job_id = job.job_id
    advance(job, pb.QUEUED)
    return job
