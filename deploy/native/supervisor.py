"""Starts the parts, keeps them up, and stops every one of them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from deploy.native import marks
from deploy.native.child import Child, Phase
from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.part import Part

# TensorFlow and Spark in the train worker take 20 s on two idle cores, and 160 s were seen on busy ones.
START_LIMIT_SECONDS = 300.0
TICK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Show(Protocol):
    """What the supervisor tells whoever watches. No method may raise."""

    def starting(self, names: Sequence[str]) -> None:
        """These parts are not up yet."""

    def up(self, part: Part, seconds: float) -> None:
        """The part can be used, so long after its start."""

    def died(self, part: Part, reason: str, wait_seconds: float) -> None:
        """The part ended by itself and is started again after a while."""

    def stopping(self) -> None:
        """Everything is being stopped."""

    def stopped(self, seconds: float) -> None:
        """Everything is gone."""


class Supervisor:
    """Owns the processes of one state folder. Runs on the main thread: signals and the leash ask for it."""

    def __init__(
        self,
        parts: Sequence[Part],
        folder: StateFolder,
        show: Show,
        start_limit_seconds: float = START_LIMIT_SECONDS,
    ) -> None:
        self.children = [Child(part, folder) for part in parts]
        self._folder = folder
        self._show = show
        self._limit_seconds = start_limit_seconds
        self._all_up = False
        self._stop_requests = 0

    def run(self, ready: Callable[[], None], changed: Callable[[], None]) -> None:
        """Serves until a signal asks to stop; a second one kills what has not ended yet.

        Calls `ready` once, when all parts are up, and `changed` after every change of a part.
        Raises CannotStart where a part does not come up at first. Nothing is left running in any case.
        """
        for child in self.children:
            self._folder.rotate(child.part.name)
        with self._signals():
            try:
                while not self._stop_requests:
                    self._tick(ready, changed)
                    time.sleep(TICK_SECONDS)
            finally:
                self._stop_all()
                changed()

    def _tick(self, ready: Callable[[], None], changed: Callable[[], None]) -> None:
        before = self._phases()
        for child in self.children:
            if not self._stop_requests:
                self._step(child)
        if self._phases() != before:
            changed()
            self._show.starting([c.part.name for c in self.children if c.phase is not Phase.UP])
        if not self._all_up and all(child.phase is Phase.UP for child in self.children):
            self._all_up = True
            ready()

    def _phases(self) -> list[tuple[Phase, int]]:
        return [(child.phase, child.pid) for child in self.children]

    def _step(self, child: Child) -> None:
        """Moves one part on: start it, see that it is up, or that it has ended."""
        if child.phase is Phase.WAITING:
            if child.may_start() and self._are_up(child.part.needs):
                child.start()
        elif child.exit_code() is not None:
            self._ended(child, describe(child.exit_code() or 0))
        elif child.phase is Phase.STARTING:
            self._look(child)

    def _are_up(self, names: Sequence[str]) -> bool:
        return all(child.phase is Phase.UP for child in self.children if child.part.name in names)

    def _look(self, child: Child) -> None:
        if child.part.answers(child.pid):
            child.phase = Phase.UP
            self._show.up(child.part, child.seconds())
        elif child.seconds() > self._limit_seconds:
            child.kill()
            self._ended(child, f"was not ready within {self._limit_seconds:.0f} s")

    def _ended(self, child: Child, reason: str) -> None:
        if not self._all_up:
            raise CannotStart(self._failure(child.part.name, reason))
        self._show.died(child.part, reason, child.back_off())

    def _failure(self, name: str, reason: str) -> str:
        tail = self._folder.tail(name)
        lines = "\n".join(f"  | {line}" for line in tail.splitlines())
        return f"{name} {reason}; its log is {self._folder.log_of(name)}" + (f":\n{lines}" if lines else "")

    def _stop_all(self) -> None:
        began = time.monotonic()
        self._show.stopping()
        asked = self._stop_requests
        for rank in sorted({child.part.stop_rank for child in self.children}):
            self._stop([child for child in self.children if child.part.stop_rank == rank], asked)
        marks.end(marks.marked(self._folder.root), leave_seconds=0.0)
        self._show.stopped(time.monotonic() - began)

    def _stop(self, children: Sequence[Child], asked: int) -> None:
        """Ends some parts together; `asked` is how often a stop was asked for when stopping began."""
        for child in children:
            child.terminate()
        began = time.monotonic()
        left = [child for child in children if child.pid]
        while left:
            waited, hurry = time.monotonic() - began, self._stop_requests > max(asked, 1)
            for child in [c for c in left if hurry or waited > c.part.grace_seconds]:
                child.kill()
            for child in [c for c in left if c.exit_code() is not None]:
                child.clear(0.0 if hurry else marks.LEAVE_SECONDS)
                left.remove(child)
            time.sleep(TICK_SECONDS / 2 if left else 0)
        for child in children:
            child.phase = Phase.DOWN

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def asked(_number: int, _frame: FrameType | None) -> None:
            self._stop_requests += 1

        before = {number: signal.signal(number, asked) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def describe(exit_code: int) -> str:
    """How a process ended, for people: "was killed by SIGKILL" or "exited with code 1"."""
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"exited with code {exit_code}"
