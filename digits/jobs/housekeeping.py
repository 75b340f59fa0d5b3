"""What the elected server does now and then: sweeps, and removes what is kept no longer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from digits.background import BackgroundLoop
from digits.errors import DigitsError

logger = logging.getLogger(__name__)

# What nobody owns may lie about for an hour, and what is too old for days.
_PERIOD_SECONDS = 600.0


class Housekeeping:
    """Runs its chores one after the other, apart from the reconciler, whom a slow store must not hold up."""

    def __init__(self, leads: Callable[[], bool], chores: Sequence[Callable[[], object]]) -> None:
        self._leads, self._chores = leads, chores
        self.loop = BackgroundLoop("housekeeping", self.turn, _PERIOD_SECONDS)

    def start(self) -> None:
        """Starts on a thread of its own."""
        self.loop.start()

    def stop(self) -> None:
        """Lets the chore under way end."""
        self.loop.stop()

    def turn(self) -> None:
        """Does each chore if this server leads; what goes wrong with one keeps nobody from the next."""
        if not self._leads():
            return
        for chore in self._chores:
            try:
                chore()
            except DigitsError as error:
                logger.warning("left for the next time: %s", error)
