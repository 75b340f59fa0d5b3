"""A ZooKeeper of three servers, each of which can be killed and started again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from deploy.native.servers.zookeeper import ZooKeeper
from tests.ports import free_port
from tests.processes import Killable
from tests.servers import zookeeper_mode
from tests.waiting import wait_until

# In ticks of two seconds: how long a server may take to join, and may then be behind.
_QUORUM = "initLimit=5\nsyncLimit=2\n"


class Ensemble(Killable):
    """Servers by their number, 0 to 2."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._ports = [free_port() for _ in range(3)]
        self._inner = [f"127.0.0.1:{free_port()}:{free_port()}" for _ in range(3)]

    @property
    def address(self) -> str:
        """HOST:PORT of each, as clients are told."""
        return ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def start(self, number: int) -> None:
        """Starts a server, which then looks for the others."""
        folder = self._folder / str(number)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        command = ZooKeeper().command(folder, {"zookeeper": self._ports[number]})
        members = "".join(f"server.{peer + 1}={address}\n" for peer, address in enumerate(self._inner))
        with (folder / "zoo.cfg").open("a", encoding="utf-8") as configuration:
            configuration.write(_QUORUM + members)
        (folder / "data" / "myid").write_text(f"{number + 1}\n", encoding="utf-8")
        self.run(number, command, folder / "log")

    def leader(self) -> int:
        """The number of the server that leads; waits for one."""
        wait_until(lambda: "leader" in self.modes(), what="a leader")
        return self.modes().index("leader")

    def wait_until_whole(self) -> None:
        """Waits until one leads and the other two follow."""
        wait_until(lambda: sorted(self.modes()) == ["follower", "follower", "leader"], what="an ensemble")

    def modes(self) -> list[str]:
        """What each says that it is: "leader", "follower", or nothing where it is neither."""
        return [zookeeper_mode(port) for port in self._ports]


@contextlib.contextmanager
def zookeeper_ensemble(folder: Path) -> Iterator[Ensemble]:
    """Three servers that have found each other."""
    ensemble = Ensemble(folder)
    try:
        for number in range(3):
            ensemble.start(number)
        ensemble.wait_until_whole()
        yield ensemble
    finally:
        ensemble.stop()
