"""What only tests of the running service ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from digits.settings import Settings
from tests.own_processes import bridge, server
from tests.ports import free_port
from tests.service import Service


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
        broker_url=f"{valkey}/0",
    )
    with server(settings, folder / "server.log"), bridge(settings, folder / "bridge.log"):
        yield made
