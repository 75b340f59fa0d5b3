"""Each server of the real stack stopped and started again; what callers saw is asserted."""

from __future__ import annotations

import pytest

from digits.v1 import training_pb2 as pb
from tests.conftest import wait_until
from tests.integration.test_resilience import classifying
from tests.service import Service

SERVERS = ["kafka", "namenode", "datanode", "zookeeper", "rabbitmq", "spark-master", "spark-worker"]


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_killed_in_a_training_loses_no_image_and_no_classification(
    trained: Service, server: str
) -> None:
    with classifying(trained) as problems, trained.client() as client:
        stream = client.train(images_batch_path="tiny.npz", recipe="standard", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in stream if progress.micro_batch >= 2)
        before = trained.part(server)["pid"]
        trained.process(server).kill()
        last = list(client.watch_job(job_id))[-1]
        assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)
        wait_until(lambda: _is_back(trained, server, before), seconds=90, what=f"a new {server}")
    assert problems == []


def _is_back(service: Service, server: str, before: int) -> bool:
    part = service.part(server)
    return part["pid"] != before and part["health"] == "up"
