"""Processes that run one at a time, and change places where they ask something of another system.

A task is a greenlet. Wherever the code under test calls a port, waits or takes a lock, it comes back to
whoever steps it. So a schedule is a list of who goes on when, and the same one always ends the same way. A
process that nobody steps is one that was stopped; one that is killed ends where it stands, and none of its
`finally` blocks reaches another system any more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import NoReturn

from greenlet import getcurrent, greenlet

from digits.errors import DigitsError

# What a call costs, and a look at the clock: time moves on, so that no rate is divided by nothing.
_STEP_SECONDS = 0.01
_LOOK_SECONDS = 1e-6


class Killed(BaseException):
    """This process is gone: what its code still does reaches nobody."""


class Clock:
    """The time that passes for everybody, in seconds, and who runs at the moment."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0
        self.running: Process | None = None

    def monotonic(self) -> float:
        """What time.monotonic says."""
        self.seconds += _LOOK_SECONDS
        return self.seconds

    def time(self) -> float:
        """What time.time says in the running process, whose clock may be wrong."""
        return self.seconds + (self.running.clock_offset if self.running else 0.0)


class Task:
    """A thread of a process."""

    def __init__(self, process: Process, name: str, body: Callable[[], object]) -> None:
        self.process, self.name, self._body = process, name, body
        self.where = "start"
        self.result: object = None
        self.error: DigitsError | None = None
        self._greenlet = greenlet(self._run)

    def over(self) -> bool:
        """Whether it has ended."""
        return bool(self._greenlet.dead)

    def step(self) -> None:
        """Goes on to the next call."""
        clock = self.process.clock
        clock.seconds += _STEP_SECONDS
        clock.running = self.process
        try:
            self._greenlet.switch()
        finally:
            clock.running = None
            self.process.tidy()

    def kill(self) -> None:
        """Ends it where it stands."""
        with contextlib.suppress(Killed):  # One that was never stepped hands it on.
            self._greenlet.throw(Killed)

    def _run(self) -> None:
        try:
            self.result = self._body()
        except Killed:
            return
        except DigitsError as error:
            self.error = error


class Process:
    """A process: its threads, its clock, and the fault that its next call meets."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self.clock = name, clock
        self.alive = True
        self.clock_offset = 0.0
        self.fault = ""
        self.tasks: list[Task] = []

    def spawn(self, name: str, body: Callable[[], object]) -> Task:
        """Starts a thread, which does nothing before its first step."""
        self.tasks.append(Task(self, name, body))
        return self.tasks[-1]

    def point(self, where: str) -> None:
        """Comes back to whoever steps this task; after that the call may happen."""
        if not self.alive:
            raise Killed
        here = getcurrent()
        task = next((task for task in self.tasks if task._greenlet is here), None)
        if task is not None:
            task.where = where
            here.parent.switch()

    def take_fault(self) -> str:
        """The fault that is due, which then is over."""
        fault, self.fault = self.fault, ""
        return fault

    def kill(self) -> None:
        """Ends every thread where it stands."""
        self.alive = False
        for task in list(self.tasks):
            task.kill()
        self.tasks.clear()

    def die(self) -> NoReturn:
        """Ends the process from within, as what kills its worker does."""
        self.alive = False
        raise Killed

    def tidy(self) -> None:
        """Forgets the threads that have ended; all of them if the process died meanwhile."""
        if not self.alive:
            self.kill()
        self.tasks = [task for task in self.tasks if not task.over()]
