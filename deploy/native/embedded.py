"""The embedded stack: a ZooKeeper and a Valkey from wheels; files do for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native import preflight
from deploy.native.folder import StateFolder
from deploy.native.part import Part, server_part
from deploy.native.probes import Probe, valkey_answers
from deploy.native.valkey import valkey_command
from deploy.native.versions import server_version
from deploy.native.zookeeper import zookeeper_command
from digits.settings import Settings


class EmbeddedStack:
    """See Stack."""

    name = "embedded"

    def data(self, folder: StateFolder) -> Path:
        """See Stack."""
        return folder.root

    def port_names(self, settings: Settings) -> list[str]:
        """See Stack."""
        servers = {"coordinator_url": "zookeeper", "broker_url": "valkey"}
        return [server for name, server in servers.items() if name not in settings.model_fields_set]

    def addresses(self, ports: Mapping[str, int]) -> dict[str, object]:
        """See Stack."""
        found: dict[str, object] = {}
        if "zookeeper" in ports:
            found["coordinator_url"] = f"zookeeper://127.0.0.1:{ports['zookeeper']}/digits"
        if "valkey" in ports:
            found["broker_url"] = f"redis://127.0.0.1:{ports['valkey']}/0"
        return found

    def servers(self, folder: Path, ports: Mapping[str, int], answers: Mapping[str, Probe]) -> list[Part]:
        """See Stack."""
        commands = {}
        if "zookeeper" in ports:
            java, jars = preflight.find_java(), preflight.spark_jars()
            commands["zookeeper"] = zookeeper_command(java, jars, folder / "zookeeper", ports["zookeeper"])
        if "valkey" in ports:
            commands["valkey"] = valkey_command(preflight.valkey_binary(), folder / "valkey", ports["valkey"])
        return [
            server_part(name, command, answers[name], ports[name], version=server_version(name))
            for name, command in commands.items()
        ]

    def probes(self, ports: Mapping[str, int]) -> dict[str, Probe]:
        """See Stack."""
        return {"valkey": valkey_answers(ports["valkey"])} if "valkey" in ports else {}

    def notes(self, ports: Mapping[str, int]) -> list[str]:
        """See Stack."""
        return []
