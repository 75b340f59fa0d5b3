"""The ingest window on real Kafka, and a killed driver: the checkpoints in HDFS are the witnesses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from digits import bootstrap
from digits.errors import DigitsError
from digits.offsets import OffsetRanges
from digits.ports import BlockLog
from digits.training.checkpoints import Checkpoints
from digits.v1 import training_pb2 as pb
from tests.service import Service

BLOCKS = -(-2_048 // 64)
# Four micro-batches an epoch, of as many blocks from each of the two partitions; while one is trained, the
# next may come.
MAX_IN_MICRO_BATCH = 8
WINDOW = 2 * MAX_IN_MICRO_BATCH


@dataclass
class Witness:
    """What the store and the log said while a job ran."""

    trained: dict[int, dict[int, OffsetRanges]] = field(default_factory=dict)
    """By epoch and by sequence: the offsets that a checkpoint says are trained."""
    max_unread: int = 0
    """Most blocks in the log at once that no checkpoint had."""

    def look(self, checkpoints: Checkpoints, log: BlockLog, job_id: str) -> None:
        """Looks once. The log is asked first: what is appended after that may be trained by then."""
        appended = sum(log.end_offsets(job_id))
        checkpoint = checkpoints.newest()
        if checkpoint is None and self.trained:
            # The job is being tidied up, and its log is still there.
            return
        ranges = OffsetRanges.from_proto(checkpoint.trained) if checkpoint else OffsetRanges()
        epoch = checkpoint.epoch if checkpoint else 1
        if checkpoint:
            self.trained.setdefault(epoch, {})[checkpoint.sequence] = ranges
        if epoch == 1:
            self.max_unread = max(self.max_unread, appended - ranges.count())


@contextmanager
def watching(service: Service, job_id: str) -> Iterator[Witness]:
    """Looks all the while, until the job's log is gone."""
    settings = service.settings()
    witness, log = Witness(), bootstrap.log(settings)
    checkpoints = Checkpoints(bootstrap.store(settings), job_id)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            with suppress(DigitsError):
                witness.look(checkpoints, log, job_id)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield witness
    finally:
        over.set()
        thread.join()


def start(service: Service) -> str:
    """Starts a job of several epochs and returns its id."""
    with service.client() as client:
        request = {"images_batch_path": "tiny.npz", "recipe": "standard", "promotion": pb.NEVER}
        return next(iter(client.train(**request))).job_id


def test_the_window_holds_and_a_driver_killed_in_a_micro_batch_leaves_no_gap_and_no_overlap(
    trained: Service,
) -> None:
    job_id = start(trained)
    with watching(trained, job_id) as witness, trained.client() as client:
        for progress in client.watch_job(job_id):
            if progress.epoch == 2 and progress.micro_batch % 4 == 1:
                break
        # Progress is told after a commit, so the next micro-batch has begun.
        first_lease_id = client.get_job(job_id).lease_id
        trained.process("train-worker").kill()
        last = list(client.watch_job(job_id))[-1]
        job = client.get_job(job_id)
    assert (last.state, job.attempt_count) == (pb.SUCCEEDED, 1)
    assert job.lease_id > first_lease_id
    assert last.images_trained == 2_048 * last.epochs
    assert 0 < witness.max_unread <= WINDOW
    assert len(witness.trained) == last.epochs
    for by_sequence in witness.trained.values():
        counts = [by_sequence[sequence].count() for sequence in sorted(by_sequence)]
        steps = [later - earlier for earlier, later in zip([0, *counts], counts, strict=False)]
        assert all(step > 0 for step in steps)
        assert counts[-1] <= BLOCKS
        if len(counts) == 4:
            assert max(steps) <= MAX_IN_MICRO_BATCH + 2
