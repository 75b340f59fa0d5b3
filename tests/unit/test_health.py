"""What grpc.health.v1 says of the model and of the threads beside the calls."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import grpc
import pytest
from grpc_health.v1 import health_pb2

from server.health import CURRENT_MODEL, LIVENESS, Health

SERVING = health_pb2.HealthCheckResponse.SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def status(health: Health, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return int(asyncio.run(health.servicer.Check(request, Mock())).status)


def test_liveness_is_lost_with_any_thread_and_each_has_a_name() -> None:
    alive = {"reconciler": True, "serving-model": True}
    threads = {name: lambda seconds, name=name: alive[name] for name in alive}
    health = Health(threads)
    health.started()
    health.look_at_threads()
    assert {status(health, name) for name in (LIVENESS, *alive)} == {SERVING}
    alive["reconciler"] = False
    health.look_at_threads()
    names = (LIVENESS, "reconciler", "serving-model")
    assert [status(health, name) for name in names] == [NOT_SERVING, NOT_SERVING, SERVING]


def test_a_model_that_stands_in_for_another_serves_and_is_not_the_current_one() -> None:
    health = Health({})
    health.started()
    health.set_serving(True, current=False)
    assert [status(health, name) for name in ("", CURRENT_MODEL)] == [SERVING, NOT_SERVING]
    health.set_serving(True, current=True)
    assert status(health, CURRENT_MODEL) == SERVING


def test_a_watcher_is_told_what_a_name_is_and_what_it_has_become() -> None:
    async def watch() -> list[int]:
        health, said = Health({}), []
        stream = health.servicer.Watch(health_pb2.HealthCheckRequest(service=LIVENESS), Mock())
        said.append((await anext(stream)).status)
        # While it does not read, nobody waits for it, and what passed is not told.
        health.servicer.set(LIVENESS, NOT_SERVING)
        health.started()
        said.append((await anext(stream)).status)
        following = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        health.servicer.set("another", NOT_SERVING)
        health.servicer.set(LIVENESS, NOT_SERVING)
        said.append((await following).status)
        return said

    assert asyncio.run(watch()) == [SERVICE_UNKNOWN, SERVING, NOT_SERVING]


def test_all_names_are_listed_and_one_that_is_not_known_is_not_found() -> None:
    health, context = Health({}), Mock()
    context.abort.side_effect = RuntimeError
    health.started()
    listed = asyncio.run(health.servicer.List(health_pb2.HealthListRequest(), Mock())).statuses
    assert listed[LIVENESS].status == SERVING
    with pytest.raises(RuntimeError):
        asyncio.run(health.servicer.Check(health_pb2.HealthCheckRequest(service="?"), context))
    context.abort.assert_called_with(grpc.StatusCode.NOT_FOUND, "there is no such service")
