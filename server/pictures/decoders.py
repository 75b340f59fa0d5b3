"""The processes that read pictures for this server: its own threads would wait for one interpreter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from digits.errors import InvalidInput, Overloaded
from digits.v1.decoding_pb2 import PictureFile, PictureReadings
from server.pictures.decoder import Decoder, DecoderGone

logger = logging.getLogger(__name__)

_MAX_WAITING = 1024
_PAUSE_SECONDS = 1.0
_END_SECONDS = 2.0


class Decoders:
    """Started by the first picture, and again whenever one is missing."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._all: list[Decoder] = []
        # Those that nobody asks just now; None for whoever waits when none could be started.
        self._idle = asyncio.Queue[Decoder | None]()
        self._waiting = 0
        # Whether the last start went well.
        self._can_start = False
        self._starting: asyncio.Task[None] | None = None

    def keep_up(self) -> None:
        """Starts those that are missing; nobody waits for it."""
        self._all = [decoder for decoder in self._all if decoder.alive()]
        if len(self._all) < self._count and (self._starting is None or self._starting.done()):
            self._starting = asyncio.create_task(self._start_missing())

    def pids(self) -> Sequence[int]:
        """Those of the processes that can be asked."""
        return [decoder.pid for decoder in self._all if decoder.alive()]

    async def ask(self, file: PictureFile) -> PictureReadings | None:
        """Returns what a process reads; None if none could be started yet, or any more.

        Raises InvalidInput for a picture that two processes did not survive, and Overloaded if too many wait.
        """
        self.keep_up()
        # While one that ended is replaced, what may have ended it must not come to a thread.
        if not self._all and not self._can_start:
            return None
        try:
            return await self._of_next(file)
        except DecoderGone as gone:
            # It need not have been this picture's fault.
            logger.warning("%s", gone)
        try:
            found = await self._of_next(file)
        except DecoderGone as gone:
            logger.warning("%s", gone)
            found = None
        if found is None:
            raise InvalidInput(file.field, "cannot be read: what read it ended, or took too long")
        return found

    async def end(self) -> None:
        """Ends them, and waits until they are gone."""
        self._count = 0
        if self._starting:
            # A start that is cancelled while the process is made may leave it to nobody.
            await asyncio.wait([self._starting], timeout=_END_SECONDS)
            self._starting.cancel()
            await asyncio.wait([self._starting])
        for decoder in self._all:
            await decoder.end()

    async def _of_next(self, file: PictureFile) -> PictureReadings | None:
        decoder = await self._next()
        if decoder is None:
            return None
        try:
            return await decoder.ask(file)
        finally:
            if decoder.alive():
                self._idle.put_nowait(decoder)

    async def _next(self) -> Decoder | None:
        """The next that is idle, for one caller; None if none could be started."""
        if self._waiting >= _MAX_WAITING:
            raise Overloaded("too many pictures wait to be read", retry_after_seconds=1.0)
        self._waiting += 1
        try:
            while True:
                self.keep_up()
                decoder = await self._idle.get()
                if decoder.alive() if decoder else not self.pids():
                    return decoder
        finally:
            self._waiting -= 1

    async def _start_missing(self) -> None:
        while len(self._all) < self._count:
            try:
                decoder = await Decoder.start()
            except DecoderGone as gone:
                logger.warning("%s", gone)
                if not self.pids():
                    self._can_start = False
                    for _ in range(self._waiting):
                        self._idle.put_nowait(None)
                await asyncio.sleep(_PAUSE_SECONDS)
                return
            self._can_start = True
            self._all.append(decoder)
            self._idle.put_nowait(decoder)
