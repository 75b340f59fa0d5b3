"""What a stack must know of a server in order to run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from deploy.native.supervision.process_spec import ProcessSpec


class Server(Protocol):
    """A server on loopback, all of it in one class. A mapping of ports has the whole stack's, by name."""

    name: str
    setting: str
    """The setting that names it: if the environment gives it, the server is used there, and not started."""
    ports: tuple[str, ...]
    """A name for each port that it takes; its own address, which bears its name, comes first."""
    needs: tuple[str, ...] = ()
    """The servers that must be up before it starts."""

    def settings(self, ports: Mapping[str, int]) -> dict[str, object]:
        """What the service is told of it, by the names of settings."""

    def command(self, folder: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
        """Writes its configuration below `folder`, which is its own; returns the command that serves it.

        May fetch what it needs. Raises CannotStart.
        """

    def answers(self, ports: Mapping[str, int]) -> bool:
        """Whether it can be used now; returns within about a second and never raises."""

    def version(self) -> str:
        """Its version, told by what is installed; empty if it cannot be told."""


def server_spec(server: Server, folder: Path, ports: Mapping[str, int]) -> ProcessSpec:
    """The process of a server, which stops after the service's own. Raises CannotStart."""
    return ProcessSpec(
        server.name,
        server.command(folder / server.name, ports),
        lambda _pid: server.answers(ports),
        f"127.0.0.1:{ports[server.name]}",
        server.needs,
        stop_rank=3,
        version=server.version(),
    )
