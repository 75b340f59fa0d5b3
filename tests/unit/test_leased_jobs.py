"""A worker and its job over a coordinator that fails at each of its steps in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryEphemeralNode, MemoryTrainQueue, MemoryTree
from digits.errors import CoordinatorUnavailable, InvalidInput, StoreUnavailable
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.leases import Lease
from digits.jobs.states import advance
from digits.ports import Operation, Stored
from digits.v1 import training_pb2 as pb
from workers.leased_jobs import LeasedJobs

KINDS = ["refused", "answer lost", "session over"]

Answer = TypeVar("Answer")


class Going(threading.Event):
    """A worker that goes on, and for which no time passes while it waits."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


class FaultyCoordinator(MemoryCoordinator):
    """Fails at its call number `fault_at` and at the two after it; `kind` is one of KINDS."""

    def __init__(self, tree: MemoryTree, fault_at: int = -1, kind: str = "refused") -> None:
        super().__init__(tree)
        self._calls, self._fault_at, self._kind = 0, fault_at, kind
        self._lost: list[MemoryEphemeralNode] = []

    def get(self, path: str) -> Stored | None:
        return self._call(lambda: super(FaultyCoordinator, self).get(path))

    def commit(self, *operations: Operation) -> None:
        self._call(lambda: super(FaultyCoordinator, self).commit(*operations))

    def create_ephemeral(self, path: str, value: bytes) -> MemoryEphemeralNode | None:
        def create() -> MemoryEphemeralNode | None:
            # What was made although nobody heard of it, the next call of the session replaces.
            while self._lost:
                self._lost.pop().release()
            node = super(FaultyCoordinator, self).create_ephemeral(path, value)
            self._lost.extend([node] if node else [])
            return node

        node = self._call(create)
        self._lost.clear()
        return node

    def _call(self, asks: Callable[[], Answer]) -> Answer:
        call, self._calls = self._calls, self._calls + 1
        if call == self._fault_at and self._kind == "answer lost":
            asks()
        if call == self._fault_at and self._kind == "session over":
            self.close()
        if 0 <= call - self._fault_at < 3 and self._fault_at >= 0:
            raise CoordinatorUnavailable("away")
        return asks()


class Bench:
    """One queue, one job, and one worker after another until the queue is empty."""

    def __init__(self, fault_at: int = -1, kind: str = "refused") -> None:
        self.tree = MemoryTree()
        self.queue, self.coordinator = MemoryTrainQueue(), FaultyCoordinator(self.tree, fault_at, kind)
        self.jobs = Jobs(MemoryCoordinator(self.tree), self.queue)
        self.stopping = Going()
        self.trainings, self.max_trainings = 0, 5
        job = new_job(pb.TrainSpec())
        self.job_id = job.job_id
        self.jobs.add(job)

    def work(self, end: Callable[[Lease], None], ask_all: Callable[[str], object] | None = None) -> pb.Job:
        jobs = Jobs(self.coordinator, self.queue)

        def train(lease: Lease, job: pb.Job) -> None:
            self.trainings += 1
            assert self.trainings <= self.max_trainings, "the job does not come to an end"
            lease.edit(lambda job: advance(job, pb.INGESTING))
            lease.edit(lambda job: advance(job, pb.TRAINING))
            end(lease)

        worker = LeasedJobs(
            jobs=jobs,
            coordinator=self.coordinator,
            max_attempts=3,
            stopping=self.stopping,
            train=train,
            ask_all=ask_all or jobs.get,
        )
        while self.queue.job_ids:
            worker.run(self.queue.job_ids.pop())
        return self.jobs.get(self.job_id)

    def publish_second(self, lease: Lease) -> None:
        """Fails first."""
        if self.trainings == 1:
            raise StoreUnavailable("the store does not answer")
        self.publish(lease)

    def publish(self, lease: Lease) -> None:
        self.coordinator.commit(lease.replacement(lambda job: advance(job, pb.SUCCEEDED)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault_at", range(14))
def test_a_job_succeeds_whatever_the_coordinator_does_and_is_charged_once(fault_at: int, kind: str) -> None:
    bench = Bench(fault_at, kind)
    job = bench.work(bench.publish)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)
    assert not bench.jobs.is_leased(bench.job_id)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault_at", range(14))
def test_a_cancelled_job_ends_cancelled_whatever_the_coordinator_does(fault_at: int, kind: str) -> None:
    bench = Bench(fault_at, kind)

    def cancelled(lease: Lease) -> None:
        bench.jobs.cancel(lease.job_id)
        lease.edit(lambda job: None)

    job = bench.work(cancelled)
    assert (job.state, bench.jobs.is_leased(bench.job_id)) == (pb.CANCELLED, False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault_at", range(14))
def test_a_hopeless_job_ends_failed_whatever_the_coordinator_does(fault_at: int, kind: str) -> None:
    bench = Bench(fault_at, kind)

    def hopeless(_: Lease) -> None:
        raise InvalidInput("images_batch", "no images")

    job = bench.work(hopeless)
    assert (job.state, bench.jobs.is_leased(bench.job_id)) == (pb.FAILED, False)
    assert "no images" in job.progress.error.message


def test_three_lost_sessions_are_no_attempts() -> None:
    bench = Bench()

    def lose_three_times(lease: Lease) -> None:
        if bench.trainings <= 3:
            bench.coordinator.close()
        bench.publish(lease)

    job = bench.work(lose_three_times)
    assert (job.state, job.attempt_count, bench.trainings) == (pb.SUCCEEDED, 1, 4)


def test_a_job_that_another_took_meanwhile_is_not_charged_for_the_lost_session_either() -> None:
    bench = Bench()

    def lose_to_another(lease: Lease) -> None:
        bench.coordinator.close()
        assert Lease.take(bench.jobs, MemoryCoordinator(bench.tree), lease.job_id, 3)
        bench.publish(lease)

    job = bench.work(lose_to_another)
    assert (job.state, job.attempt_count, bench.trainings) == (pb.TRAINING, 1, 1)


def test_what_went_wrong_is_recorded_counted_and_left_for_another_attempt() -> None:
    bench = Bench()

    def crash(_: Lease) -> None:
        raise ValueError("invalid literal for int()")

    job = bench.work(crash)
    assert (job.state, job.attempt_count) == (pb.TRAINING, 1)
    assert job.last_problem == "ValueError: invalid literal for int()"
    assert not bench.jobs.is_leased(bench.job_id)


def test_an_outage_of_the_store_is_no_attempt_however_long_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.leased_jobs._MAX_OUTAGE_SECONDS", 0.0)
    bench = Bench()

    def away(job_id: str) -> None:
        assert bench.jobs.is_leased(job_id)
        raise StoreUnavailable("the store does not answer")

    def publish_later(lease: Lease) -> None:
        if bench.trainings <= 3:
            raise StoreUnavailable("the store does not answer")
        bench.publish(lease)

    job = bench.work(publish_later, away)
    assert (job.state, job.attempt_count, bench.trainings) == (pb.SUCCEEDED, 1, 4)


def test_a_system_that_is_silent_for_a_moment_again_and_again_costs_no_attempt() -> None:
    bench = Bench()

    def publish_at_last(lease: Lease) -> None:
        if bench.trainings <= 4:
            raise StoreUnavailable("the store does not answer")
        bench.publish(lease)

    while not bench.queue.job_ids or bench.work(publish_at_last).state != pb.SUCCEEDED:
        bench.jobs.requeue(bench.job_id)
    assert bench.jobs.get(bench.job_id).attempt_count == 1


def test_a_system_that_is_always_silent_about_one_job_does_not_keep_it_for_ever() -> None:
    bench = Bench()
    bench.max_trainings = 100

    def be_silent(_: Lease) -> None:
        raise StoreUnavailable("Input/output error")

    job = bench.jobs.get(bench.job_id)
    while job.attempt_count < 3:
        bench.jobs.requeue(bench.job_id)
        job = bench.work(be_silent)
    assert (bench.trainings, job.last_problem) == (23, "Input/output error")


def test_why_a_job_waits_is_told_while_it_does() -> None:
    bench = Bench()
    said: list[str] = []

    def away(job_id: str) -> None:
        said.append(bench.jobs.get(job_id).last_problem)

    def fail_first(lease: Lease) -> None:
        if bench.trainings == 1:
            raise StoreUnavailable("the name dn1 does not resolve here")
        bench.publish(lease)

    bench.work(fail_first, away)
    assert said[0] == "the name dn1 does not resolve here"


def test_a_worker_that_loses_its_lease_while_it_waits_says_so_at_once() -> None:
    bench = Bench()
    asked = 0

    def away(_: str) -> None:
        nonlocal asked
        asked += 1
        bench.coordinator.close()
        raise StoreUnavailable("the store does not answer")

    job = bench.work(bench.publish_second, away)
    assert (job.state, job.attempt_count, asked) == (pb.SUCCEEDED, 1, 1)


def test_a_worker_told_to_stop_while_it_waits_hands_its_job_back() -> None:
    bench = Bench()

    def away(_: str) -> None:
        bench.stopping.set()
        raise StoreUnavailable("the store does not answer")

    job = bench.work(bench.publish_second, away)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_a_worker_told_to_stop_while_it_cannot_take_a_job_leaves_it_to_others() -> None:
    bench = Bench(fault_at=0)
    bench.stopping.set()
    job = bench.work(bench.publish)
    assert (job.state, job.attempt_count, bench.trainings) == (pb.QUEUED, 0, 0)


def test_a_message_for_a_job_that_was_pruned_is_dropped() -> None:
    bench = Bench()
    bench.queue.job_ids = ["gone"]
    assert bench.work(bench.publish).state == pb.QUEUED
