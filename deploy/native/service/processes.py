"""The processes of the service, and what all of them are given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial

from deploy.native.loopback import without_proxy
from deploy.native.service.bridge import Bridge
from deploy.native.service.grpc_server import GrpcServer
from deploy.native.service.own_process import OwnProcess
from deploy.native.service.registry_reader import RegistryReader
from deploy.native.service.worker import Worker
from deploy.native.supervision.process_spec import ProcessSpec
from deploy.native.versions import package_version
from digits.settings import Settings

# What the processes read beside their settings.
ENVIRONMENT = {
    "PYSPARK_PYTHON": sys.executable,
    "PYSPARK_DRIVER_PYTHON": sys.executable,
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GRPC_VERBOSITY": "ERROR",
}
# The train worker comes first, since its start takes the longest.
PROCESSES: tuple[OwnProcess, ...] = (Worker("train", 15), Worker("classify", 10), GrpcServer(), Bridge())


def service_specs(
    settings: Settings,
    variables: Mapping[str, str],
    needs: tuple[str, ...],
    registry: RegistryReader,
    metrics_ports: Mapping[str, int],
) -> list[ProcessSpec]:
    """The service's processes as the supervisor runs them.

    `variables` are the settings as they see them; `needs` are the servers that must be up before;
    `metrics_ports` are by the process's name.
    """
    direct = without_proxy(os.environ)
    environment = {
        **ENVIRONMENT,
        **direct,
        **variables,
        "SPARK_LOCAL_DIRS": str(settings.var_dir / "spark"),
    }
    version = package_version("digitservice")

    def environment_of(name: str) -> Mapping[str, str]:
        return {**environment, "DIGITS_METRICS_PORT": str(metrics_ports.get(name, 0))}

    def spec(process: OwnProcess) -> ProcessSpec:
        return ProcessSpec(
            process.name,
            (sys.executable, "-P", "-m", *process.module),
            partial(process.answers, settings, registry),
            process.address(settings),
            needs,
            process.stop_rank,
            process.grace_seconds(settings),
            environment_of(process.name),
            version,
        )

    return [spec(process) for process in PROCESSES]
