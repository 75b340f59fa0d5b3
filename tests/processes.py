"""Servers as processes of a test: one for a while, or several that are killed and started again."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from tests.ports import listens
from tests.waiting import wait_until


@contextlib.contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """Runs a server on loopback until it is no longer needed."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            wait_until(
                lambda: _ended(process, log) or listens(port), seconds=90, what=f"{command[0]} on {port}"
            )
            yield
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    """Has a process stand still; a busy machine needs a moment until each of its threads does."""
    process.suspend()
    try:
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, what="a standstill")
        yield
    finally:
        process.resume()


class Killable:
    """Processes by their number."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def run(self, number: int, command: Sequence[str], log: Path) -> None:
        """Starts one; its output is added to the log."""
        with log.open("ab") as output:
            self._running[number] = subprocess.Popen(command, stdout=output, stderr=output)

    def kill(self, number: int) -> None:
        """kill -9."""
        process = self._running.pop(number)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Kills what still runs."""
        for number in list(self._running):
            self.kill(number)


def _ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    """False while it runs; fails with its log if it has ended."""
    assert process.poll() is None, log.read_text(errors="replace")[-3000:]
    return False
