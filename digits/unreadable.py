"""Records in the coordinator that are not what they should be: skipped, told of once, and counted."""

from __future__ import annotations

import logging

from digits.errors import Corrupt

logger = logging.getLogger(__name__)


class UnreadableRecords:
    """Those that one reader has met."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._seen)

    def skip(self, error: Corrupt) -> None:
        """Logs a record at its first time."""
        if str(error) not in self._seen:
            self._seen.add(str(error))
            logger.error("skipped: %s (%d unreadable so far)", error, self.count)
