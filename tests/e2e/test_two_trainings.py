"""Two train workers on one Spark cluster: each takes a part of the cores, and they train side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from digits.client.client import Client
from digits.v1 import training_pb2 as pb
from tests.conftest import data_folder, started
from tests.faults.test_trainer_outages import another_train_worker
from tests.ports import free_port
from tests.service import Service
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def shared_cluster(
    tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray]
) -> Iterator[Service]:
    """A service whose train worker takes one core of the two or more that its cluster has."""
    folder = tmp_path_factory.mktemp("shared")
    data = data_folder(folder, mnist)
    more = {"DIGITS_SPARK_CORES": "1"}
    yield from started(Service(folder / "var", data, free_port(), free_port(), stack="real", more=more))


def test_two_workers_share_a_cluster_and_a_third_job_waits_with_its_place(shared_cluster: Service) -> None:
    with another_train_worker(shared_cluster), shared_cluster.client() as client:
        first, second, third = (accepted(client) for _ in range(3))

        def jobs_at_work() -> list[pb.Job]:
            jobs = [client.get_job(job) for job in (first, second)]
            return [job for job in jobs if job.state == pb.TRAINING and job.progress.micro_batch]

        wait_until(lambda: len(jobs_at_work()) == 2, seconds=240, what="both at work at once")
        assert client.get_job(third).state == pb.QUEUED
        jobs = jobs_at_work()
        assert [job.log_partition_count for job in jobs] == [1, 1]
        rates = [job.progress.images_per_second for job in jobs]
        assert max(rates) < 3 * min(rates), "each has a core"
        for job in (third, second, first):
            client.cancel_job(job)
        assert [list(client.watch_job(job))[-1].state for job in (first, second)] == [pb.CANCELLED] * 2


def accepted(client: Client) -> str:
    stream = client.train(images_batch_path="slice.npz", recipe="standard", promotion=pb.NEVER)
    return next(stream).job_id
