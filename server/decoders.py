"""The processes that read pictures for this server: its own threads would wait for one interpreter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from digits.errors import Overloaded
from server.decoder import Decoder, DecoderGone

logger = logging.getLogger(__name__)

# One that is read, and one that is there when the next can begin.
_MESSAGES_EACH = 2
_MAX_WAITING = 1024


class Decoders:
    """Started by the first picture, and again whenever one is missing."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._decoders: list[Decoder] = []
        self._starting: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(_MESSAGES_EACH * count)
        self._waiting = 0
        self._were_ready = False

    def ready(self) -> bool:
        """Whether pictures are for them: not before the first one has started, which nobody waits for."""
        if self._count > 0 and len(self._alive()) < self._count:
            self._start()
        return self._were_ready

    async def ask(self, message: bytes) -> bytes:
        """Returns the answer to a message; raises DecoderGone, and Overloaded when too many wait.

        One whose process ended is asked once more, of another: it need not have been this picture's fault.
        """
        if self._waiting >= _MAX_WAITING:
            raise Overloaded("too many pictures wait to be read", retry_after_seconds=1.0)
        self._waiting += 1
        async with self._room:
            self._waiting -= 1
            try:
                return await (await self._least_busy()).ask(message)
            except DecoderGone:
                return await (await self._least_busy()).ask(message)

    def pids(self) -> Sequence[int]:
        """Those of the processes that can be asked."""
        return [decoder.pid for decoder in self._alive()]

    async def end(self) -> None:
        """Ends them, and waits until they are gone."""
        self._count = 0
        if self._starting:
            await self._starting
        for decoder in self._decoders:
            await decoder.end()

    def _alive(self) -> list[Decoder]:
        return [decoder for decoder in self._decoders if decoder.alive()]

    async def _least_busy(self) -> Decoder:
        if not self._alive():
            await asyncio.shield(self._start())
        alive = self._alive()
        if not alive:
            raise DecoderGone
        return min(alive, key=lambda decoder: decoder.waiting)

    def _start(self) -> asyncio.Task[None]:
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start_missing())
        return self._starting

    async def _start_missing(self) -> None:
        self._decoders = self._alive()
        while len(self._decoders) < self._count:
            try:
                self._decoders.append(await Decoder.start())
            except (DecoderGone, OSError) as error:
                logger.warning("no process that reads pictures could be started: %s", error)
                return
            self._were_ready = True
