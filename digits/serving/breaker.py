"""Stops asking a queue that does not answer, and finds out when it does again."""

from __future__ import annotations

import time
from collections.abc import Callable

# One late answer is bad luck; a second says that the workers are away.
_FAILURES = 2
_PROBE_SECONDS = 1.0


class Breaker:
    """Open after two failures in a row. While open, `probe_due` says when to try with nobody waiting."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_probe = 0.0

    def is_open(self) -> bool:
        """Whether callers should be answered without the queue."""
        return self._failures >= _FAILURES

    def succeeded(self) -> None:
        """The queue answered."""
        self._failures = 0

    def failed(self) -> None:
        """The queue did not answer."""
        self._failures += 1
        self._next_probe = self._clock() + _PROBE_SECONDS

    def probe_due(self) -> bool:
        """Whether somebody should try the queue now; once asked, not again for a while."""
        if not self.is_open() or self._clock() < self._next_probe:
            return False
        self._next_probe = self._clock() + _PROBE_SECONDS
        return True
