"""Memory that was freed goes back to the system, and not only to malloc."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress

# mallopt's number for it, and how many: glibc would give each of thirty threads its own, and each keeps what
# the largest message took. 1 leaves 180 MB after a hundred strange messages, 2 200, as many as it likes 250.
_M_ARENA_MAX = -8
_ARENAS = 1

# What a message came in is free once it is put together, and the message itself at the end of its call.
_SOON_SECONDS = (1.0, 15.0)

_due: set[float] = set()


def share_one_arena() -> None:
    """Before there are threads: what one of them freed is what the next one takes."""
    with _other_libraries():
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back_soon() -> None:
    """After a large message: gRPC takes it in as small pieces, of which malloc kept 190 MB for 60 MB."""
    loop = asyncio.get_running_loop()
    for seconds in _SOON_SECONDS:
        if seconds not in _due:
            _due.add(seconds)
            loop.call_later(seconds, _give_back, seconds)


def _give_back(seconds: float) -> None:
    _due.discard(seconds)
    with _other_libraries():
        ctypes.CDLL(None).malloc_trim(0)


def _other_libraries() -> suppress:
    """Other systems' C libraries have no such functions."""
    return suppress(AttributeError, OSError)
