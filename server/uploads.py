"""Batches that come in pieces: each is kept in a file of this server's until its job has it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from digits.errors import DeadlinePassed, InvalidInput, Overloaded, StoreFull
from digits.jobs.train_request import Upload
from digits.v1 import digit_service_pb2 as pb
from server.blocking import storing

# Their files take as many times DIGITS_MAX_UPLOAD_BYTES of this server's disk.
_MAX_AT_A_TIME = 16
_MAX_OF_CALLER = 12
# Whoever sends nothing for so long is in the way of others, and so is who sends less than a slow telephone
# does and makes us wait for longer than that altogether.
_PATIENCE_SECONDS = 30.0
_MIN_BYTES_PER_SECOND = 16 << 10


class Uploads:
    """Takes uploads in. Nothing of one is in memory but a piece, and nothing of it is left when it ends."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._open = Counter[str]()
        # A server that was killed could not remove its own.
        shutil.rmtree(folder, ignore_errors=True)

    async def header(self, parts: AsyncIterator[pb.TrainUploadRequest]) -> pb.TrainRequest:
        """The first message's; raises InvalidInput if it has none."""
        first = await _next(parts)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidInput("header", "must be the first message of an upload, and the chunks follow")
        return first.header

    @asynccontextmanager
    async def file(self, parts: AsyncIterator[pb.TrainUploadRequest], caller: str) -> AsyncIterator[Upload]:
        """The rest, until the block is left; raises InvalidInput, Overloaded, DeadlinePassed, StoreFull."""
        if self._open.total() >= _MAX_AT_A_TIME:
            raise Overloaded(f"{_MAX_AT_A_TIME} uploads come in already", retry_after_seconds=1.0)
        if self._open[caller] >= _MAX_OF_CALLER:
            raise Overloaded(f"{_MAX_OF_CALLER} uploads of {caller} come in already", retry_after_seconds=1.0)
        self._open[caller] += 1
        path = self._folder / uuid.uuid4().hex
        try:
            yield Upload(path, await self._receive(parts, path))
        finally:
            self._open -= Counter({caller: 1})
            await storing(_remove, path)

    async def _receive(self, parts: AsyncIterator[pb.TrainUploadRequest], path: Path) -> str:
        digest, size, waited = hashlib.sha256(), 0, 0.0
        await storing(_append, path, b"")
        while True:
            asked = time.monotonic()
            part = await _next(parts)
            if part is None:
                break
            if part.WhichOneof("part") != "chunk":
                raise InvalidInput("header", "must come once, as the first message")
            size, waited = size + len(part.chunk), waited + time.monotonic() - asked
            if waited > _PATIENCE_SECONDS + size / _MIN_BYTES_PER_SECOND:
                raise DeadlinePassed(f"too slow: {size:,} bytes of the upload came in {waited:.0f} s")
            if size > self._max_bytes:
                raise InvalidInput("images_batch", self._too_large())
            digest.update(part.chunk)
            await storing(_append, path, part.chunk)
        return digest.hexdigest()

    def _too_large(self) -> str:
        return (
            f"has too many bytes; at most {self._max_bytes:,} are allowed (DIGITS_MAX_UPLOAD_BYTES): put the "
            "file below the service's data folder and send its images_batch_path"
        )


async def _next(parts: AsyncIterator[pb.TrainUploadRequest]) -> pb.TrainUploadRequest | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await anext(parts, None)
    except TimeoutError as error:
        raise DeadlinePassed(f"nothing of the upload came for {_PATIENCE_SECONDS:g} s") from error


def _remove(path: Path) -> None:
    # What cannot be removed goes with the next start.
    with suppress(OSError):
        path.unlink()


def _append(path: Path, chunk: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(chunk)
    except OSError as error:
        raise StoreFull(f"this server cannot keep the upload: {error.strerror}") from error
