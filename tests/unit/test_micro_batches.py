"""How long a training took, by its micro-batches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits.errors import HandedOver
from digits.jobs.states import advance
from digits.offsets import OffsetRanges
from digits.signals.metrics.training import STRAGGLERS
from digits.training.checkpoints import Checkpoints
from digits.training.local_sgd import PartitionResult
from digits.training.recipes import FAST
from digits.v1 import training_pb2 as pb
from spark_jobs.micro_batches import MicroBatches
from spark_jobs.plan import Plan
from spark_jobs.progress import ProgressReport
from spark_jobs.training import TrainingRun
from spark_jobs.training_state import TrainingState
from tests.unit.job_bench import Bench

IMAGES = 20_000
FEED: Any = SimpleNamespace(
    mark_begun=lambda *_: None,
    mark_trained=lambda *_: None,
    has_outgrown_its_query=lambda _: False,
    images_ingested=int,
    backlog_images=int,
    window_images=int,
)


class Course:
    """A training of 20,000 images, two blocks of 10,000 a micro-batch, on a clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench, self.seconds = Bench(), 0.0
        self.job, self.lease = self.bench.leased()
        monkeypatch.setattr("spark_jobs.micro_batches.time", SimpleNamespace(monotonic=lambda: self.seconds))
        self.micro_batches = self.begin(TrainingState({"w": np.zeros(1, np.float32)}))

    def begin(self, state: TrainingState, checkpoint_every: int = 1) -> MicroBatches:
        begun = MicroBatches(
            plan=Plan(FAST, IMAGES, 1),
            seed=1,
            max_seconds=15.0,
            checkpoint_every=checkpoint_every,
            state=state,
            lease=self.lease,
            checkpoints=Checkpoints(self.bench.store, self.job.job_id),
            feed=FEED,
            report=ProgressReport(self.lease),
        )
        begun.start()
        return begun

    def pass_seconds(self, seconds: float) -> None:
        self.seconds += seconds

    def train(self, monkeypatch: pytest.MonkeyPatch, seconds: float, images: int) -> None:
        """One micro-batch of so many images that takes so long."""

        def trained(micro_batches: MicroBatches, _: object) -> list[PartitionResult]:
            self.pass_seconds(seconds)
            offsets = OffsetRanges.of([(0, micro_batches.state.micro_batch)])
            return [PartitionResult({"w": np.ones(1, np.float32)}, images, 0.1, images, offsets)]

        monkeypatch.setattr(MicroBatches, "_train_partitions", trained)
        self.micro_batches.train(SimpleNamespace())  # type: ignore[arg-type]

    def newest(self) -> tuple[int, int]:
        """The micro-batch of the newest checkpoint, or 0, and its images by the job's record."""
        checkpoint = Checkpoints(self.bench.store, self.job.job_id).newest()
        images = self.bench.jobs.get(self.job.job_id).images_committed
        return (checkpoint.micro_batch if checkpoint else 0), images

    def progress(self) -> pb.TrainProgress:
        return self.bench.jobs.get(self.job.job_id).progress


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> Course:
    return Course(monkeypatch)


@pytest.mark.parametrize("end", [pb.SUCCEEDED, pb.FAILED, pb.CANCELLED])
def test_a_jobs_end_tells_the_pace_of_its_whole_training(
    course: Course, monkeypatch: pytest.MonkeyPatch, end: pb.JobState
) -> None:
    course.train(monkeypatch, seconds=4.0, images=10_000)
    course.pass_seconds(1.0)
    course.train(monkeypatch, seconds=5.0, images=500)
    assert course.progress().images_per_second == 100
    course.lease.end(lambda job: advance(job, end))
    assert (course.progress().training_seconds, course.progress().images_per_second) == (10.0, 1_050)


def test_the_seconds_of_a_training_go_on_from_its_checkpoint(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.train(monkeypatch, seconds=4.0, images=10_000)
    checkpoint = Checkpoints(course.bench.store, course.job.job_id).newest()
    assert checkpoint
    course.pass_seconds(3_600.0)
    course.micro_batches = course.begin(TrainingState.from_proto(checkpoint))
    course.train(monkeypatch, seconds=6.0, images=10_000)
    assert course.progress().training_seconds == 10.0


def test_a_checkpoint_comes_every_so_many_micro_batches_and_with_the_epochs_end(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.micro_batches = course.begin(course.micro_batches.state, checkpoint_every=3)
    came = []
    for _ in range(7):
        course.train(monkeypatch, seconds=1.0, images=10)
        came.append(course.newest())
    assert came == [(0, 0), (0, 0), (3, 30), (3, 30), (3, 30), (6, 60), (6, 60)]
    assert course.progress().images_trained == 70
    monkeypatch.setattr(MicroBatches, "epoch_is_over", lambda _: True)
    course.train(monkeypatch, seconds=1.0, images=10)
    assert course.newest() == (8, 80)


def test_what_is_handed_over_is_committed_once(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    course.micro_batches = course.begin(course.micro_batches.state, checkpoint_every=3)
    course.train(monkeypatch, seconds=1.0, images=10)

    def stop(_: TrainingRun) -> None:
        raise HandedOver("job")

    monkeypatch.setattr(TrainingRun, "_run", stop)
    run = TrainingRun.__new__(TrainingRun)
    run._micro_batches = course.micro_batches
    # A name of the store is used once: a second checkpoint of the same state would raise.
    for _ in range(2):
        with pytest.raises(HandedOver):
            run.run()
        assert course.newest()[0] == 1


def test_a_job_that_never_trained_has_no_pace(course: Course) -> None:
    course.lease.end(lambda job: advance(job, pb.FAILED))
    assert course.progress().images_per_second == 0


def test_a_query_of_small_micro_batches_ends_once_they_may_be_twice_as_large(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(micro_batches: MicroBatches, _: object) -> list[PartitionResult]:
        course.pass_seconds(1.0)
        offsets = OffsetRanges.of([(0, micro_batches.state.micro_batch)])
        return [PartitionResult({"w": np.ones(1, np.float32)}, 64, 0.1, 64, offsets)]

    monkeypatch.setattr(MicroBatches, "_train_partitions", trained)
    assert not course.micro_batches.train(SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.setattr(FEED, "has_outgrown_its_query", lambda _: True)
    assert course.micro_batches.train(SimpleNamespace())  # type: ignore[arg-type]
    assert not course.micro_batches.epoch_is_over()


def test_what_a_slow_partition_left_ends_the_query_and_not_the_epoch(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> list[PartitionResult]:
        course.pass_seconds(15.0)
        offsets = OffsetRanges.of([(0, 0), (0, 1)])
        return [PartitionResult({"w": np.ones(1, np.float32)}, 128, 0.1, 128, offsets, left_block_count=3)]

    monkeypatch.setattr(MicroBatches, "_train_partitions", cut_off)
    before = STRAGGLERS._value.get()
    assert course.micro_batches.train(SimpleNamespace())  # type: ignore[arg-type]
    assert not course.micro_batches.epoch_is_over()
    assert course.micro_batches.state.trained.count() == 2
    assert STRAGGLERS._value.get() == before + 1
