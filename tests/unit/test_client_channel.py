"""The client's channel: its stubs go with it, and loopback is never asked through a proxy."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc

from digits.client.client import Client
from digits.client.errors import RemoteError
from tests.unit.recorded_service import recorded_service


@pytest.fixture
def port() -> Iterator[int]:
    """A port of 127.0.0.1 where a real server answers health checks."""
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where http_proxy points: it listens and answers nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(10)
        for name in ("no_proxy", "no_grpc_proxy", "grpc_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield listener


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:PORT",
        "localhost:PORT",
        "dns:///localhost:PORT",
        "ipv4:127.0.0.1:PORT",
        "ipv4:127.0.0.1:PORT,127.0.0.1:PORT",
    ],
)
@pytest.mark.usefixtures("proxy")
def test_a_server_on_this_machine_is_asked_without_the_proxy(address: str, port: int) -> None:
    with Client(address.replace("PORT", str(port)), timeout_seconds=5) as client:
        assert client.serving()


def test_a_server_elsewhere_is_asked_through_the_proxy(proxy: socket.socket) -> None:
    with Client("digits.example:50051") as client:
        stream = client.watch_job("j1", timeout_seconds=5)
        with closing(proxy.accept()[0]) as connection:
            assert connection.recv(100).startswith(b"CONNECT digits.example:50051 ")
        with pytest.raises(RemoteError):
            next(stream)


def test_a_closed_client_calls_over_a_new_channel() -> None:
    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        assert client.get_job("j1").job_id == "j1"
        client.close()
        assert client.get_job("j1").job_id == "j1"
        assert [job.job_id for job in client.list_jobs().jobs] == ["j1"]
