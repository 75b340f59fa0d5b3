"""What the elected server does beside the reconciler: removes what jobs leave, and what is too old."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from digits.background import BackgroundLoop
from digits.errors import DigitsError

logger = logging.getLogger(__name__)

_PERIOD_SECONDS = 2.0
# What nobody owns may lie about for a day, and what is too old for more.
_CHORES_SECONDS = 600.0


class Housekeeping:
    """Tidies up after jobs soon, and does each chore now and then.

    On a thread of its own: a store that is slow or hangs must not hold up the reconciler.
    """

    def __init__(
        self, leads: Callable[[], bool], tidy: Callable[[], object], chores: Sequence[Callable[[], object]]
    ) -> None:
        self._leads, self._tidy, self._chores = leads, tidy, chores
        self._chores_from = 0.0
        self.loop = BackgroundLoop("housekeeping", self.turn, _PERIOD_SECONDS)

    def start(self) -> None:
        """Starts on a thread of its own."""
        self.loop.start()

    def stop(self) -> None:
        """Lets what is under way end."""
        self.loop.stop()

    def turn(self) -> None:
        """Does what is due, if this server leads; a chore that goes wrong keeps nobody from the next."""
        if not self._leads():
            return
        if time.monotonic() >= self._chores_from:
            self._chores_from = time.monotonic() + _CHORES_SECONDS
            for chore in self._chores:
                self._try(chore)
        self._tidy()

    def _try(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except DigitsError as error:
            logger.warning("left for the next time: %s", error)
