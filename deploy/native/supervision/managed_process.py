"""One process that is started, watched and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from enum import StrEnum

import psutil

from deploy.native.folder import StateFolder
from deploy.native.supervision import parent_death_signal, process_tags
from deploy.native.supervision.process_spec import ProcessSpec

# A process that dies at once is tried again after 0.5, 1, 2 … 30 s. One that lived for ten seconds, in which
# systemd too counts a service's starts, died of something else: it starts over, or callers would wait for it.
MIN_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
HEALTHY_SECONDS = 10.0


class Phase(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    UP = "up"
    DOWN = "down"


class ManagedProcess:
    """Starts, watches and ends the process of one spec. Use it from one thread."""

    def __init__(self, spec: ProcessSpec, folder: StateFolder) -> None:
        self.spec = spec
        self.phase = Phase.WAITING
        self.restarts = 0
        self.started_at = 0.0
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._backoff_seconds = MIN_BACKOFF_SECONDS
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
        """Starts the process in its own session, so that the terminal's Ctrl-C does not reach it.

        Raises OSError when its log cannot be opened, or the system makes no process.
        """
        self.started_at = time.monotonic()
        tied = (sys.executable, "-I", "-S", parent_death_signal.__file__, str(os.getpid()))
        with self._folder.log_of(self.spec.name).open("ab") as log:
            self._process = subprocess.Popen(
                [*tied, *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                cwd=self._folder.root,
                start_new_session=True,
            )
        self.phase = Phase.STARTING

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs or was not started."""
        return self._process.poll() if self._process else None

    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self.started_at

    def back_off(self) -> float:
        """Clears up after an end that nobody asked for; returns the seconds until it may start again."""
        process_tags.end(process_tags.tagged(self._folder.root, self.spec.name))
        if self.seconds() > HEALTHY_SECONDS:
            self._backoff_seconds = MIN_BACKOFF_SECONDS
        wait, self._backoff_seconds = (
            self._backoff_seconds,
            min(2 * self._backoff_seconds, MAX_BACKOFF_SECONDS),
        )
        self._not_before = time.monotonic() + wait
        self._process = None
        self.phase = Phase.WAITING
        self.restarts += 1
        return wait

    def terminate(self) -> None:
        """Asks the process to end; does nothing if it has."""
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """Ends the process at once; does nothing if it has ended."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def clear(self, leave_seconds: float = process_tags.MAX_LEAVE_SECONDS) -> None:
        """Ends what the ended process left behind."""
        process_tags.end(process_tags.tagged(self._folder.root, self.spec.name), leave_seconds)
        self._process = None
        self.phase = Phase.DOWN

    def _environment(self) -> dict[str, str]:
        tag = process_tags.tag(self._folder.root, self.spec.name)
        return {**os.environ, **self.spec.environment, process_tags.VARIABLE: tag}
