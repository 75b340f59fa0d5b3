"""One process that reads pictures for this server, as its event loop sees it."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from google.protobuf.message import DecodeError

from digits.errors import DigitsError
from digits.v1.decoding_pb2 import PictureFile, PictureReadings
from server.pictures.process import LENGTH_BYTES, length_of

Answer = TypeVar("Answer")

COMMAND = (sys.executable, "-m", "server.pictures.process")

# Each picture needs a megabyte that the one before had: given back in between, it is 330 page faults, and a
# quarter of a picture's time. Most Linuxes' C library reads this, others do not.
_KEEPS_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(32 << 20), "MALLOC_MMAP_THRESHOLD_": str(8 << 20)}

_START_SECONDS = 30.0
# The slowest picture that is not large takes a twentieth of a second of one core.
_ANSWER_SECONDS = 5.0
# Twelve readings have 10 KB.
_MAX_ANSWER_BYTES = 1 << 20

_GONE = (TimeoutError, EOFError, OSError, DecodeError, ValueError)

_numbers = itertools.count(1)


class DecoderGone(DigitsError):
    """The process ended, or was ended since it did not answer, or not what it was asked."""


class Decoder:
    """Is asked one question at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._killed = False

    @classmethod
    async def start(cls) -> Decoder:
        """Starts one, and waits until it is ready; raises DecoderGone."""
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                env={**os.environ, **_KEEPS_MEMORY},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise DecoderGone(f"no process to read pictures: {error}") from error
        decoder = cls(process)
        try:
            await decoder._or_gone(_START_SECONDS, decoder._frame())
        except BaseException:
            await decoder.end()
            raise
        return decoder

    @property
    def pid(self) -> int:
        """The process's."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._killed and self._process.returncode is None

    async def ask(self, file: PictureFile) -> PictureReadings:
        """Returns the answer; raises DecoderGone."""
        return await self._or_gone(_ANSWER_SECONDS, self._answer(file))

    def kill(self) -> None:
        """Ends it at once."""
        if self.alive():
            self._killed = True
            self._process.kill()

    async def end(self) -> None:
        """The same, and waits until nothing of it is left."""
        self.kill()
        if self._process.stdin:
            self._process.stdin.close()
            with suppress(OSError):
                await self._process.stdin.wait_closed()
        if self._process.stdout:
            await self._process.stdout.read()
        await self._process.wait()

    async def _or_gone(self, seconds: float, answer: Awaitable[Answer]) -> Answer:
        """What went wrong once cannot be asked again: nobody knows what its next frame would answer."""
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except BaseException as error:
            self.kill()
            if isinstance(error, _GONE):
                raise DecoderGone(f"process {self.pid}, which read pictures, is gone: {error!r}") from error
            raise

    async def _answer(self, file: PictureFile) -> PictureReadings:
        assert self._process.stdin
        file.number = next(_numbers)
        message = file.SerializeToString()
        self._process.stdin.write(length_of(message))
        self._process.stdin.write(message)
        answer = PictureReadings.FromString(await self._frame())
        said = (answer.readings, answer.problem, answer.large, answer.failure)
        if answer.number != file.number or sum(map(bool, said)) != 1:
            raise ValueError("an answer to nothing that was asked")
        return answer

    async def _frame(self) -> bytes:
        assert self._process.stdout
        length = int.from_bytes(await self._process.stdout.readexactly(LENGTH_BYTES))
        if length > _MAX_ANSWER_BYTES:
            raise ValueError(f"an answer of {length} bytes")
        return await self._process.stdout.readexactly(length)
