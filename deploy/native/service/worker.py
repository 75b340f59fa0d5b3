"""A Celery worker of the service."""

from __future__ import annotations

from deploy.native.service.own_process import OwnProcess
from deploy.native.service.registry_reader import RegistryReader
from digits.settings import Settings


class Worker(OwnProcess):
    """See OwnProcess. The role is "train" or "classify"."""

    stop_rank = 2

    def __init__(self, role: str, grace_seconds: float) -> None:
        self.name = f"{role}-worker"
        self.module = ("workers", role)
        self._role, self._grace_seconds = role, grace_seconds

    def grace_seconds(self, settings: Settings) -> float:
        """See OwnProcess."""
        return self._grace_seconds

    def address(self, settings: Settings) -> str:
        """It listens nowhere: tasks come by the queue."""
        return ""

    def answers(self, settings: Settings, registry: RegistryReader, pid: int) -> bool:
        """Whether it is registered as a live worker."""
        return registry.worker_registered(self._role, pid)
