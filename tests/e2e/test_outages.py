"""Each server of the real stack stopped and started again; what callers saw is asserted."""

from __future__ import annotations

import time

import pytest
from grpc import StatusCode

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import training_pb2 as pb
from tests.faults.calls import classifying
from tests.processes import suspended
from tests.service import Service
from tests.waiting import wait_until

SERVERS = ["kafka", "namenode", "datanode", "zookeeper", "rabbitmq", "spark-master", "spark-worker"]


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_killed_in_a_training_loses_no_image_and_no_classification(
    trained: Service, server: str
) -> None:
    with classifying(trained) as problems, trained.client() as client:
        stream = client.train(images_batch_path="tiny.npz", recipe="standard", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in stream if progress.micro_batch >= 2)
        killed = trained.process(server)
        killed.kill()
        last = watched_to_the_end(client, job_id)
        assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)
        wait_until(trained.is_up_again(server, killed.pid), seconds=90, what=f"a new {server}")
    assert problems == []


def test_a_job_that_gets_no_executors_goes_on_under_a_new_application(trained: Service) -> None:
    with trained.client() as client:
        stream = client.train(images_batch_path="tiny.npz", recipe="standard", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in stream if progress.micro_batch >= 2)
        before = trained.part("train-worker").pid
        cluster = trained.process("spark-worker")
        executors = [child for child in cluster.children() if "ExecutorBackend" in " ".join(child.cmdline())]
        assert executors
        # Standing still, Spark's worker tells nobody that its executors are gone, and starts no others.
        with suspended(cluster):
            for executor in executors:
                executor.kill()
            wait_until(lambda: trained.part("train-worker").pid != before, seconds=120, what="a new trainer")
        last = watched_to_the_end(client, job_id)
    assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)


def watched_to_the_end(client: Client, job_id: str) -> pb.TrainProgress:
    """The job's last progress; a watcher that is told that a server is away re-attaches."""
    deadline = time.monotonic() + 240
    while True:
        try:
            return list(client.watch_job(job_id))[-1]
        except RemoteError as error:
            if error.code != StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                raise
