"""A worker and its job over a line to a real ZooKeeper that breaks at the worst moments."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from digits.adapters.memory import MemoryTrainQueue
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.leases import Lease
from digits.jobs.states import advance, is_final
from digits.v1 import training_pb2 as pb
from tests.conformance.line import COMMIT, CREATE, Line, line_to
from tests.waiting import wait_until
from workers.leased_jobs import LeasedJobs

Training = Callable[[Lease], None]


@dataclass
class Cluster:
    """One job, a worker over the line, and a server beside it."""

    line: Line
    server: Jobs
    worker: ZooKeeperCoordinator
    queue: MemoryTrainQueue = field(default_factory=MemoryTrainQueue)
    stopping: threading.Event = field(default_factory=threading.Event)
    trainings: int = 0

    def run(self, train: Training, fault: Callable[[], None]) -> pb.Job:
        """Has the worker take messages until its job is final; `fault` happens meanwhile."""
        job = new_job(pb.TrainSpec())
        self.server.add(job)
        self.queue.enqueue(job.job_id)
        thread = threading.Thread(target=self._work, args=(train,), daemon=True)
        thread.start()
        try:
            fault()
            wait_until(lambda: is_final(self.server.get(job.job_id)), seconds=40, what="the job's end")
            wait_until(lambda: not self.server.is_leased(job.job_id), seconds=10, what="the lease's end")
        finally:
            self.stopping.set()
            thread.join(30)
        return self.server.get(job.job_id)

    def publish(self, lease: Lease) -> None:
        """Ends a job as a published model does."""
        lease.edit(lambda job: advance(job, pb.TRAINING))
        self.worker.commit(lease.replacement(lambda job: advance(job, pb.SUCCEEDED)))

    def cut_for(self, seconds: float) -> None:
        """Once the line was cut, mends it after a while: the fault itself, and no wait for something."""
        assert self.line.was_cut.wait(20)
        threading.Event().wait(seconds)
        self.line.mend()

    def _work(self, train: Training) -> None:
        jobs = Jobs(self.worker, self.queue)

        def count_and_train(lease: Lease, _: pb.Job) -> None:
            self.trainings += 1
            train(lease)

        worker = LeasedJobs(
            jobs=jobs,
            coordinator=self.worker,
            max_attempts=3,
            stopping=self.stopping,
            train=count_and_train,
            ask_all=jobs.get,
        )
        while not self.stopping.wait(0.05):
            if self.queue.job_ids:
                worker.run(self.queue.job_ids.pop())


@pytest.fixture(params=[20, 4], ids=["in the same session", "in the next session"])
def cluster(request: pytest.FixtureRequest, zookeeper: str) -> Iterator[Cluster]:
    """Cut for 3 s after an answer was lost, a session of 20 s lives on; one of 4 s mostly does not."""
    root = f"/{uuid.uuid4().hex}/digits"
    with (
        line_to(zookeeper) as line,
        closing(ZooKeeperCoordinator(f"zookeeper://127.0.0.1:{line.port}{root}", request.param)) as worker,
        closing(ZooKeeperCoordinator(f"zookeeper://{zookeeper}{root}", 20)) as beside,
    ):
        yield Cluster(line, Jobs(beside, MemoryTrainQueue()), worker)


def test_a_line_cut_right_after_the_leases_creation_costs_the_job_nothing(cluster: Cluster) -> None:
    cluster.line.cut_after(CREATE)
    job = cluster.run(cluster.publish, lambda: cluster.cut_for(3))
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_a_line_cut_right_after_the_publishing_commit_publishes_once(cluster: Cluster) -> None:
    def publish(lease: Lease) -> None:
        lease.edit(lambda job: advance(job, pb.TRAINING))
        cluster.line.cut_after(COMMIT)
        cluster.worker.commit(lease.replacement(lambda job: advance(job, pb.SUCCEEDED)))

    job = cluster.run(publish, lambda: cluster.cut_for(3))
    assert (job.state, job.attempt_count, cluster.trainings) == (pb.SUCCEEDED, 1, 1)


def test_a_line_cut_before_a_cancelled_job_is_written_down_as_such_leaves_it_cancelled(
    cluster: Cluster,
) -> None:
    def hear_of_it(lease: Lease) -> None:
        cluster.server.cancel(lease.job_id)
        try:
            cluster.publish(lease)
        finally:
            cluster.line.cut()

    job = cluster.run(hear_of_it, lambda: cluster.cut_for(3))
    assert (job.state, job.attempt_count) == (pb.CANCELLED, 1)


def test_an_outage_between_two_micro_batches_hands_the_job_back_uncharged(cluster: Cluster) -> None:
    def train(lease: Lease) -> None:
        if cluster.trainings == 1:
            cluster.line.cut()
        cluster.publish(lease)

    job = cluster.run(train, lambda: cluster.cut_for(6))
    assert (job.state, job.attempt_count, cluster.trainings) == (pb.SUCCEEDED, 1, 2)
