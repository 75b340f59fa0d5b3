"""HDFS's NameNode, reached by WebHDFS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native.downloads import jars
from deploy.native.loopback import get_json
from deploy.native.servers.hadoop import HOST, java_options
from deploy.native.servers.jvm import once
from deploy.native.servers.server import OPEN, Server

CLUSTER = "digits"
MAIN = "org.apache.hadoop.hdfs.server.namenode.NameNode"


class NameNode(Server):
    """See Server."""

    name = "namenode"
    setting = "store_url"
    ports = ("namenode", "namenode-rpc")

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        address = f"webhdfs://{HOST}:{ports['namenode']}"
        return {"store_url": f"{address}/digits", "batches_url": f"{address}/batches"}

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server. The command formats the file system when it runs for the first time."""
        site = {
            "dfs.namenode.name.dir": f"file://{folder}/name",
            "dfs.namenode.http-address": f"{HOST}:{ports['namenode']}",
            "dfs.namenode.rpc-address": f"{HOST}:{ports['namenode-rpc']}",
        }
        options = java_options(folder, ports["namenode-rpc"], site)
        form = (*options, MAIN, "-format", "-force", "-nonInteractive", "-clusterid", CLUSTER)
        return once(folder / "formatted", form, (*options, MAIN))

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether WebHDFS answers; files can be written once there is a DataNode, too."""
        return get_json(f"http://{HOST}:{ports['namenode']}/webhdfs/v1/?op=GETFILESTATUS") is not None

    def version(self) -> str:
        """See Server."""
        return jars.pinned_version("hdfs", "hadoop-client-minicluster")
