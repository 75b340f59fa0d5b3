"""Every process of a service is killed once while something goes on in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from benchmarks.beside import beside
from benchmarks.held_memory import state_folder
from digits.settings import Settings
from tests.chaos.processes import find, parts_of
from tests.service import Service


@contextmanager
def killing(settings: Settings, pause_seconds: float) -> Iterator[list[str]]:
    """Kills one part after the other, each once; yields the names of those that were hit so far."""
    service = Service(state_folder(settings), settings.data_dir, settings.grpc_port, settings.rest_port)
    killed: list[str] = []

    def kill_each(over: threading.Event) -> None:
        for part in parts_of(service):
            while not over.wait(pause_seconds):
                if _kill(service, part):
                    killed.append(part)
                    break

    with beside(kill_each):
        yield killed


def _kill(service: Service, part: str) -> bool:
    """False if it is not there just now."""
    with suppress(psutil.Error):
        if process := find(service, part):
            process.kill()
            return True
    return False
