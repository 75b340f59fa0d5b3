"""What only tests of the running service ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from digits.client.client import Client
from digits.settings import Settings
from tests.own_processes import bridge, server
from tests.ports import free_port
from tests.service import Service

FIVE = "test/data/n5.png"


@pytest.fixture(scope="session")
def door(zookeeper: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server and a bridge without a trainer: what they accept waits, until the test cancels it."""
    folder = tmp_path_factory.mktemp("batches")
    made = Service(folder / "var", folder / "data", free_port(), free_port())
    for path in (made.var_dir, made.data_dir):
        path.mkdir()
    settings = Settings(
        var_dir=made.var_dir,
        data_dir=made.data_dir,
        grpc_port=made.grpc_port,
        rest_port=made.rest_port,
        health_port=free_port(),
        coordinator_url=f"zookeeper://{zookeeper}/{folder.name}",
        # Not the queue of other tests, whose workers would take these jobs.
        broker_url=f"{valkey}/1",
    )
    with server(settings, folder / "server.log"), bridge(settings, folder / "bridge.log"):
        yield made


@pytest.fixture
def client(trained_service: Service) -> Iterator[Client]:
    """Of the service that is shared; a file that has one of its own has its own client, too."""
    with Client(trained_service.grpc_address) as made:
        yield made


@pytest.fixture
def unharmed(trained_service: Service) -> Iterator[None]:
    """No bad request starts a job, and the next good request works on both transports."""
    with Client(trained_service.grpc_address) as client:
        jobs = len(client.list_jobs(page_size=1000).jobs)
        yield
        assert len(client.list_jobs(page_size=1000).jobs) == jobs
        assert client.classify(image_path=FIVE).digit == 5
    reply = requests.post(
        f"{trained_service.rest_url}/digits/classify", json={"image_path": FIVE}, timeout=30
    )
    assert reply.content == b"[5]"
