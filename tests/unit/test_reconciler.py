"""What becomes of a job that no trainer has, over parts in memory."""

from __future__ import annotations

from datetime import UTC, timedelta
from types import SimpleNamespace

import pytest
from google.rpc import code_pb2

from digits.errors import LeaseLost
from digits.jobs.reconciler import Reconciler
from digits.jobs.states import advance
from digits.v1 import training_pb2 as pb
from tests.unit.job_bench import ATTEMPTS, MAX_HOURS, Bench, raising


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_job_that_lost_its_trainer_is_queued_again(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.release()
    bench.age(job.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id] * 2


def test_a_job_without_any_train_worker_waits_with_the_one_message_it_has(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.release()
    bench.age(job.job_id, 60)
    bench.coordinator.close()
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id]


def test_a_job_with_a_trainer_is_left_alone(bench: Bench) -> None:
    job, _ = bench.leased()
    bench.age(job.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id]


def test_a_job_whose_message_was_lost_is_queued_again(bench: Bench) -> None:
    job = bench.submit()
    bench.worker("one", idle_seconds=60)
    bench.age(job.job_id, 60)
    bench.reconciler.reconcile()
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id] * 2


def test_a_job_waiting_behind_another_is_not_queued_again(bench: Bench) -> None:
    bench.leased()
    waiting = bench.submit()
    bench.age(waiting.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids.count(waiting.job_id) == 1


def test_a_job_that_takes_its_workers_down_fails_after_three_attempts_and_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.submit()
    for _ in range(ATTEMPTS):
        lease = bench.lease(job.job_id)
        assert lease
        lease.end(lambda job: setattr(job, "last_problem", "out of memory"))
        lease.release()
    assert bench.lease(job.job_id) is None
    bench.pass_last_words(monkeypatch)
    failed = bench.jobs.get(job.job_id)
    assert failed.state == pb.FAILED
    assert "3 attempts" in failed.progress.error.message
    assert "out of memory" in failed.progress.error.message


def test_a_trainer_that_lost_its_lease_has_a_moment_to_say_that_it_lives(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.submit()
    for _ in range(ATTEMPTS):
        session = bench.trainer()
        lease = bench.lease(job.job_id, session)
        session.close()
    assert lease
    bench.reconciler.reconcile()
    lease.forgive()
    bench.pass_last_words(monkeypatch)
    assert bench.jobs.get(job.job_id).state == pb.QUEUED


def test_a_job_cancelled_while_it_had_no_trainer_ends_cancelled(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.edit(lambda job: advance(job, pb.TRAINING))
    lease.release()
    bench.jobs.cancel(job.job_id)
    bench.reconciler.reconcile()
    assert bench.jobs.get(job.job_id).state == pb.CANCELLED


def test_a_message_that_was_lost_while_other_workers_are_busy_is_sent_again_to_the_idle_one(
    bench: Bench,
) -> None:
    bench.leased()
    lost = bench.submit()
    bench.worker("two", idle_seconds=20)
    bench.age(lost.job_id, 20)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids.count(lost.job_id) == 2


def test_a_worker_that_became_idle_a_moment_ago_may_still_get_the_first_message(bench: Bench) -> None:
    waiting = bench.submit()
    bench.worker("one", idle_seconds=1)
    bench.age(waiting.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids.count(waiting.job_id) == 1


def test_a_lost_message_is_sent_again_also_if_the_idle_worker_has_another_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _is_sent_again_in_six_seconds(bench, monkeypatch, worker_ahead=3600, server_ahead=0)


def test_a_lost_message_is_sent_again_also_if_its_sender_had_another_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _is_sent_again_in_six_seconds(bench, monkeypatch, worker_ahead=0, server_ahead=3600)


def _is_sent_again_in_six_seconds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, worker_ahead: float, server_ahead: float
) -> None:
    lost = bench.submit()
    bench.worker("one", idle_seconds=60 - worker_ahead)
    bench.age(lost.job_id, 60 - server_ahead)
    for seconds, sent in ((0, 1), (4, 1), (6, 2), (8, 2)):
        monkeypatch.setattr("digits.jobs.ages.time", SimpleNamespace(monotonic=lambda now=seconds: now))
        bench.reconciler.reconcile()
        assert bench.queue.job_ids.count(lost.job_id) == sent


def test_a_job_that_lost_its_trainer_and_waits_behind_another_is_queued_again_once(bench: Bench) -> None:
    bench.leased()
    job, lease = bench.leased()
    lease.release()
    for _ in range(10):
        bench.age(job.job_id, 60)
        bench.reconciler.reconcile()
    assert bench.queue.job_ids.count(job.job_id) == 2


@pytest.mark.parametrize(("idle_seconds", "most"), [(None, 31), (100_000.0, 1450)])
def test_messages_of_a_job_that_waits_for_a_day_do_not_pile_up(
    bench: Bench, idle_seconds: float | None, most: int
) -> None:
    """The time between two looks passes by making the last message older."""
    waiting = bench.submit()
    bench.worker("one", idle_seconds)
    waited = 0.0
    sent = len(bench.queue.job_ids)
    for _ in range(24 * 360):
        waited = waited + 10 if len(bench.queue.job_ids) == sent else 10
        sent = len(bench.queue.job_ids)
        bench.age(waiting.job_id, waited)
        bench.reconciler.reconcile()
    assert 4 < len(bench.queue.job_ids) < most


def test_a_job_that_gets_further_each_time_is_tried_as_often_as_it_takes(bench: Bench) -> None:
    job = bench.submit()
    for images in range(1, 3 * ATTEMPTS):
        lease = bench.lease(job.job_id)
        assert lease
        lease.edit(lambda job, images=images: setattr(job, "images_committed", images))  # type: ignore[misc]
        lease.release()
        bench.reconciler.reconcile()
    assert bench.jobs.get(job.job_id).state == pb.QUEUED


def test_images_that_no_checkpoint_has_are_no_progress(bench: Bench) -> None:
    job = bench.submit()
    for images in (64, 128, 192):
        lease = bench.lease(job.job_id)
        assert lease
        lease.edit(lambda job, images=images: setattr(job.progress, "images_trained", images))  # type: ignore[misc]
        lease.release()
    assert bench.lease(job.job_id) is None


def test_a_job_that_got_further_once_has_its_attempts_again_and_then_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.submit()
    for images in (0, 64, 64, 64, 64):
        lease = bench.lease(job.job_id)
        assert lease
        lease.edit(lambda job, images=images: setattr(job, "images_committed", images))  # type: ignore[misc]
        lease.release()
    assert bench.lease(job.job_id) is None
    bench.pass_last_words(monkeypatch)
    assert bench.jobs.get(job.job_id).state == pb.FAILED


def test_sessions_that_expire_under_a_living_trainer_do_not_fail_the_job(bench: Bench) -> None:
    job = bench.submit()
    for _ in range(2 * ATTEMPTS):
        session = bench.trainer()
        lease = bench.lease(job.job_id, session)
        assert lease
        session.close()
        with pytest.raises(LeaseLost):
            lease.edit(lambda job: None)
        lease.forgive()
        bench.reconciler.reconcile()
    assert bench.jobs.get(job.job_id).state == pb.QUEUED


def test_a_late_forgiveness_takes_back_its_own_attempt_only(bench: Bench) -> None:
    job = bench.submit()
    session = bench.trainer()
    first = bench.lease(job.job_id, session)
    assert first
    session.close()
    assert bench.lease(job.job_id)
    first.forgive()
    first.forgive()
    assert bench.jobs.get(job.job_id).attempt_count == 1


def test_jobs_are_looked_after_beside_one_that_cannot_be_read(bench: Bench) -> None:
    junk, job = bench.submit(), bench.submit()
    bench.spoil(f"/jobs/{junk.job_id}")
    bench.spoil("/workers/train/junk")
    bench.age(job.job_id, 600)
    bench.reconciler.turn()
    assert bench.queue.job_ids.count(job.job_id) == 2
    assert bench.reconciler.leads()


def test_a_reconciler_that_meets_what_nobody_foresaw_lets_another_lead(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Reconciler(bench.jobs, bench.trainer(), ATTEMPTS)
    monkeypatch.setattr(bench.jobs, "unfinished", raising(RuntimeError("a bug")))
    with pytest.raises(RuntimeError):
        bench.reconciler.turn()
    monkeypatch.undo()
    other.turn()
    assert (bench.reconciler.leads(), other.leads()) == (False, True)


def test_a_job_that_takes_too_long_fails_with_a_sentence_and_its_trainer_stands_down(bench: Bench) -> None:
    job, lease = bench.leased()
    waiting = bench.submit()
    started = bench.jobs.get(job.job_id).start_time.ToDatetime(UTC)
    bench.reconciler.reconcile()
    lease.edit(lambda job: advance(job, pb.TRAINING))
    too_long = timedelta(hours=MAX_HOURS, seconds=1)
    bench.jobs.edit(job.job_id, lambda job: job.start_time.FromDatetime(started - too_long))
    bench.reconciler.reconcile()
    failed = bench.jobs.get(job.job_id)
    assert (failed.state, failed.progress.error.code) == (pb.FAILED, code_pb2.DEADLINE_EXCEEDED)
    assert "not done after 2 hours" in failed.progress.error.message
    assert "DIGITS_MAX_JOB_HOURS" in failed.progress.error.message
    with pytest.raises(LeaseLost):
        lease.edit(lambda job: advance(job, pb.EVALUATING))
    # Nobody has had this one yet: its time has not begun.
    assert bench.jobs.get(waiting.job_id).state == pb.QUEUED


def test_the_time_of_a_job_goes_on_with_its_next_trainer(bench: Bench) -> None:
    job, lease = bench.leased()
    started = bench.jobs.get(job.job_id).start_time
    lease.release()
    assert bench.lease(job.job_id)
    assert bench.jobs.get(job.job_id).start_time == started
