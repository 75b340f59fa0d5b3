"""Jobs, their leases and their reconciler, over a coordinator in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryTrainQueue, MemoryTree
from digits.errors import Cancelled, LeaseLost, NotFound, Overloaded, QueueUnavailable, RequestConflict
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.jobs.reconciler import Reconciler
from digits.jobs.states import advance
from digits.v1 import training_pb2 as pb

ATTEMPTS = 3


class Bench:
    """Two sessions on one tree: a server's and a trainer's."""

    def __init__(self) -> None:
        self.tree = MemoryTree()
        self.queue = MemoryTrainQueue()
        self.coordinator = MemoryCoordinator(self.tree)
        self.jobs = Jobs(self.coordinator, self.queue, max_unfinished_per_caller=3)
        self.coordinator.create_ephemeral("/workers/train/one", b"")
        self.reconciler = Reconciler(self.jobs, self.coordinator, ATTEMPTS)

    def trainer(self) -> MemoryCoordinator:
        return MemoryCoordinator(self.tree)

    def lease(self, job_id: str, trainer: MemoryCoordinator | None = None) -> Lease | None:
        return Lease.take(self.jobs, trainer or self.trainer(), job_id, ATTEMPTS)

    def age(self, job_id: str, seconds: float) -> None:
        """Has the job's last message be that old."""
        then = datetime.now(UTC) - timedelta(seconds=seconds)
        self.jobs.edit(job_id, lambda job: job.enqueue_time.FromDatetime(then))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def spec(**fields: str) -> pb.TrainSpec:
    return pb.TrainSpec(images_batch_path="mnist.npz", recipe="fast", **fields)


def leased(bench: Bench) -> tuple[pb.Job, Lease]:
    job = bench.jobs.submit(spec())
    lease = bench.lease(job.job_id)
    assert lease
    return job, lease


def test_a_submitted_job_is_recorded_and_queued(bench: Bench) -> None:
    job = bench.jobs.submit(spec())
    assert bench.jobs.get(job.job_id).state == pb.QUEUED
    assert bench.queue.job_ids == [job.job_id]


def test_the_same_request_id_twice_is_one_job(bench: Bench) -> None:
    first = bench.jobs.submit(spec(request_id="r", fingerprint="f"))
    second = bench.jobs.submit(spec(request_id="r", fingerprint="f"))
    assert second.job_id == first.job_id
    assert bench.queue.job_ids == [first.job_id]


def test_the_same_request_id_with_another_body_is_refused(bench: Bench) -> None:
    bench.jobs.submit(spec(request_id="r", fingerprint="f"))
    with pytest.raises(RequestConflict) as refused:
        bench.jobs.submit(spec(request_id="r", fingerprint="g"))
    assert refused.value.field == "request_id"


def test_a_job_is_accepted_while_the_queue_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(job_id: str) -> None:
        raise QueueUnavailable("away")

    monkeypatch.setattr(bench.queue, "enqueue", away)
    assert bench.jobs.get(bench.jobs.submit(spec()).job_id).state == pb.QUEUED


@pytest.mark.parametrize("name", ["", "nothing", "../requests", "a/lease", "x" * 100, "j\u00f6b"])
def test_a_job_that_is_not_there_is_not_found(bench: Bench, name: str) -> None:
    with pytest.raises(NotFound):
        bench.jobs.get(name)


def test_lists_are_newest_first_and_go_on_behind_a_job(bench: Bench) -> None:
    names = [bench.jobs.submit(spec()).job_id for _ in range(3)]
    names.sort(reverse=True)
    assert [job.job_id for job in bench.jobs.newest(2)] == names[:2]
    assert [job.job_id for job in bench.jobs.newest(2, before=names[1])] == names[2:]


def test_a_queued_job_is_cancelled_at_once(bench: Bench) -> None:
    job = bench.jobs.submit(spec())
    assert bench.jobs.cancel(job.job_id).state == pb.CANCELLED
    assert bench.lease(job.job_id) is None


def test_a_running_job_hears_of_its_cancellation_at_its_next_change(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.edit(lambda job: advance(job, pb.TRAINING))
    assert bench.jobs.cancel(job.job_id).state == pb.TRAINING
    with pytest.raises(Cancelled):
        lease.edit(lambda job: None)


def test_a_final_job_is_left_as_it_is(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    assert bench.jobs.cancel(job.job_id).state == pb.SUCCEEDED
    assert not bench.jobs.get(job.job_id).cancel_requested


def test_a_job_has_one_trainer(bench: Bench) -> None:
    job, _ = leased(bench)
    assert bench.lease(job.job_id) is None


def test_a_trainer_that_was_paused_past_its_session_stands_down(bench: Bench) -> None:
    job = bench.jobs.submit(spec())
    paused = bench.trainer()
    first = bench.lease(job.job_id, paused)
    assert first
    paused.close()
    second = bench.lease(job.job_id)
    assert second and second.number > first.number
    with pytest.raises(LeaseLost):
        first.edit(lambda job: advance(job, pb.SUCCEEDED))
    second.edit(lambda job: advance(job, pb.TRAINING))


def test_the_fence_holds_before_the_old_trainer_notices_its_end(bench: Bench) -> None:
    job, lease = leased(bench)
    bench.jobs.edit(job.job_id, lambda job: setattr(job, "lease_id", lease.number + 1))
    with pytest.raises(LeaseLost):
        lease.edit(lambda job: None)


def test_handing_back_does_not_count_as_an_attempt(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.hand_back()
    assert bench.jobs.get(job.job_id).attempt_count == 0
    assert not bench.jobs.is_leased(job.job_id)


def test_a_job_that_lost_its_trainer_is_queued_again(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.release()
    bench.age(job.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id] * 2


def test_a_job_without_any_train_worker_waits_with_the_one_message_it_has(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.release()
    bench.age(job.job_id, 60)
    bench.coordinator.close()
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id]


def test_a_job_with_a_trainer_is_left_alone(bench: Bench) -> None:
    job, _ = leased(bench)
    bench.age(job.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id]


def test_a_job_whose_message_was_lost_is_queued_again(bench: Bench) -> None:
    job = bench.jobs.submit(spec())
    bench.age(job.job_id, 60)
    bench.reconciler.reconcile()
    bench.reconciler.reconcile()
    assert bench.queue.job_ids == [job.job_id] * 2


def test_a_job_waiting_behind_another_is_not_queued_again(bench: Bench) -> None:
    leased(bench)
    waiting = bench.jobs.submit(spec())
    bench.age(waiting.job_id, 60)
    bench.reconciler.reconcile()
    assert bench.queue.job_ids.count(waiting.job_id) == 1


def test_a_job_that_takes_its_workers_down_fails_after_three_attempts_and_says_why(bench: Bench) -> None:
    job = bench.jobs.submit(spec())
    for _ in range(ATTEMPTS):
        lease = bench.lease(job.job_id)
        assert lease
        lease.end(lambda job: setattr(job, "last_problem", "out of memory"))
        lease.release()
    assert bench.lease(job.job_id) is None
    bench.reconciler.reconcile()
    failed = bench.jobs.get(job.job_id)
    assert failed.state == pb.FAILED
    assert "3 attempts" in failed.progress.error.message
    assert "out of memory" in failed.progress.error.message


def test_a_job_cancelled_while_it_had_no_trainer_ends_cancelled(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.edit(lambda job: advance(job, pb.TRAINING))
    lease.release()
    bench.jobs.cancel(job.job_id)
    bench.reconciler.reconcile()
    assert bench.jobs.get(job.job_id).state == pb.CANCELLED


def test_a_watch_tells_every_state_up_to_the_last(bench: Bench) -> None:
    job, lease = leased(bench)
    seen: list[int] = []
    end = bench.jobs.watch(job.job_id, lambda job: seen.append(job.state))
    lease.edit(lambda job: advance(job, pb.TRAINING))
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    end()
    assert seen == [pb.QUEUED, pb.TRAINING, pb.SUCCEEDED]


def test_a_caller_has_a_share_of_unfinished_jobs(bench: Bench) -> None:
    first, _, _ = (bench.jobs.submit(spec(caller="alice")) for _ in range(3))
    with pytest.raises(Overloaded, match="alice") as refused:
        bench.jobs.submit(spec(caller="alice"))
    assert refused.value.retry_after_seconds > 0
    bench.jobs.submit(spec(caller="bob"))
    bench.jobs.cancel(first.job_id)
    bench.jobs.submit(spec(caller="alice"))


def test_the_same_request_again_is_no_further_job(bench: Bench) -> None:
    jobs = [bench.jobs.submit(spec(caller="alice", request_id=str(n), fingerprint="f")) for n in range(3)]
    again = bench.jobs.submit(spec(caller="alice", request_id="2", fingerprint="f"))
    assert again.job_id == jobs[2].job_id


def test_watching_a_final_job_tells_it_once_and_sets_no_watch(bench: Bench) -> None:
    job, lease = leased(bench)
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    seen: list[int] = []
    for _ in range(3):
        bench.jobs.watch(job.job_id, lambda job: seen.append(job.state))
    assert seen == [pb.SUCCEEDED] * 3
    assert not any(bench.tree.watchers.values())
