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


def share_one_arena() -> None:
    """Before there are threads: what one of them freed is what the next one takes."""
    with _other_libraries():
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


class FreedMemory:
    """Gives back what large messages took: gRPC takes one in as small pieces, and malloc kept 190 MB of 60.

    In the event loop, and not beside it: there is one arena, so whoever allocates would wait all the same,
    for some 20 ms of 300 MB.
    """

    def __init__(self) -> None:
        self._due: set[float] = set()

    def give_back_soon(self) -> None:
        """After a large message; many at once are given back together."""
        loop = asyncio.get_running_loop()
        for seconds in _SOON_SECONDS:
            if seconds not in self._due:
                self._due.add(seconds)
                loop.call_later(seconds, self._give_back, seconds)

    def _give_back(self, seconds: float) -> None:
        self._due.discard(seconds)
        _trim()


def _trim() -> None:
    with _other_libraries():
        ctypes.CDLL(None).malloc_trim(0)


def _other_libraries() -> suppress:
    """Other systems' C libraries have no such functions."""
    return suppress(AttributeError, OSError)
