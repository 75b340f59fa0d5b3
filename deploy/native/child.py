"""One part as a running process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from enum import StrEnum
from pathlib import Path

import psutil

from deploy.native import marks
from deploy.native.folder import StateFolder
from deploy.native.part import Part

LEASH = Path(__file__).with_name("leash.py")
# A part that dies at once is tried again after 0.5, 1, 2 … 30 s; one that lived a minute starts over.
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
HEALTHY_SECONDS = 60.0


class Phase(StrEnum):
    """Where a part is."""

    WAITING = "waiting"
    STARTING = "starting"
    UP = "up"
    DOWN = "down"


class Child:
    """Starts, watches and ends the process of one part. Use it from one thread."""

    def __init__(self, part: Part, folder: StateFolder) -> None:
        self.part = part
        self.phase = Phase.WAITING
        self.restarts = 0
        self.started_at = 0.0
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._backoff_seconds = FIRST_BACKOFF_SECONDS
        self._not_before = 0.0

    @property
    def pid(self) -> int:
        """The process's id; 0 while there is none."""
        return self._process.pid if self._process else 0

    @property
    def created(self) -> float:
        """When the system made the process: with the id it names one process for ever. 0.0 for none."""
        try:
            return psutil.Process(self.pid).create_time() if self.pid else 0.0
        except psutil.NoSuchProcess:
            return 0.0

    def may_start(self) -> bool:
        """Whether it waits, and its back-off is over."""
        return self.phase is Phase.WAITING and time.monotonic() >= self._not_before

    def start(self) -> None:
        """Starts the process in its own session, so that the terminal's Ctrl-C does not reach it."""
        part = self.part
        leash = (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()))
        environment = {
            **os.environ,
            **part.environment,
            marks.VARIABLE: marks.mark(self._folder.root, part.name),
        }
        with self._folder.log_of(part.name).open("ab") as log:
            self._process = subprocess.Popen(
                [*leash, *part.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self._folder.root,
                start_new_session=True,
            )
        self.phase = Phase.STARTING
        self.started_at = time.monotonic()

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs or was not started."""
        return self._process.poll() if self._process else None

    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self.started_at

    def back_off(self) -> float:
        """Buries a process that has ended by itself, and returns the seconds until it may start again."""
        marks.end(marks.marked(self._folder.root, self.part.name))
        if self.seconds() > HEALTHY_SECONDS:
            self._backoff_seconds = FIRST_BACKOFF_SECONDS
        wait, self._backoff_seconds = (
            self._backoff_seconds,
            min(2 * self._backoff_seconds, LONGEST_BACKOFF_SECONDS),
        )
        self._not_before = time.monotonic() + wait
        self._process = None
        self.phase = Phase.WAITING
        self.restarts += 1
        return wait

    def terminate(self) -> None:
        """Asks the process to end; does nothing where it has."""
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """Ends the process at once; does nothing where it has ended."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def clear(self, leave_seconds: float = marks.LEAVE_SECONDS) -> None:
        """Ends what the ended process left behind."""
        marks.end(marks.marked(self._folder.root, self.part.name), leave_seconds)
        self._process = None
        self.phase = Phase.DOWN
