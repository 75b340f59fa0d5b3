"""grpc.health.v1: SERVING if a call would succeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grpc_health.v1 import health_pb2

from server.health_servicer import HealthServicer

ALWAYS = ("digits.v1.JobService", "digits.v1.ModelService", "digits.v1.StatusService")
WITH_A_MODEL = ("", "digits.v1.DigitService", "digits.v1.FeedbackService", "inference.GRPCInferenceService")
# Names of no service, for an orchestrator's probes: was it ever ready to work, and does it still answer?
STARTUP = "startup"
LIVENESS = "liveness"
# Whether what answers is what the alias names: if not, the log and `digits status` say why.
CURRENT_MODEL = "current-model"
# A turn of a background thread takes less, whatever it waits for.
_MAX_SILENCE_SECONDS = 60.0

_Status = health_pb2.HealthCheckResponse


class Health:
    """Keeps the health service's word in step with the serving model, until the server drains."""

    def __init__(self, threads: Mapping[str, Callable[[float], bool]]) -> None:
        """`threads` are the background threads by name: whether each lives, given its longest silence."""
        self.servicer = HealthServicer()
        self._threads = threads
        self._draining = False

    def started(self) -> None:
        """The server answers; no model is known yet."""
        for service in (*ALWAYS, LIVENESS):
            self._set(service, True)
        self._set(STARTUP, False)
        self.set_serving(False, False)

    def knows_what_serves(self) -> None:
        """The coordinator was heard, or a cached copy of the model is held."""
        self._set(STARTUP, True)

    def set_serving(self, serving: bool, current: bool) -> None:
        """A Classify would succeed now, or would not; what answers is what the alias names, or is not."""
        if self._draining:
            return
        for service in WITH_A_MODEL:
            self._set(service, serving)
        self._set(CURRENT_MODEL, serving and current)

    def look_at_threads(self) -> None:
        """Each background thread has a name here; without one of them this process had better be replaced."""
        alive = {name: is_alive(_MAX_SILENCE_SECONDS) for name, is_alive in self._threads.items()}
        for name, lives in alive.items():
            self._set(name, lives)
        self._set(LIVENESS, all(alive.values()))

    def draining(self) -> None:
        """Nobody should send new calls here; the process lives on until the accepted ones are answered."""
        self._draining = True
        for service in (*ALWAYS, *WITH_A_MODEL):
            self._set(service, False)

    def _set(self, service: str, serving: bool) -> None:
        self.servicer.set(service, _Status.SERVING if serving else _Status.NOT_SERVING)
