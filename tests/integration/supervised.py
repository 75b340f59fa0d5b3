"""A supervisor in a process of its own, as tests start it, break it and look at what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.native.folder import StateFolder
from deploy.native.supervision import process_tags
from deploy.native.supervision.record import ProcessRecord, RunRecord
from tests.waiting import wait_until

SOME_PROCESSES = Path(__file__).with_name("some_processes.py")
LIMIT_SECONDS = 60.0


def eventually(condition: Callable[[], object], what: str) -> None:
    wait_until(condition, LIMIT_SECONDS, what)


class Service:
    """A supervisor of a few processes, in its own process."""

    def __init__(self, root: Path, output: Path, *names: str) -> None:
        self.folder = StateFolder.at(root)
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, str(SOME_PROCESSES), *names],
                env={**os.environ, "DIGITS_VAR_DIR": str(root)},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, text: str) -> bool:
        return text in self.output.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        eventually(lambda: self.said("ready\n") or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.output.read_text(encoding="utf-8")

    def record(self, name: str) -> ProcessRecord:
        run = RunRecord.read(self.folder)
        assert run is not None
        return next(process for process in run.processes if process.name == name)

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(LIMIT_SECONDS)

    def living(self) -> list[psutil.Process]:
        return [process for process in process_tags.tagged(self.folder.root) if is_alive(process.pid)]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def starting(root: Path, outputs: Path) -> Iterator[Callable[..., Service]]:
    """Starts supervisors, on the state folder `root` unless `at` says another; kills all of it at the end.

    What they print goes to files in the folder `outputs`.
    """
    started: list[Service] = []

    def start(*names: str, at: Path = root) -> Service:
        started.append(Service(at, outputs / f"{uuid.uuid4().hex}.out", *names))
        return started[-1]

    try:
        yield start
    finally:
        for service in started:
            service.process.kill()
            service.process.wait()
            process_tags.end(process_tags.tagged(service.folder.root), leave_seconds=0)
