"""What callers without a token can have a listener hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from digits.settings import Settings
from server import listening
from tests.ports import free_port

Calls = Callable[[health_pb2_grpc.HealthStub], Awaitable[None]]


def ask(calls: Calls, *, probes: bool) -> None:
    """Runs one of the two listeners, with room for two calls of a caller, and what asks it for health."""

    async def run() -> None:
        port = free_port()
        settings = Settings(grpc_port=port, health_port=port, max_calls_per_caller=2)
        servicer = HealthServicer()
        if probes:
            server = listening.make_health_server(settings, servicer)
            assert server
        else:
            server = listening.make_server(settings)
            health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                await calls(health_pb2_grpc.HealthStub(channel))
        finally:
            await server.stop(None)

    asyncio.run(run())


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_a_probe_is_small() -> None:
    async def calls(health: health_pb2_grpc.HealthStub) -> None:
        large = health.Check(pb.HealthCheckRequest(service="x" * 2000), timeout=5)
        assert await code_of(large) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await code_of(health.Check(pb.HealthCheckRequest(), timeout=5)) is grpc.StatusCode.OK

    ask(calls, probes=True)


def test_one_connection_holds_no_more_streams_than_its_callers_may_have() -> None:
    async def calls(health: health_pb2_grpc.HealthStub) -> None:
        watching = [health.Watch(pb.HealthCheckRequest()) for _ in range(4)]
        for each in watching:
            await each.read()
        fifth = health.Check(pb.HealthCheckRequest(), timeout=0.1)
        assert await code_of(fifth) is grpc.StatusCode.DEADLINE_EXCEEDED
        watching[0].cancel()
        assert await code_of(health.Check(pb.HealthCheckRequest(), timeout=5)) is grpc.StatusCode.OK

    for probes in (False, True):
        ask(calls, probes=probes)
