"""The service's own processes as tests start them one by one, with the settings that a test is about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.native.process_settings import variables
from deploy.native.service.addresses import health_address
from deploy.native.service.bridge import GUNICORN, bridge_answers
from deploy.native.service.grpc_server import server_answers
from deploy.native.service.processes import ENVIRONMENT
from digits.settings import Settings
from tests.waiting import wait_until

SERVER = ("server",)
CLASSIFY_WORKER = ("workers", "classify")


@contextmanager
def server(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A gRPC server that answers health checks; ended after the test if it still runs."""
    with process(SERVER, settings, log) as started:
        address = health_address(settings)
        wait_until(lambda: ended(started, log) or server_answers(address), what="the server")
        yield started


@contextmanager
def bridge(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A REST bridge under gunicorn."""
    with process(GUNICORN, settings, log) as started:
        wait_until(lambda: ended(started, log) or bridge_answers(settings), what="the bridge")
        yield started


@contextmanager
def process(module: tuple[str, ...], settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m MODULE` with these settings."""
    started = start(module, settings, log)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(timeout=60)


def start(module: tuple[str, ...], settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """The same for somebody who ends it; its output is added to the log."""
    with log.open("ab") as output:
        command = [sys.executable, "-P", "-m", *module]
        return subprocess.Popen(command, env=environment(settings), stdout=output, stderr=output)


def environment(settings: Settings) -> Mapping[str, str]:
    """The environment that makes these settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DIGITS_")}
    return {**clean, **ENVIRONMENT, **variables(settings)}


def ended(started: subprocess.Popen[bytes], log: Path) -> bool:
    """False while it runs; fails with its log if it has ended."""
    assert started.poll() is None, log.read_text()[-3000:]
    return False
