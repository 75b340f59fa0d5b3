"""A Spark cluster of one master and one worker, from pyspark's own jars."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from deploy.native.jvm import log4j2_to_console, small_server

# What a core's executor takes beside its Python worker, which Spark does not count.
GIGABYTES_A_CORE = 2


def master_command(java: str, jars: Path, folder: Path, port: int, web_port: int) -> tuple[str, ...]:
    """The command of the master at spark://127.0.0.1:`port`; its page and /json are at `web_port`.

    A master that died and is started again by this command goes on with the applications it had. Those of an
    earlier call are forgotten: their drivers are gone, and a master waits a minute for them.
    """
    recovery = folder / "recovery"
    shutil.rmtree(recovery, ignore_errors=True)
    recovery.mkdir(parents=True)
    options = (
        "-Dspark.deploy.recoveryMode=FILESYSTEM",
        f"-Dspark.deploy.recoveryDirectory={recovery}",
        "-Dspark.master.rest.enabled=false",
    )
    place = ("--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web_port))
    return (*_options(java, jars, folder), *options, "org.apache.spark.deploy.master.Master", *place)


def worker_command(
    java: str, jars: Path, folder: Path, master_port: int, *, port: int, web_port: int
) -> tuple[str, ...]:
    """The command of the worker that offers every core of this machine to the master."""
    cores = os.cpu_count() or 1
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    offer = ("--cores", str(cores), "--memory", f"{GIGABYTES_A_CORE * cores}g", "--work-dir", str(work))
    place = ("--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web_port))
    options = ("-Dspark.worker.cleanup.enabled=true", "-Dspark.worker.cleanup.appDataTtl=86400")
    main = (*options, "org.apache.spark.deploy.worker.Worker", *offer, *place)
    # As Spark's own start script does; without the Scala version there are no jars for the executors.
    home = ("env", f"SPARK_HOME={jars.parent}", "SPARK_SCALA_VERSION=2.13", "SPARK_LOCAL_IP=127.0.0.1")
    return (*home, *_options(java, jars, folder), *main, f"spark://127.0.0.1:{master_port}")


def _options(java: str, jars: Path, folder: Path) -> tuple[str, ...]:
    return (*small_server(java, 256, folder), log4j2_to_console(folder), "-cp", f"{jars}/*")
