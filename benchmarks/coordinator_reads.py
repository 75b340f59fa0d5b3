"""How often a Train reads the coordinator, by how many jobs have finished.

`python -m benchmarks.coordinator_reads`; on a coordinator in memory, since it is counted and not timed.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits.adapters.memory import MemoryCoordinator, MemoryLog, MemoryStore, MemoryTrainQueue
from digits.feedback.labels import Labels
from digits.jobs.admission import Admission
from digits.jobs.cleanup import Cleanup
from digits.jobs.jobs import Jobs, new_job
from digits.models.registry import Registry
from digits.ports import Stored
from digits.v1 import digit_service_pb2, training_pb2

_FINISHED = (10, 10_000)
_CALLER = "benchmark"


class CountingCoordinator(MemoryCoordinator):
    """Counts the nodes and folders that are read."""

    reads = 0

    def get(self, path: str) -> Stored | None:
        """See Coordinator."""
        self.reads += 1
        return super().get(path)

    def get_many(self, paths: Sequence[str]) -> list[Stored | None]:
        """See Coordinator."""
        return [self.get(path) for path in paths]

    def children(self, path: str) -> list[str]:
        """See Coordinator."""
        self.reads += 1
        return super().children(path)


def main() -> None:
    """Prints a row for each number of finished jobs."""
    coordinator, store = CountingCoordinator(), MemoryStore()
    jobs = Jobs(coordinator, MemoryTrainQueue())
    cleanup = Cleanup(jobs, store, MemoryLog())
    print("finished jobs  reads of a Train  reads of a page of 50 jobs")
    with tempfile.TemporaryDirectory() as folder:
        admission = Admission(
            jobs,
            store,
            Path(folder),
            Labels(store, 1),
            find_model=Registry(coordinator).get,
            max_dataset_bytes=1 << 20,
            max_jobs_per_caller=len(_FINISHED),
        )
        for number in _FINISHED:
            _finish(jobs, cleanup, number - len(jobs.names()))
            before = coordinator.reads
            job = admission.admit(_request(number), _CALLER)
            train = coordinator.reads - before
            jobs.cancel(job.job_id)
            cleanup.end(job.job_id)
            before = coordinator.reads
            jobs.newest(50)
            print(f"{number:13,}  {train:16}  {coordinator.reads - before:26}")


def _finish(jobs: Jobs, cleanup: Cleanup, count: int) -> None:
    for _ in range(count):
        job = new_job(training_pb2.TrainSpec(caller=_CALLER))
        jobs.add(job)
        jobs.cancel(job.job_id)
        cleanup.end(job.job_id)


def _request(number: int) -> digit_service_pb2.TrainRequest:
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 10
    file = io.BytesIO()
    np.savez(file, x_train=images[:30], y_train=labels[:30], x_test=images[30:], y_test=labels[30:])
    return digit_service_pb2.TrainRequest(images_batch=file.getvalue(), request_id=f"benchmark {number}")


if __name__ == "__main__":
    main()
