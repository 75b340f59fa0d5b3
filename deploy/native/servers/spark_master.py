"""The master of a Spark cluster."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.native.servers.server import OPEN, Server
from deploy.native.servers.spark_cluster import java_options, master_state, security
from deploy.native.versions import package_version

MAIN = "org.apache.spark.deploy.master.Master"


class SparkMaster(Server):
    """See Server. Its page and /json are at its second port."""

    name = "spark-master"
    setting = "spark_master"
    ports = ("spark-master", "spark-master-web")

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        address: dict[str, object] = {"spark_master": f"spark://127.0.0.1:{ports['spark-master']}"}
        return address | {"spark_secret": secrets[self.name]} if secrets else address

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server.

        A master that died and is started again by this command goes on with the applications it had. Those of
        an earlier call are forgotten: their drivers are gone, and a master waits a minute for them.
        """
        recovery = folder / "recovery"
        shutil.rmtree(recovery, ignore_errors=True)
        recovery.mkdir(parents=True)
        options = (
            "-Dspark.deploy.recoveryMode=FILESYSTEM",
            f"-Dspark.deploy.recoveryDirectory={recovery}",
            "-Dspark.master.rest.enabled=false",
        )
        port, web_port = ports["spark-master"], ports["spark-master-web"]
        place = ("--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web_port))
        secured = security(folder, secrets.get(self.name, ""))
        return (*java_options(folder), *options, MAIN, *secured, *place)

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether it is ALIVE and so gives out work."""
        state = master_state(ports["spark-master-web"])
        return bool(state) and state["status"] == "ALIVE"

    def version(self) -> str:
        """See Server."""
        return package_version("pyspark")
