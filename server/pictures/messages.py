"""Readings of a picture between a server and the processes that read pictures for it."""

from __future__ import annotations

import numpy as np

from digits.errors import InvalidInput
from digits.imaging.candidate import Candidate
from digits.imaging.candidates import candidates_of
from digits.imaging.decode import Picture
from digits.imaging.region import Box
from digits.pixels import SIDE
from digits.v1 import decoding_pb2, digit_service_pb2

# A picture that takes more to decode waits until no other such one is at work: two megapixels of colour. A
# camera's JPEG is decoded at a quarter or an eighth of its size, and takes less.
_LARGE_BYTES = 8_000_000


def read(file: decoding_pb2.PictureFile) -> decoding_pb2.PictureReadings:
    """Reads a picture file, unless it is a large one; raises what nobody foresaw."""
    found = decoding_pb2.PictureReadings(number=file.number)
    try:
        picture = Picture.of(file.content, file.max_bytes, file.field)
        found.large = picture.decoded_bytes > _LARGE_BYTES
        if not found.large:
            found.readings.extend(map(_reading, candidates_of(picture)))
    except InvalidInput as error:
        found.problem = error.problem
    return found


def candidates_from(file: decoding_pb2.PictureFile, found: decoding_pb2.PictureReadings) -> list[Candidate]:
    """What `read` found, none in a large file; raises InvalidInput, or RuntimeError for the unforeseen."""
    if found.problem:
        raise InvalidInput(file.field, found.problem)
    if found.failure:
        raise RuntimeError(found.failure)
    return [_candidate(reading) for reading in found.readings]


def box_of(box: Box) -> digit_service_pb2.Box:
    """Returns the message of a box."""
    return digit_service_pb2.Box(left=box.left, top=box.top, width=box.width, height=box.height)


def _reading(candidate: Candidate) -> decoding_pb2.PictureReading:
    return decoding_pb2.PictureReading(
        pixels=candidate.pixels.tobytes(),
        box=box_of(candidate.box),
        prior=candidate.prior,
        contrast=candidate.contrast,
        characters=candidate.characters,
        alone=candidate.alone,
    )


def _candidate(reading: decoding_pb2.PictureReading) -> Candidate:
    box = reading.box
    return Candidate(
        np.frombuffer(reading.pixels, np.uint8).reshape(SIDE, SIDE),
        Box(box.top, box.left, box.top + box.height, box.left + box.width),
        reading.prior,
        reading.contrast,
        reading.characters,
        reading.alone,
    )
