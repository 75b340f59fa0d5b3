"""What a job's record keeps of its course."""

from __future__ import annotations

import itertools

import pytest

from digits.jobs import history
from digits.jobs.history import MAX_POINTS, MAX_RESUMPTIONS, Took
from digits.v1 import training_pb2 as pb
from spark_jobs.progress import ProgressReport
from tests.unit.job_bench import Bench

TOOK = Took(seconds=4.0, merge_seconds=0.25, commit_seconds=0.5)


def trained(micro_batches: int) -> pb.Job:
    """A job after so many micro-batches of 100 images."""
    job = pb.Job(job_id="j1")
    for number in range(1, micro_batches + 1):
        job.progress.micro_batch, job.progress.images_trained = number, 100 * number
        history.note_micro_batch(job, TOOK)
    return job


def test_a_job_keeps_what_each_of_its_micro_batches_was_like(monkeypatch: pytest.MonkeyPatch) -> None:
    job = pb.Job(job_id="j1")
    job.start_time.FromSeconds(100)
    monkeypatch.setattr("digits.clock.now", lambda: pb.Job(end_time={"seconds": 130}).end_time)
    fields = {"micro_batch": 3, "epoch": 2, "images_trained": 300, "loss": 0.5, "accuracy": 0.75}
    flow = {"images_per_second": 25.0, "backlog_images": 64, "window_images": 128}
    job.progress.MergeFrom(pb.TrainProgress(**fields, **flow))
    history.note_micro_batch(job, TOOK)
    times = {"elapsed_seconds": 30.0, "seconds": 4.0, "merge_seconds": 0.25, "commit_seconds": 0.5}
    assert list(job.history) == [pb.MicroBatchPoint(**fields, **flow, **times)]


def test_a_short_training_keeps_all_of_them() -> None:
    numbers = [point.micro_batch for point in trained(MAX_POINTS).history]
    assert numbers == list(range(1, MAX_POINTS + 1))


@pytest.mark.parametrize("micro_batches", [201, 400, 401, 802])
def test_a_long_training_keeps_some_evenly_and_the_first_and_the_newest(micro_batches: int) -> None:
    numbers = [point.micro_batch for point in trained(micro_batches).history]
    assert MAX_POINTS // 2 <= len(numbers) <= MAX_POINTS + 1
    assert (numbers[0], numbers[-1]) == (1, micro_batches)
    steps = {after - before for before, after in itertools.pairwise(numbers[:-1])}
    assert len(steps) == 1


def test_micro_batches_that_are_trained_again_from_an_older_checkpoint_are_there_once() -> None:
    job = trained(8)
    job.progress.micro_batch = 5
    history.note_micro_batch(job, TOOK)
    assert [point.micro_batch for point in job.history] == [1, 2, 3, 4, 5]


def test_a_training_that_begins_with_micro_batches_goes_on_from_a_checkpoint_and_notes_it() -> None:
    bench = Bench()
    job, lease = bench.leased()
    ProgressReport(lease).begin(micro_batch=0, images_total=900)
    assert not bench.jobs.get(job.job_id).resumptions
    lease.release()
    taken_over = bench.lease(job.job_id)
    assert taken_over
    ProgressReport(taken_over).begin(micro_batch=4, images_trained=400, images_total=900)
    (resumption,) = bench.jobs.get(job.job_id).resumptions
    assert (resumption.micro_batch, resumption.images_trained) == (4, 400)


def test_what_a_caller_should_know_of_a_training_is_noted_once_however_often_it_begins() -> None:
    bench = Bench()
    job, lease = bench.leased()
    for _ in range(2):
        ProgressReport(lease).begin(["few images"], images_total=900)
    assert list(bench.jobs.get(job.job_id).progress.notes) == ["few images"]


def test_a_micro_batch_is_told_and_kept_in_one_write() -> None:
    bench = Bench()
    job, lease = bench.leased()
    ProgressReport(lease).trained(
        eta_seconds=1.0, took=TOOK, images_committed=100, micro_batch=1, images_trained=100, loss=0.5
    )
    told = bench.jobs.get(job.job_id)
    assert told.progress.loss == told.history[0].loss == 0.5
    assert told.history[0].commit_seconds == TOOK.commit_seconds


def test_a_course_goes_forward_though_the_next_workers_clock_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = pb.Job(job_id="j1", start_time={"seconds": 1_000})
    for number, seconds in enumerate([1_100, 1_150, 900, 1_160], start=1):
        monkeypatch.setattr("digits.clock.now", lambda at=seconds: pb.Job(end_time={"seconds": at}).end_time)
        job.progress.micro_batch = number
        history.note_micro_batch(job, TOOK)
    history.note_resumption(job)
    assert [point.elapsed_seconds for point in job.history] == [100, 150, 150, 160]
    assert job.resumptions[0].elapsed_seconds == 160


def test_a_record_stays_small_however_long_its_training_and_however_often_it_was_resumed() -> None:
    job = trained(500)
    for _ in range(2 * MAX_RESUMPTIONS):
        history.note_resumption(job)
    assert len(job.resumptions) == MAX_RESUMPTIONS
    assert {each.micro_batch for each in job.resumptions} == {500}
    assert job.ByteSize() < 20_000
    assert history.without_course(job).ByteSize() < 2_000
