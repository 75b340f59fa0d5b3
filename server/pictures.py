"""From a request to the readings of its picture, with a bound on what all pictures take together."""

from __future__ import annotations

from digits.errors import Overloaded
from digits.imaging.candidate import Candidate
from digits.imaging.candidates import candidates_of
from digits.imaging.decode import Picture
from digits.settings import Settings
from digits.signals.metrics.serving import DECODE_SECONDS
from digits.v1 import digit_service_pb2 as pb
from server import wire
from server.blocking import decoding, decoding_large, reading

# So many of the largest files may wait for a thread; of usual ones, hundreds.
_MAX_WAITING_FILES = 4


class Pictures:
    """Small pictures are decoded side by side, a large one only when no other large one is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._room = _MAX_WAITING_FILES * settings.max_image_bytes

    async def candidates(self, request: pb.ClassifyRequest) -> list[Candidate]:
        """The readings of one picture; raises InvalidInput, NotFound, and Overloaded if too much waits."""
        if request.WhichOneof("picture") == "pixels":
            return [wire.pixels_from(request)]
        size = len(request.image)
        if size > self._room:
            raise Overloaded("too many bytes of pictures are waiting", retry_after_seconds=1.0)
        self._room -= size
        try:
            return await self._decoded(request)
        finally:
            self._room += size

    async def _decoded(self, request: pb.ClassifyRequest) -> list[Candidate]:
        # A file may be on a network mount that hangs; pictures that came with their request need no file.
        pool = reading if request.WhichOneof("picture") == "image_path" else decoding
        with DECODE_SECONDS.time():
            found = await pool(wire.candidates_from, request, self._settings)
            return await decoding_large(candidates_of, found) if isinstance(found, Picture) else found
