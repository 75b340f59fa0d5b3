"""What a stack must know of a server in order to run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from deploy.native.supervision.process_spec import ProcessSpec

OPEN: Mapping[str, str] = MappingProxyType({})
"""The secrets of a stack without any: its servers ask nobody who he is."""
USERNAME = "digits"
"""Who the service is to each server that wants a name with its secret."""


class Server(Protocol):
    """A server on loopback, all of it in one class.

    A mapping of ports has the whole stack's, by name; one of secrets has one for each server, by its name. A
    secret is on no command line, which every user of this machine can read.
    """

    name: str
    setting: str
    """The setting that names it: if the environment gives it, the server is used there, and not started."""
    ports: tuple[str, ...]
    """A name for each port that it takes; its own address, which bears its name, comes first."""
    needs: tuple[str, ...] = ()
    """The servers that must be up before it starts."""

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """What the service is told of it, by the names of settings."""

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """Writes its configuration below `folder`, which is its own; returns the command that serves it.

        May fetch what it needs. Raises CannotStart.
        """

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether it can be used now; returns within about a second and never raises."""

    def version(self) -> str:
        """Its version, told by what is installed; empty if it cannot be told."""


def server_spec(
    server: Server, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str]
) -> ProcessSpec:
    """The process of a server, which stops after the service's own. Raises CannotStart."""
    return ProcessSpec(
        server.name,
        server.command(folder / server.name, ports, secrets),
        lambda _pid: server.answers(ports, secrets),
        f"127.0.0.1:{ports[server.name]}",
        server.needs,
        stop_rank=3,
        version=server.version(),
    )
