"""Starts the processes, keeps them up, and stops every one of them."""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from collections.abc import Callable, Sequence

from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.supervision.log_rotation import rotate
from deploy.native.supervision.managed_process import ManagedProcess, Phase
from deploy.native.supervision.process_spec import ProcessSpec
from deploy.native.supervision.show import Show
from deploy.native.supervision.shutdown import stop_all
from deploy.native.supervision.stop_requests import StopRequests

logger = logging.getLogger(__name__)

# TensorFlow and Spark in the train worker take 20 s on two idle cores, and 160 s were seen on busy ones.
MAX_START_SECONDS = 300.0
TICK_SECONDS = 0.1


class Supervisor:
    """Owns the processes of one state folder, and outlives what it cannot write there.

    It runs on the main thread: signals come there, and a process that another thread starts dies with it.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        folder: StateFolder,
        show: Show,
        max_start_seconds: float = MAX_START_SECONDS,
    ) -> None:
        self.processes = [ManagedProcess(spec, folder) for spec in specs]
        self._folder = folder
        self._show = show
        self._max_start_seconds = max_start_seconds
        self._all_up = False
        self._is_recorded = True
        self._broken_probes = set[str]()
        self._stop_requests = StopRequests()

    def run(self, ready: Callable[[], None], record: Callable[[], None]) -> None:
        """Serves until a signal asks to stop; a second one kills what has not ended yet.

        Calls `ready` once, when all processes are up, and `record` after every change of a process; if that
        raises OSError, it is called again until it does not.
        Raises CannotStart when a process does not come up at first. Nothing is left running in any case.
        """
        with self._stop_requests.listening():
            try:
                while not self._stop_requests.count:
                    self._tick(ready, record)
                    time.sleep(TICK_SECONDS)
            finally:
                self._stop()
                with contextlib.suppress(OSError):
                    record()

    def _tick(self, ready: Callable[[], None], record: Callable[[], None]) -> None:
        before = self._phases()
        for process in self.processes:
            if not self._stop_requests.count:
                self._step(process)
        if self._phases() != before:
            self._is_recorded = self._record(record)
            self._show.starting([p.spec.name for p in self.processes if p.phase is not Phase.UP])
        elif not self._is_recorded:
            self._is_recorded = self._record(record)
        if not self._all_up and all(process.phase is Phase.UP for process in self.processes):
            self._all_up = True
            ready()
            self._is_recorded = self._record(record)
        self._rotate_logs()

    def _phases(self) -> list[tuple[Phase, int]]:
        return [(process.phase, process.pid) for process in self.processes]

    def _record(self, record: Callable[[], None]) -> bool:
        """Whether it could be written; says so once when it could not."""
        try:
            record()
        except OSError as error:
            if self._is_recorded:
                self._show.unrecorded(error.strerror or str(error))
            return False
        return True

    def _rotate_logs(self) -> None:
        for log in self._folder.logs.glob("*.log"):
            # Without room for a copy the log waits: a full disk takes no more of it either.
            with contextlib.suppress(OSError):
                rotate(log)

    def _step(self, process: ManagedProcess) -> None:
        """Moves one process on: start it, see that it is up, or that it has ended."""
        if process.phase is Phase.WAITING:
            # Once all were up, what ended comes back whoever else is away: it waits itself, or does without.
            if process.may_start() and (self._all_up or self._are_up(process.spec.needs)):
                self._start(process)
        elif process.exit_code() is not None:
            self._ended(process, describe(process.exit_code() or 0))
        elif process.phase is Phase.STARTING:
            self._look(process)

    def _are_up(self, names: Sequence[str]) -> bool:
        return all(process.phase is Phase.UP for process in self.processes if process.spec.name in names)

    def _start(self, process: ManagedProcess) -> None:
        try:
            process.start()
        except OSError as error:
            self._ended(process, f"cannot be started ({error.strerror})")

    def _look(self, process: ManagedProcess) -> None:
        if self._answers(process):
            process.phase = Phase.UP
            self._show.up(process.spec, process.seconds())
        elif process.seconds() > self._max_start_seconds:
            process.kill()
            self._ended(process, f"was not ready within {self._max_start_seconds:.0f} s")

    def _answers(self, process: ManagedProcess) -> bool:
        """A probe that breaks ends nothing: its process counts as one that does not answer."""
        try:
            return process.spec.answers(process.pid)
        except Exception:
            if process.spec.name not in self._broken_probes:
                logger.exception("the probe of %s broke", process.spec.name)
            self._broken_probes.add(process.spec.name)
            return False

    def _ended(self, process: ManagedProcess, reason: str) -> None:
        if not self._all_up:
            raise CannotStart(self._failure(process.spec.name, reason))
        self._show.died(process.spec, reason, process.back_off())

    def _failure(self, name: str, reason: str) -> str:
        tail = self._folder.tail(name)
        lines = "\n".join(f"  | {line}" for line in tail.splitlines())
        return f"{name} {reason}; its log is {self._folder.log_of(name)}" + (f":\n{lines}" if lines else "")

    def _stop(self) -> None:
        began = time.monotonic()
        self._show.stopping()
        stop_all(self.processes, self._folder.root, self._stop_requests)
        self._show.stopped(time.monotonic() - began)


def describe(exit_code: int) -> str:
    """How a process ended, for people: "was killed by SIGKILL" or "exited with code 1"."""
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"exited with code {exit_code}"
