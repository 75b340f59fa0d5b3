"""The service on the real stack: Kafka, HDFS, ZooKeeper, RabbitMQ and a Spark cluster, as processes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from digits.v1 import training_pb2 as pb
from tests.conftest import ROOT, data_folder, started
from tests.ports import free_port
from tests.service import Service
from tests.waiting import wait_until


@pytest.fixture(scope="session")
def real_service(tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray]) -> Iterator[Service]:
    """Started once for all tests of this folder, with the whole of MNIST."""
    folder = tmp_path_factory.mktemp("real")
    data = data_folder(folder, mnist)
    (data / "mnist.npz").hardlink_to(ROOT / "data" / "mnist.npz")
    more = {"DIGITS_EXECUTORS_READ_BATCHES": "true"}
    yield from started(Service(folder / "var", data, free_port(), free_port(), stack="real", more=more))


@pytest.fixture(scope="session")
def trained(real_service: Service) -> Service:
    """The same, with a model that serves."""
    with real_service.client() as client:
        last = list(client.train(images_batch_path="slice.npz", promotion=pb.ALWAYS, seed=1))[-1]
    assert last.state == pb.SUCCEEDED
    wait_until(real_service.worker_serves(last.model_version), what="the new model in the worker")
    return real_service
