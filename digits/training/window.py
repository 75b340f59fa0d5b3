"""Back-pressure: the log never holds more unread blocks than a window, and the window follows the trainer."""

from __future__ import annotations

import math
import threading

# Tried on simulated trainers of three speeds (tests/unit/test_window.py): within a quarter of the target
# after eight micro-batches.
_PROPORTIONAL = 0.4
_INTEGRAL = 0.5
_MAX_STEP = 1.0


class BatchSizer:
    """A proportional-integral controller of the blocks in a micro-batch, in its velocity form.

    It works on the logarithm of the size, so that twice too slow and twice too fast weigh the same.
    """

    def __init__(self, blocks: int, max_blocks: int, target_seconds: float) -> None:
        self._size = float(min(blocks, max_blocks))
        self._max_blocks = max_blocks
        self._target = target_seconds
        self._error_before = 0.0

    @property
    def blocks(self) -> int:
        """Blocks that the next micro-batch should have."""
        return max(1, round(self._size))

    def measured(self, blocks: int, seconds: float) -> None:
        """Learns from a micro-batch; one that the source could not fill counts by its rate."""
        expected = seconds * self._size / blocks
        error = max(-_MAX_STEP, min(_MAX_STEP, math.log(self._target / expected)))
        step = _PROPORTIONAL * (error - self._error_before) + _INTEGRAL * error
        self._size = max(1.0, min(float(self._max_blocks), self._size * math.exp(step)))
        self._error_before = error


class IngestWindow:
    """Lets an appender run ahead of the trainer by a bounded number of blocks."""

    def __init__(self, size: int, appended: int, trained: int) -> None:
        self._size, self._appended, self._trained = size, appended, trained
        self._packed = 0
        self._changed = threading.Condition()
        self._closed = False

    def room(self, max_blocks: int) -> int:
        """Waits until at least one block may be appended; returns how many may, 0 once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.unread() < self._size)
            return 0 if self._closed else min(max_blocks, self._size - self.unread())

    def mark_packed(self) -> None:
        """Counts a block that was made, or a look at those who make them: whoever fills the log lives."""
        self._packed += 1

    def mark_appended(self, blocks: int) -> None:
        """Counts blocks that were appended."""
        with self._changed:
            self._appended += blocks
            self._changed.notify_all()

    def mark_begun(self, max_blocks: int, next_blocks: int) -> None:
        """A micro-batch takes what there is, up to `max_blocks`; meanwhile the next one's may come."""
        with self._changed:
            # Who appends may not have counted all that is trained by now.
            self._size = max(0, min(self.unread(), max_blocks)) + next_blocks
            self._changed.notify_all()

    def mark_trained(self, blocks: int, next_blocks: int) -> None:
        """Counts blocks that were trained; for the next micro-batch no more come than `next_blocks`."""
        with self._changed:
            self._trained += blocks
            self._size = next_blocks
            self._changed.notify_all()

    def unread(self) -> int:
        """Blocks appended and not trained yet."""
        return self._appended - self._trained

    def size(self) -> int:
        """The most blocks that may be appended and not trained yet."""
        return self._size

    def appended(self) -> int:
        """Blocks appended in all."""
        return self._appended

    def packed(self) -> int:
        """Blocks made so far, whether the log had them already or not."""
        return self._packed

    def wait_for(self, blocks: int, total: int, timeout_seconds: float) -> bool:
        """Waits until so many blocks are unread, or all `total` are appended, or this is closed.

        Returns False if that takes longer.
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: self._closed or self.unread() >= min(blocks, self._size) or self._appended >= total,
                timeout_seconds,
            )

    def is_closed(self) -> bool:
        """Whether nothing more is to be appended."""
        return self._closed

    def close(self) -> None:
        """Frees everybody who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
