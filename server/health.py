"""grpc.health.v1: SERVING where a call would succeed."""

from __future__ import annotations

from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer

ALWAYS = ("digits.v1.JobService", "digits.v1.ModelService")
WITH_A_MODEL = ("", "digits.v1.DigitService", "inference.GRPCInferenceService")
# Names of no service, for an orchestrator's probes: was it ever ready to work, and does it still answer?
STARTUP = "startup"
LIVENESS = "liveness"

_Status = health_pb2.HealthCheckResponse


class Health:
    """Keeps the health service's word in step with the serving model, until the server drains."""

    def __init__(self) -> None:
        self.servicer = HealthServicer()
        self._draining = False

    async def started(self) -> None:
        """The server answers; no model is known yet."""
        for service in (*ALWAYS, LIVENESS):
            await self._set(service, True)
        await self._set(STARTUP, False)
        await self.set_serving(False)

    async def knows_what_serves(self) -> None:
        """The coordinator was heard, or a cached copy of the model is held."""
        await self._set(STARTUP, True)

    async def set_serving(self, serving: bool) -> None:
        """A Classify would succeed now, or would not."""
        if self._draining:
            return
        for service in WITH_A_MODEL:
            await self._set(service, serving)

    async def draining(self) -> None:
        """Nobody should send new calls here; the process lives on until the accepted ones are answered."""
        self._draining = True
        for service in (*ALWAYS, *WITH_A_MODEL):
            await self._set(service, False)

    async def _set(self, service: str, serving: bool) -> None:
        await self.servicer.set(service, _Status.SERVING if serving else _Status.NOT_SERVING)
