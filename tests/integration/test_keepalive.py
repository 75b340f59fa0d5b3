"""Clients that ask whether their silent connection lives keep it."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from digits.settings import Settings
from server.health_servicer import HealthServicer
from server.listening import make_health_server, make_server
from tests.ports import free_port

# A ping each 1.1 s: gRPC's own server ends the connection with the third.
PINGS = [
    ("grpc.keepalive_time_ms", 1100),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]
SECONDS = 5.0


async def watched_through_pings(settings: Settings, *, on_health_port: bool) -> None:
    """Watches for a while; raises AioRpcError if the server ends the watch."""
    servicer = HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    server = make_health_server(settings, servicer) if on_health_port else make_server(settings)
    assert server
    if not on_health_port:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await server.start()
    port = settings.health_port if on_health_port else settings.grpc_port
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=PINGS) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(TimeoutError):
            # Nothing changes, so nothing comes: an end would.
            await asyncio.wait_for(watch.read(), SECONDS)
    await server.stop(0)


def test_pings_do_not_end_a_watch_on_either_port() -> None:
    async def both() -> None:
        settings = Settings(grpc_port=free_port(), health_port=free_port())
        await asyncio.gather(
            watched_through_pings(settings, on_health_port=False),
            watched_through_pings(settings, on_health_port=True),
        )

    asyncio.run(both())
