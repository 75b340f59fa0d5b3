"""Tells a job that went wrong from a system that was away, and waits for that system."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from digits.errors import DigitsError, Unavailable

logger = logging.getLogger(__name__)

_ASK_SECONDS = 1.0

Answer = TypeVar("Answer")


def until_answered(asks: Callable[[], Answer], stopping: threading.Event) -> Answer:
    """Calls `asks` until it raises no Unavailable; what was asked may be done more than once.

    Raises Unavailable only if the worker is told to stop first.
    """
    was_away = False
    while True:
        try:
            return asks()
        except Unavailable as error:
            if not was_away:
                logger.warning("waiting for what is away: %s", error)
            was_away = True
            if stopping.wait(_ASK_SECONDS):
                raise


def wait_for_recovery(asks: Callable[[], object], stopping: threading.Event, max_seconds: float) -> bool:
    """Calls `asks` until it raises no Unavailable; returns whether it raised any.

    Waits no longer than `max_seconds`, nor once the worker is told to stop: an outage it was all the same.
    """
    end = time.monotonic() + max_seconds
    was_away = False
    while away := _away(asks):
        if not was_away:
            logger.warning("waiting for what is away: %s", away)
        was_away = True
        if time.monotonic() > end or stopping.wait(_ASK_SECONDS):
            break
    return was_away


def _away(asks: Callable[[], object]) -> Unavailable | None:
    try:
        asks()
    except Unavailable as error:
        return error
    except DigitsError:
        pass  # An answer, if not a good one: somebody is there.
    return None
