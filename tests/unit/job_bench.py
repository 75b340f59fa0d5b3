"""Jobs, their leases and their reconciler over parts in memory: what the tests of digits/jobs share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from digits.adapters.memory import (
    MemoryCoordinator,
    MemoryLog,
    MemoryStore,
    MemoryTrainQueue,
    MemoryTree,
)
from digits.jobs.cleanup import Cleanup
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.leases import Lease
from digits.jobs.reconciler import Reconciler
from digits.ports import Stored
from digits.v1 import training_pb2 as pb

ATTEMPTS = 3
MAX_HOURS = 2.0


class CountingCoordinator(MemoryCoordinator):
    """Counts how often it is read."""

    reads = 0

    def get(self, path: str) -> Stored | None:
        self.reads += 1
        return super().get(path)

    def children(self, path: str) -> list[str]:
        self.reads += 1
        return super().children(path)


class Bench:
    """Two sessions on one tree: a server's and a trainer's."""

    def __init__(self) -> None:
        self.tree = MemoryTree()
        self.queue = MemoryTrainQueue()
        self.store, self.log = MemoryStore(), MemoryLog()
        self.coordinator = CountingCoordinator(self.tree)
        self.jobs = Jobs(self.coordinator, self.queue)
        self.cleanup = Cleanup(self.jobs, self.store, self.log)
        self.worker("one")
        self.reconciler = Reconciler(self.jobs, self.coordinator, ATTEMPTS, MAX_HOURS)

    def worker(self, name: str, idle_seconds: float | None = None) -> None:
        """Announces a train worker; it is busy unless it says since when it waits."""
        status = pb.WorkerStatus(role="train")
        if idle_seconds is not None:
            status.idle_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=idle_seconds))
        path = f"/workers/train/{name}"
        self.tree.nodes.pop(path, None)
        self.coordinator.create_ephemeral(path, status.SerializeToString())

    def trainer(self) -> MemoryCoordinator:
        return MemoryCoordinator(self.tree)

    def submit(self, **fields: str) -> pb.Job:
        job = new_job(pb.TrainSpec(images_batch_path="mnist.npz", recipe="fast", **fields))
        self.jobs.add(job)
        return job

    def lease(self, job_id: str, trainer: MemoryCoordinator | None = None) -> Lease | None:
        return Lease.take(self.jobs, trainer or self.trainer(), job_id, ATTEMPTS)

    def leased(self) -> tuple[pb.Job, Lease]:
        job = self.submit()
        lease = self.lease(job.job_id)
        assert lease
        return job, lease

    def pass_last_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Has what nobody spoke for again since the last look be given up."""
        for seconds in (0, 11):
            monkeypatch.setattr("digits.jobs.ages.time", SimpleNamespace(monotonic=lambda now=seconds: now))
            self.reconciler.reconcile()

    def age(self, job_id: str, seconds: float) -> None:
        """Has the job's last message be that old."""
        then = datetime.now(UTC) - timedelta(seconds=seconds)
        self.jobs.edit(job_id, lambda job: job.enqueue_time.FromDatetime(then))

    def spoil(self, path: str) -> None:
        """Has a record be what nobody can read."""
        self.tree.nodes[path] = Stored(b"\xff junk", 0)

    def open_jobs(self) -> list[str]:
        """What the index holds."""
        return self.coordinator.children("/open")

    def count_reads(self) -> Callable[[], int]:
        """Returns what tells how often the server's session has read since."""
        before = self.coordinator.reads
        return lambda: self.coordinator.reads - before

    def leave_things(self, job_id: str) -> None:
        """Has a job own an upload, a checkpoint and a log."""
        upload = f"uploads/{job_id}.npz"
        self.jobs.edit(job_id, lambda job: setattr(job.spec, "upload", upload))
        self.store.publish(upload, b"images")
        self.store.publish(f"checkpoints/{job_id}/1.checkpoint", b"")
        self.log.create(job_id, 1)

    def things(self) -> list[str]:
        """Everything in the store and the log."""
        kept = [self.store.names("uploads"), self.store.folders("checkpoints"), self.log.jobs()]
        return [name for names in kept for name in names]


def raising(error: Exception) -> Callable[..., None]:
    """What raises an error whatever it is asked."""

    def ask(*_: object) -> None:
        raise error

    return ask
