"""What must be known of one of the service's own processes in order to run it."""

from __future__ import annotations

from typing import Protocol

from deploy.native.service.registry_reader import RegistryReader
from digits.settings import Settings


class OwnProcess(Protocol):
    """A process of the service, all of it in one class. `settings` are those that it runs with."""

    name: str
    module: tuple[str, ...]
    """What comes after `python -m`."""
    stop_rank: int
    """See ProcessSpec."""

    def grace_seconds(self, settings: Settings) -> float:
        """See ProcessSpec."""

    def address(self, settings: Settings) -> str:
        """Where it listens; empty if it does not."""

    def answers(self, settings: Settings, registry: RegistryReader, pid: int) -> bool:
        """Whether the process of that id can be used now; returns within about a second and never raises."""


def drain_grace_seconds(settings: Settings) -> float:
    """Longer than what a process itself allows for the calls that it accepted."""
    return settings.drain_notice_seconds + settings.drain_seconds + 5
