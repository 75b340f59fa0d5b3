"""More processes of the service beside those of `digits up`: as many of each as a test wants."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import requests

from deploy.native.service.bridge import GUNICORN
from deploy.native.service.registry_reader import RegistryReader
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.settings import Settings
from tests import own_processes
from tests.ports import free_port
from tests.waiting import wait_until

# Long enough for a bridge whose train call is not done; a server or a worker takes no second.
GRACE_SECONDS = 30.0


class Replica:
    """One process that can be ended and started again under the same address."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        settings: Settings,
        ready: Callable[[int], bool],
        folder: Path,
    ) -> None:
        self.name, self.settings = name, settings
        self._command, self._ready = command, ready
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it can be used."""
        self._process = own_processes.start(self._command, self.settings, self.log)
        wait_until(self._is_ready, seconds=60, what=self.name)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal and waits for the end; returns the exit code."""
        assert self._process
        self._process.send_signal(number)
        return self._process.wait(GRACE_SECONDS)

    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ends it in any case."""
        if self._process and self.runs():
            self._process.kill()
            self._process.wait()

    def process(self) -> psutil.Process:
        """The process."""
        assert self._process
        return psutil.Process(self._process.pid)

    def _is_ready(self) -> bool:
        assert self._process
        return own_processes.ended(self._process, self.log) or self._ready(self._process.pid)


def server(name: str, common: Settings, folder: Path) -> Replica:
    """A gRPC server on a port of its own; ready once it serves a model."""
    port = free_port()
    settings = changed(common, grpc_port=port, server_address=f"127.0.0.1:{port}", var_dir=folder / name)
    return Replica(name, ("server",), settings, lambda _pid: _serves(settings.server), folder)


def bridge(name: str, common: Settings, servers: list[Replica], folder: Path) -> Replica:
    """A REST bridge on a port of its own that calls whichever of the servers answers."""
    addresses = ",".join(each.settings.server for each in servers)
    port = free_port()
    settings = changed(common, rest_port=port, server_address=f"ipv4:{addresses}", var_dir=folder / name)
    url = f"http://127.0.0.1:{port}/readyz"
    return Replica(name, GUNICORN, settings, lambda _pid: _is_ok(url), folder)


def classify_worker(name: str, common: Settings, registry: RegistryReader, folder: Path) -> Replica:
    """One more consumer of the classify queue; ready once it is registered."""
    settings = changed(common, var_dir=folder / name)

    def ready(pid: int) -> bool:
        return registry.worker_registered("classify", pid)

    return Replica(name, ("workers", "classify"), settings, ready, folder)


def changed(settings: Settings, **changes: object) -> Settings:
    """The same settings with some others."""
    return Settings(**{**settings.model_dump(exclude_unset=True), **changes})


def _serves(address: str) -> bool:
    try:
        with Client(address) as client:
            return client.serving(timeout_seconds=2)
    except RemoteError:
        return False


def _is_ok(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
