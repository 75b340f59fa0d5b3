"""What stands for `threading` and `time` in the code under test: whoever waits lets others go on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from tests.simulation.scheduler import Clock, Process, Task


def threading_of(clock: Clock) -> SimpleNamespace:
    """The names of `threading` that the code under test uses."""

    def running() -> Process:
        assert clock.running, "only a process waits"
        return clock.running

    class Thread:
        def __init__(self, target: Callable[[], object], daemon: bool = True, name: str = "thread") -> None:
            self._target, self._name = target, name
            self._task: Task | None = None

        def start(self) -> None:
            self._task = running().spawn(self._name, self._target)

        def join(self, timeout: float | None = None) -> None:
            while self._task and not self._task.over():
                running().point(f"join {self._name}")

    class Lock:
        def __init__(self) -> None:
            self._held = False

        def __enter__(self) -> None:
            while self._held:
                running().point("lock")
            self._held = True

        def __exit__(self, *_: object) -> None:
            self._held = False

    class Condition(Lock):
        def wait_for(self, true: Callable[[], bool], timeout: float | None = None) -> bool:
            end = None if timeout is None else clock.seconds + timeout
            self._held = False
            while not true() and (end is None or clock.seconds < end):
                running().point("wait")
            while self._held:
                running().point("lock")
            self._held = True
            return true()

        def notify_all(self) -> None:
            """Whoever waits looks for itself."""

    return SimpleNamespace(Thread=Thread, Lock=Lock, Condition=Condition)


class Going:
    """A threading.Event that says whether a worker was told to stop.

    To wait for it takes no step for each second.
    """

    def __init__(self, process: Process) -> None:
        self._process, self._set = process, False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float) -> bool:
        self._process.point("wait")
        if not self._set:
            self._process.clock.seconds += timeout
        return self._set
