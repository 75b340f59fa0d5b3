"""The worker of a Spark cluster."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.native.servers import java
from deploy.native.servers.server import OPEN, Server
from deploy.native.servers.spark_cluster import java_options, master_state, security
from deploy.native.versions import package_version

MAIN = "org.apache.spark.deploy.worker.Worker"
# What a core's executor takes beside its Python worker, which Spark does not count.
GIGABYTES_A_CORE = 2


class SparkWorker(Server):
    """See Server. It offers every core of this machine to the master."""

    name = "spark-worker"
    setting = "spark_master"
    ports = ("spark-worker", "spark-worker-web")
    # A worker that misses the master at first asks again after ten seconds.
    needs = ("spark-master",)

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        return {"spark_cores": _cores()}

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server."""
        work = folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        memory = f"{GIGABYTES_A_CORE * _cores()}g"
        offer = ("--cores", str(_cores()), "--memory", memory, "--work-dir", str(work))
        port, web_port = ports["spark-worker"], ports["spark-worker-web"]
        place = ("--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web_port))
        options = ("-Dspark.worker.cleanup.enabled=true", "-Dspark.worker.cleanup.appDataTtl=86400")
        secured = security(folder, secrets.get("spark-master", ""))
        main = (*options, MAIN, *secured, *offer, *place, f"spark://127.0.0.1:{ports['spark-master']}")
        return ("env", *_environment(), f"TMPDIR={_temporary(folder)}", *java_options(folder), *main)

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether the master counts on it."""
        state, port = master_state(ports["spark-master-web"]), ports["spark-worker"]
        workers = state["workers"] if state else []
        return any(worker["port"] == port and worker["state"] == "ALIVE" for worker in workers)

    def version(self) -> str:
        """See Server."""
        return package_version("pyspark")


def _temporary(folder: Path) -> Path:
    """Where executors' Python workers write temporary files; those of killed ones go with the next start."""
    temporary = folder / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    return temporary


def _environment() -> tuple[str, ...]:
    """As Spark's own start script has it; without the Scala version there are no jars for the executors."""
    home = java.spark_jars().parent
    return (f"SPARK_HOME={home}", "SPARK_SCALA_VERSION=2.13", "SPARK_LOCAL_IP=127.0.0.1")


def _cores() -> int:
    return os.cpu_count() or 1
