"""grpc.health.v1: SERVING where a call would succeed."""

from __future__ import annotations

from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer

ALWAYS = ("digits.v1.JobService", "digits.v1.ModelService")
WITH_A_MODEL = ("", "digits.v1.DigitService", "inference.GRPCInferenceService")


class Health:
    """Keeps the health service's word in step with the serving model."""

    def __init__(self) -> None:
        self.servicer = HealthServicer()

    async def started(self) -> None:
        """The server answers; no model is known yet."""
        for service in ALWAYS:
            await self.servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self.set_serving(False)

    async def set_serving(self, serving: bool) -> None:
        """A Classify would succeed now, or would not."""
        word = health_pb2.HealthCheckResponse
        for service in WITH_A_MODEL:
            await self.servicer.set(service, word.SERVING if serving else word.NOT_SERVING)

    async def draining(self) -> None:
        """The server takes no new calls."""
        await self.servicer.enter_graceful_shutdown()
