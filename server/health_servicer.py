"""grpc.health.v1.Health, of which one that watches and does not read keeps nobody waiting.

The package's own holds a lock while it writes to a watcher, and whoever changes a status waits for that lock:
a single stream whose window was closed kept a server from draining.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.receiving import require_read

_Response = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """The last status of each name. All of it in the event loop."""

    def __init__(self) -> None:
        self._statuses: dict[str, int] = {}
        self._changed = asyncio.Event()

    def set(self, service: str, status: int) -> None:
        """What `service` is from now on."""
        self._statuses[service] = status
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Says the status; NOT_FOUND for a name that has none."""
        status = self._statuses.get(require_read(request).service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return _Response(status=status)

    async def List(
        self, request: health_pb2.HealthListRequest, context: grpc.aio.ServicerContext
    ) -> health_pb2.HealthListResponse:
        """Says all of them."""
        require_read(request)
        found = {name: _Response(status=status) for name, status in self._statuses.items()}
        return health_pb2.HealthListResponse(statuses=found)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Says the status, and what it has become whenever the watcher has read that."""
        service, said = require_read(request).service, None
        while True:
            changed = self._changed
            status = self._statuses.get(service, _Response.SERVICE_UNKNOWN)
            if status == said:
                await changed.wait()
            else:
                said = status
                yield _Response(status=status)
