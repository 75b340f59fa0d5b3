"""Which jobs are open, for those who wait for one: nobody waits for the answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from digits.errors import Overloaded, Unavailable
from digits.jobs.open_index import OpenIndex
from server.blocking import blocking


class OpenJobs:
    """What was there at a look, which is no older than some seconds if the coordinator answers."""

    def __init__(self, index: OpenIndex, seconds: float) -> None:
        self._index, self._seconds = index, seconds
        self._names: list[str] = []
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    def count_before(self, job_id: str) -> int:
        """How many were accepted before this one; 0 until that is known."""
        if time.monotonic() >= self._look_at and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())
        return sum(name < job_id for name in self._names)

    async def _look(self) -> None:
        self._names = []
        with suppress(Unavailable, Overloaded):
            self._names = await blocking(self._index.names)
        self._look_at = time.monotonic() + self._seconds
