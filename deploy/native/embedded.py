"""The parts of the embedded service, composed from settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from deploy.native import preflight
from deploy.native.folder import StateFolder
from deploy.native.part import Part
from deploy.native.ports import free_port, settle
from deploy.native.probes import Probe, ZooKeeperProbe, probes, reachable
from deploy.native.valkey import valkey_command
from deploy.native.zookeeper import zookeeper_command
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


def own_ports(settings: Settings, folder: StateFolder) -> dict[str, int]:
    """Ports of the servers to start: one that the environment names is used as it is."""
    given = settings.model_fields_set
    names = []
    if "coordinator_url" not in given:
        names.append("zookeeper")
    if "broker_url" not in given:
        names.append("valkey")
    return settle(folder.ports, names)


def settled(settings: Settings, folder: StateFolder, ports: Mapping[str, int]) -> Settings:
    """The settings as every process must see them: absolute folders, and the addresses of our own servers."""
    addresses: dict[str, object] = {}
    if "zookeeper" in ports:
        addresses["coordinator_url"] = f"zookeeper://127.0.0.1:{ports['zookeeper']}/digits"
    if "valkey" in ports:
        addresses["broker_url"] = f"redis://127.0.0.1:{ports['valkey']}/0"
    given = settings.model_dump(exclude_unset=True)
    grpc_port = settings.grpc_port or free_port(ports.values())
    return Settings(
        **{
            **addresses,
            **given,
            "var_dir": folder.root,
            "data_dir": settings.data_dir.expanduser().resolve(),
            "grpc_port": grpc_port,
            "rest_port": settings.rest_port or free_port([*ports.values(), grpc_port]),
            "server_address": f"{reachable(settings.grpc_host)}:{grpc_port}",
        }
    )


def variables(settings: Settings) -> dict[str, str]:
    """The settings that are not defaults, as environment variables."""
    given = settings.model_dump(mode="json", exclude_unset=True)
    return {f"DIGITS_{name.upper()}": str(value) for name, value in given.items()}


def rest_url(settings: Settings) -> str:
    """Where this machine reaches the REST bridge."""
    return f"http://{reachable(settings.rest_host)}:{settings.rest_port}"


def embedded_parts(
    settings: Settings, folder: StateFolder, ports: Mapping[str, int], zookeeper: ZooKeeperProbe
) -> list[Part]:
    """Every part in start order; `settings` come from `settled`. Writes the servers' configuration."""
    answers = probes(settings, ports, zookeeper)
    servers = _servers(folder, ports, answers)
    return [*servers, *_processes(settings, folder, tuple(part.name for part in servers), answers)]


def _servers(folder: StateFolder, ports: Mapping[str, int], answers: Mapping[str, Probe]) -> list[Part]:
    commands = {}
    if "zookeeper" in ports:
        java, jars = preflight.find_java(), preflight.spark_jars()
        commands["zookeeper"] = zookeeper_command(java, jars, folder.root / "zookeeper", ports["zookeeper"])
    if "valkey" in ports:
        binary = preflight.valkey_binary()
        commands["valkey"] = valkey_command(binary, folder.root / "valkey", ports["valkey"])
    return [
        Part(name, command, answers[name], f"127.0.0.1:{ports[name]}", stop_rank=3, grace_seconds=10)
        for name, command in commands.items()
    ]


def _processes(
    settings: Settings, folder: StateFolder, needs: tuple[str, ...], answers: Mapping[str, Probe]
) -> list[Part]:
    """The train worker comes first: its start takes the longest."""
    environment = {**ENVIRONMENT, **variables(settings), "SPARK_LOCAL_DIRS": str(folder.root / "spark")}

    def part(name: str, *module: str, stop_rank: int, grace_seconds: float, address: str = "") -> Part:
        command = (sys.executable, "-P", "-m", *module)
        return Part(name, command, answers[name], address, needs, stop_rank, grace_seconds, environment)

    return [
        part("train-worker", "workers", "train", stop_rank=2, grace_seconds=15),
        part("classify-worker", "workers", "classify", stop_rank=2, grace_seconds=10),
        part("server", "server", stop_rank=1, grace_seconds=15, address=settings.server),
        part("bridge", *_gunicorn(settings), stop_rank=0, grace_seconds=8, address=rest_url(settings)),
    ]


def _gunicorn(settings: Settings) -> tuple[str, ...]:
    """One process, since the bridge holds no state and its work is waiting; a thread for each open call."""
    bind = f"{settings.rest_host}:{settings.rest_port}"
    options = ("--workers", "1", "--threads", "64", "--graceful-timeout", "5", "--no-control-socket")
    return ("gunicorn", "rest_bridge.wsgi:app", "--bind", bind, *options)
