"""The service's own processes, which are the same on every stack."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from deploy.native.part import Part
from deploy.native.probes import Probe, reachable
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
GUNICORN = ("gunicorn", "--config", "python:rest_bridge.gunicorn_conf", "rest_bridge.wsgi:app")


def service_parts(
    settings: Settings, variables: Mapping[str, str], needs: tuple[str, ...], answers: Mapping[str, Probe]
) -> list[Part]:
    """The workers, the server and the bridge; the train worker first, since its start takes the longest.

    `variables` are the settings as they see them; `needs` are the servers that must be up before.
    """
    environment = {**ENVIRONMENT, **variables, "SPARK_LOCAL_DIRS": str(settings.var_dir / "spark")}
    version = package_version("digitservice")

    def part(name: str, *module: str, stop_rank: int, grace_seconds: float, address: str = "") -> Part:
        command = (sys.executable, "-P", "-m", *module)
        return Part(
            name, command, answers[name], address, needs, stop_rank, grace_seconds, environment, version
        )

    return [
        part("train-worker", "workers", "train", stop_rank=2, grace_seconds=15),
        part("classify-worker", "workers", "classify", stop_rank=2, grace_seconds=10),
        part("server", "server", stop_rank=1, grace_seconds=_grace(settings), address=settings.server),
        part("bridge", *GUNICORN, stop_rank=0, grace_seconds=_grace(settings), address=rest_url(settings)),
    ]


def rest_url(settings: Settings) -> str:
    """Where this machine reaches the REST bridge."""
    scheme = "https" if settings.tls_certificate_file else "http"
    return f"{scheme}://{reachable(settings.rest_host)}:{settings.rest_port}"


def _grace(settings: Settings) -> float:
    """Longer than what a process itself allows for the calls that it accepted."""
    return settings.drain_notice_seconds + settings.drain_seconds + 5
