"""The embedded stack: a ZooKeeper and a Valkey from wheels; files do for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native.folder import StateFolder
from deploy.native.servers.server import Server
from deploy.native.servers.valkey import Valkey
from deploy.native.servers.zookeeper import ZooKeeper
from deploy.native.stacks.stack import Stack


class EmbeddedStack(Stack):
    """See Stack."""

    name = "embedded"
    servers = (ZooKeeper(), Valkey())

    def data(self, folder: StateFolder) -> Path:
        """See Stack."""
        return folder.root

    def usual_servers(self) -> tuple[Server, ...]:
        """See Stack."""
        return self.servers

    def settings(self) -> dict[str, object]:
        """See Stack."""
        return {}

    def notes(self, ports: Mapping[str, int]) -> list[str]:
        """See Stack."""
        return []
