"""What grpc.health.v1 says of the model and of the threads beside the calls."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

from grpc_health.v1 import health_pb2

from server.health import CURRENT_MODEL, LIVENESS, Health

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def status(health: Health, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return int(asyncio.run(health.servicer.Check(request, Mock())).status)


def test_liveness_is_lost_with_any_thread_and_each_has_a_name() -> None:
    alive = {"reconciler": True, "serving-model": True}
    threads = {name: lambda seconds, name=name: alive[name] for name in alive}
    health = Health(threads)
    asyncio.run(health.started())
    asyncio.run(health.look_at_threads())
    assert {status(health, name) for name in (LIVENESS, *alive)} == {SERVING}
    alive["reconciler"] = False
    asyncio.run(health.look_at_threads())
    names = (LIVENESS, "reconciler", "serving-model")
    assert [status(health, name) for name in names] == [NOT_SERVING, NOT_SERVING, SERVING]


def test_a_model_that_stands_in_for_another_serves_and_is_not_the_current_one() -> None:
    health = Health({})
    asyncio.run(health.started())
    asyncio.run(health.set_serving(True, current=False))
    assert [status(health, name) for name in ("", CURRENT_MODEL)] == [SERVING, NOT_SERVING]
    asyncio.run(health.set_serving(True, current=True))
    assert status(health, CURRENT_MODEL) == SERVING
