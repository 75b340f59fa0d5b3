"""HDFS's DataNode, which keeps the blocks."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from deploy.native.downloads import jars
from deploy.native.loopback import PROBE_SECONDS, listens
from deploy.native.servers.hadoop import HOST, java_options
from deploy.native.servers.server import OPEN, Server

MAIN = "org.apache.hadoop.hdfs.server.datanode.DataNode"
# The probe's folder and user.
PROBE = "digits-usable"


class DataNode(Server):
    """See Server."""

    name = "datanode"
    setting = "store_url"
    ports = ("datanode", "datanode-data", "datanode-ipc")

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """None: the service is told of the NameNode."""
        return {}

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server."""
        site = {
            "dfs.datanode.data.dir": f"file://{folder}/data",
            "dfs.datanode.http.address": f"{HOST}:{ports['datanode']}",
            "dfs.datanode.address": f"{HOST}:{ports['datanode-data']}",
            "dfs.datanode.ipc.address": f"{HOST}:{ports['datanode-ipc']}",
        }
        return (*java_options(folder, ports["namenode-rpc"], site), MAIN)

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether a file can be published by WebHDFS and reads the same: then a DataNode took it."""
        address = f"{HOST}:{ports['namenode']}"
        return listens(address) and _publishes_a_file(address)

    def version(self) -> str:
        """See Server."""
        return jars.pinned_version("hdfs", "hadoop-client-minicluster")


def _publishes_a_file(address: str) -> bool:
    import requests  # noqa: PLC0415
    from hdfs import HdfsError, InsecureClient  # noqa: PLC0415

    session = requests.Session()
    # No proxy of the environment, which would be asked for loopback too.
    session.trust_env = False
    client = InsecureClient(f"http://{address}", user=PROBE, session=session, timeout=2 * PROBE_SECONDS)
    path, content = f"/{PROBE}/{uuid.uuid4().hex}", os.urandom(16)
    with contextlib.suppress(HdfsError, requests.RequestException):
        try:
            client.write(path, content)
            with client.read(path) as reader:
                return bool(reader.read() == content)
        finally:
            client.delete(f"/{PROBE}", recursive=True)
    return False
