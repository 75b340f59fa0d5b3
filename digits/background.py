"""Threads that work beside the calls: whatever goes wrong in one, it goes on, and health can see it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from digits.errors import DigitsError
from digits.signals.metrics import background as measured

logger = logging.getLogger(__name__)

_FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 8.0
_STOP_SECONDS = 10.0


class BackgroundLoop:
    """Runs `turn` again and again on a thread of its own, `period_seconds` apart, until it is stopped.

    What `turn` raises is logged, and the next turn comes later each time, up to 8 s and with jitter, so that
    a system that is away costs a line every few seconds and is not met by everybody at once when it is back.
    """

    def __init__(self, name: str, turn: Callable[[], None], period_seconds: float) -> None:
        self.name = name
        self._turn, self._period_seconds = turn, period_seconds
        self._failures = 0
        self._last_turn = time.monotonic()
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    def start(self) -> None:
        """Begins with the first turn at once."""
        self._last_turn = time.monotonic()
        self._thread.start()

    def wake(self) -> None:
        """Has the next turn come at once, unless the loop backs off after a failure."""
        self._woken.set()

    def stop(self, timeout_seconds: float = _STOP_SECONDS) -> None:
        """Lets the turn under way end, and waits for that no longer than the time given."""
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)

    def stopping(self) -> bool:
        """Whether it was told to stop: for turns that take long."""
        return self._stopping.is_set()

    def is_alive(self, max_silence_seconds: float) -> bool:
        """Whether the thread runs and has come to the end of a turn, well or not, in the time given."""
        silent_seconds = time.monotonic() - self._last_turn
        return self._thread.is_alive() and silent_seconds <= max_silence_seconds

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._turn()
                self._failures = 0
            except Exception as error:
                self._failures += 1
                measured.FAILURES.labels(self.name).inc()
                self._log(error)
            self._last_turn = time.monotonic()
            self._wait()

    def _wait(self) -> None:
        if self._failures:
            self._stopping.wait(backoff_seconds(self._failures))
        else:
            self._woken.wait(self._period_seconds)

    def _log(self, error: Exception) -> None:
        if isinstance(error, DigitsError):
            logger.warning("%s tries again: %s", self.name, error)
        else:
            logger.error("%s tries again after what nobody foresaw", self.name, exc_info=error)


def backoff_seconds(failures: int) -> float:
    """Doubles with each failure in a row; a random half of it keeps many processes apart."""
    longest = min(MAX_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** min(failures, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311
