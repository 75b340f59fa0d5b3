"""From a request to the readings of its picture, with a bound on what all pictures take together."""

from __future__ import annotations

import asyncio
from functools import partial

from digits.errors import Overloaded
from digits.imaging.candidate import Candidate
from digits.imaging.candidates import candidates
from digits.settings import Settings
from digits.signals.metrics.serving import DECODE_SECONDS
from digits.v1 import digit_service_pb2 as pb
from digits.v1.decoding_pb2 import PictureFile, PictureReadings
from server.blocking import decoding, decoding_large, reading
from server.pictures import messages
from server.pictures.decoders import Decoders
from server.pictures.request import file_from, pixels_from

# So many of the largest files may wait to be read; of usual ones, hundreds.
_MAX_WAITING_FILES = 4
# A larger file is a photo: a copy of it for a process is not worth what a thread of the server's costs.
_MAX_SENT_BYTES = 1 << 20


class Pictures:
    """Small pictures are read side by side, a large one only when no other large one is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._room = _MAX_WAITING_FILES * settings.max_image_bytes
        self._decoders = Decoders(settings.picture_processes)
        self._being_read, self._were_read = 0, 0

    async def candidates(self, request: pb.ClassifyRequest) -> list[Candidate]:
        """The readings of one picture; raises InvalidInput, NotFound, and Overloaded if too much waits.

        A caller that leaves does not end the reading of its picture, which counts until it is over.
        """
        if request.WhichOneof("picture") == "pixels":
            return [pixels_from(request)]
        size = len(request.image)
        if size > self._room:
            raise Overloaded("too many bytes of pictures are waiting", retry_after_seconds=1.0)
        self._room -= size
        reading = asyncio.create_task(self._read(request))
        reading.add_done_callback(partial(self._over, size))
        return await asyncio.shield(reading)

    def take_coming(self) -> int:
        """How many usual pictures are read until this is asked again: as many as since it was asked last.

        At most those that are being read or wait for it.
        """
        coming = min(self._being_read, self._were_read)
        self._were_read = 0
        return coming

    async def end(self) -> None:
        """Ends the processes that read pictures."""
        await self._decoders.end()

    def _over(self, size: int, reading: asyncio.Task[list[Candidate]]) -> None:
        self._room += size
        if not reading.cancelled():
            reading.exception()

    async def _read(self, request: pb.ClassifyRequest) -> list[Candidate]:
        with DECODE_SECONDS.time():
            file, found = await self._found(request)
            if found.large:
                return await decoding_large(candidates, file.content, file.max_bytes, file.field)
            return messages.candidates_from(file, found)

    async def _found(self, request: pb.ClassifyRequest) -> tuple[PictureFile, PictureReadings]:
        if request.WhichOneof("picture") == "image_path":
            # It may be on a network mount that hangs. What it holds is in memory for one thread at a time.
            return await reading(self._of_path, request)
        file = file_from(request, self._settings)
        found = await self._by_process(file) if len(file.content) <= _MAX_SENT_BYTES else None
        return file, await decoding(messages.read, file) if found is None else found

    async def _by_process(self, file: PictureFile) -> PictureReadings | None:
        self._being_read += 1
        try:
            return await self._decoders.ask(file)
        finally:
            self._being_read -= 1
            self._were_read += 1

    def _of_path(self, request: pb.ClassifyRequest) -> tuple[PictureFile, PictureReadings]:
        file = file_from(request, self._settings)
        return file, messages.read(file)
