"""Asks a server again that answered before and is away: it is back in a few seconds, or another is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from digits.client.errors import RemoteError

_RETRY_SECONDS = 0.25

Reply = TypeVar("Reply")


class Patience:
    """Of one client. A server that never answered is not waited for: its address may be wrong."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answered = False

    def ask(self, asks: Callable[[], Reply]) -> Reply:
        """What `asks`, which may be asked twice, comes to; raises RemoteError."""
        end = time.monotonic() + self._seconds
        while True:
            try:
                reply = asks()
            except RemoteError as error:
                if not (error.unanswered and self._answered and time.monotonic() < end):
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                self._answered = True
                return reply
