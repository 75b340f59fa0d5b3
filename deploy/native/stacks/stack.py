"""A stack: the servers beneath the service, which its own processes reach by settings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deploy.native.folder import StateFolder
from deploy.native.servers.server import OPEN, Server
from digits.settings import Settings


class Stack(Protocol):
    """The servers of one stack."""

    name: str
    servers: tuple[Server, ...]
    """Every server that it knows, in start order."""

    def data(self, folder: StateFolder) -> Path:
        """Where everything is that this stack keeps; no other stack keeps anything there."""

    def usual_servers(self) -> Sequence[Server]:
        """The servers that it starts on this machine, unless the environment names others."""

    def settings(self) -> dict[str, object]:
        """What else the service is told; may fetch what it needs. Raises CannotStart."""

    def notes(self, ports: Mapping[str, int]) -> list[str]:
        """What its user must be told when it starts on those ports, a line each."""


def to_start(stack: Stack, settings: Settings) -> list[Server]:
    """The servers to start: one that the environment names is used, and not started."""
    return [server for server in stack.usual_servers() if server.setting not in settings.model_fields_set]


def started(stack: Stack, ports: Mapping[str, int]) -> list[Server]:
    """The servers that have those ports."""
    return [server for server in stack.servers if server.name in ports]


def addresses(stack: Stack, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
    """The settings that name the servers with those ports, and the stack's own. Raises CannotStart."""
    named = [server.settings(ports, secrets) for server in started(stack, ports)]
    return {name: value for settings in [*named, stack.settings()] for name, value in settings.items()}
