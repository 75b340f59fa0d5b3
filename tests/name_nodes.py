"""An HDFS of two NameNodes, of which one is active, and one DataNode."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import requests

from deploy.native.downloads import jars
from deploy.native.servers.java import find_java
from deploy.native.servers.namenode import NameNode
from tests.ports import free_port
from tests.processes import Killable
from tests.servers import add_to_hdfs_site, data_node
from tests.waiting import wait_until

_ADMIN = "org.apache.hadoop.hdfs.tools.DFSHAAdmin"
_LOCK = shutil.ignore_patterns("in_use.lock")


class NameNodes(Killable):
    """Two NameNodes by their number, 0 and 1. Nobody is active before it was told to be."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.http_ports = [free_port() for _ in range(2)]
        self.rpc_ports = [free_port() for _ in range(2)]

    @property
    def addresses(self) -> list[str]:
        """HOST:PORT of each one's WebHDFS."""
        return [f"127.0.0.1:{port}" for port in self.http_ports]

    def site(self, number: int | None = None) -> dict[str, str]:
        """What hdfs-site.xml says of the pair: to one of them, or to everybody else."""
        site = {
            "dfs.nameservices": "pair",
            "dfs.ha.namenodes.pair": "0,1",
            "dfs.client.failover.proxy.provider.pair": (
                "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
            ),
            "dfs.namenode.shared.edits.dir": f"file://{self._folder}/shared",
            "dfs.ha.tail-edits.period": "1",
        }
        for peer in range(2):
            site[f"dfs.namenode.rpc-address.pair.{peer}"] = f"127.0.0.1:{self.rpc_ports[peer]}"
            site[f"dfs.namenode.http-address.pair.{peer}"] = self.addresses[peer]
        return site if number is None else site | {"dfs.ha.namenode.id": str(number)}

    def start(self) -> None:
        """Starts both, which then stand by."""
        self._start(0)
        wait_until((self._folder / "0" / "formatted").exists, seconds=60, what="a formatted file system")
        # The other begins with what the first has formatted.
        shutil.copytree(self._folder / "0" / "name", self._folder / "1" / "name", ignore=_LOCK)
        (self._folder / "1" / "formatted").touch()
        self._start(1)
        both = ["standby", "standby"]
        wait_until(lambda: [self.state(0), self.state(1)] == both, seconds=90, what="two NameNodes")

    def activate(self, number: int) -> None:
        """Makes one the active one, whatever became of the other."""
        class_path = f"{self._folder / str(number) / 'conf'}:{jars.folder('hdfs')}/*"
        admin = [find_java(), "-XX:TieredStopAtLevel=1", "-cp", class_path, _ADMIN]
        command = [*admin, "-transitionToActive", "--forceactive", str(number)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def state(self, number: int) -> str:
        """What one says that it is: "active" or "standby"; nothing where it does not answer."""
        bean = "Hadoop:service=NameNode,name=NameNodeStatus"
        try:
            answer = requests.get(f"http://{self.addresses[number]}/jmx", {"qry": bean}, timeout=5)
            return str(answer.json()["beans"][0]["State"])
        except (requests.RequestException, LookupError):
            return ""

    def _start(self, number: int) -> None:
        folder = self._folder / str(number)
        folder.mkdir(exist_ok=True)
        ports = {"namenode": self.http_ports[number], "namenode-rpc": self.rpc_ports[number]}
        command = NameNode().command(folder, ports)
        add_to_hdfs_site(folder, self.site(number))
        self.run(number, command, folder / "log")


@contextlib.contextmanager
def name_node_pair(folder: Path) -> Iterator[NameNodes]:
    """A pair whose first is active and takes files."""
    pair = NameNodes(folder)
    try:
        pair.start()
        pair.activate(0)
        with data_node(folder / "data", pair.rpc_ports[0], pair.http_ports[0], pair.site()):
            yield pair
    finally:
        pair.stop()
