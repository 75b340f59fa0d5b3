"""Where a process shows its metrics, and the values that are read only when somebody asks."""

from __future__ import annotations

import errno
import os

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from digits.errors import Misconfigured
from digits.settings import Settings
from digits.signals.metrics import build  # noqa: F401 (every process is of a release)

# prometheus_client reads it when it is imported: then the values of several processes are in files there.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def serve(settings: Settings, *collectors: Collector) -> None:
    """Shows this process's metrics on a thread of its own if they have a port; raises Misconfigured."""
    for collector in collectors:
        REGISTRY.register(collector)
    if not settings.metrics_port:
        return
    try:
        start_http_server(settings.metrics_port, settings.metrics_host)
    except OSError as error:
        hint = "; another process has it" if error.errno == errno.EADDRINUSE else ""
        raise Misconfigured(
            f"DIGITS_METRICS_PORT={settings.metrics_port}: cannot listen on {settings.metrics_host} "
            f"({error.strerror}{hint}): choose another, or 0 for no metrics"
        ) from error


def page(*collectors: Collector) -> bytes:
    """The metrics of all processes that share this one's folder, or else its own, in Prometheus' format."""
    registry = REGISTRY
    if FOLDER_VARIABLE in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    gathered = CollectorRegistry()
    gathered.register(registry)
    for collector in collectors:
        gathered.register(collector)
    return generate_latest(gathered)
