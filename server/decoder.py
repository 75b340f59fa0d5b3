"""One process that reads pictures for this server, as its event loop sees it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from contextlib import suppress

from digits.errors import Unavailable
from server.decoder_process import LENGTH_BYTES, frame

logger = logging.getLogger(__name__)

_START_SECONDS = 30.0
# The slowest picture that is not large takes a twentieth of a second of one core.
_ANSWER_SECONDS = 20.0


class DecoderGone(Unavailable):
    """The process ended, or was ended since it did not answer."""

    def __init__(self) -> None:
        super().__init__("what reads pictures ended; send the picture again")


class Decoder:
    """Answers come in the order of the questions."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked: deque[asyncio.Future[bytes]] = deque()
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls) -> Decoder:
        """Starts one, and waits until it is ready; raises DecoderGone."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.decoder_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        decoder = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await decoder._frame()
        except (TimeoutError, EOFError, OSError) as error:
            await decoder.end()
            raise DecoderGone from error
        decoder._listening = asyncio.create_task(decoder._listen())
        return decoder

    @property
    def pid(self) -> int:
        """The process's."""
        return self._process.pid

    @property
    def waiting(self) -> int:
        """How many questions are not answered yet."""
        return len(self._asked)

    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._listening is not None and not self._listening.done()

    async def ask(self, message: bytes) -> bytes:
        """Returns the answer to a message; raises DecoderGone."""
        if not self.alive() or self._process.stdin is None:
            raise DecoderGone
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._process.stdin.write(frame(message))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            self.kill()
            raise DecoderGone from None

    def kill(self) -> None:
        """Ends it at once; whoever waits for an answer hears of it."""
        if self._process.returncode is None:
            self._process.kill()

    async def end(self) -> None:
        """The same, and waits until nothing of it is left."""
        self.kill()
        if self._process.stdin:
            self._process.stdin.close()
            with suppress(OSError):
                await self._process.stdin.wait_closed()
        if self._listening:
            await self._listening
        await self._process.wait()

    async def _listen(self) -> None:
        try:
            while True:
                answer = await self._frame()
                asked = self._asked.popleft()
                # Whoever asked may have left.
                if not asked.done():
                    asked.set_result(answer)
        except (EOFError, OSError):
            logger.info("process %d, which read pictures, is gone", self.pid)
        finally:
            self.kill()
            for asked in self._asked:
                if not asked.done():
                    asked.set_exception(DecoderGone())

    async def _frame(self) -> bytes:
        assert self._process.stdout
        length = await self._process.stdout.readexactly(LENGTH_BYTES)
        return await self._process.stdout.readexactly(int.from_bytes(length))
