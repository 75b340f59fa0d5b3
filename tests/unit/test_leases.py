"""A lease ends with its trainer, whatever of the coordinator's answers was lost."""

from __future__ import annotations

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryTrainQueue, MemoryTree
from digits.errors import CoordinatorUnavailable, LeaseLost
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.leases import Lease
from digits.v1 import training_pb2 as pb
from tests.unit.faults import FaultyCoordinator


class Bench:
    """A server's jobs, and the session of a trainer whose coordinator fails as a test asks."""

    def __init__(self) -> None:
        tree = MemoryTree()
        self.trainer = FaultyCoordinator(MemoryCoordinator(tree))
        self.trainer_jobs = Jobs(self.trainer, MemoryTrainQueue())
        self.jobs = Jobs(MemoryCoordinator(tree), MemoryTrainQueue())
        job = new_job(pb.TrainSpec())
        self.jobs.add(job)
        self.job_id = job.job_id

    def take(self) -> Lease | None:
        return Lease.take(self.trainer_jobs, self.trainer, self.job_id, 3)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_lease_whose_taking_was_not_answered_is_taken_by_the_next_try(bench: Bench) -> None:
    bench.trainer.lose_answers("create_ephemeral")
    with pytest.raises(CoordinatorUnavailable):
        bench.take()
    lease = bench.take()
    assert lease and bench.jobs.get(bench.job_id).lease_id == lease.number


def test_a_lease_released_while_the_coordinator_is_away_is_gone_once_it_is_back(bench: Bench) -> None:
    lease = bench.take()
    assert lease
    bench.trainer.go_away()
    lease.release()
    assert bench.jobs.is_leased(bench.job_id)
    bench.trainer.come_back()
    assert not bench.jobs.is_leased(bench.job_id)


def test_a_lease_of_an_expired_session_writes_nothing_more(bench: Bench) -> None:
    lease = bench.take()
    assert lease
    bench.trainer.expire_session()
    with pytest.raises(LeaseLost):
        lease.edit(lambda job: setattr(job, "last_problem", "late"))
    assert bench.jobs.get(bench.job_id).last_problem == ""
