"""Pictures that come as the network reads them already, a byte a pixel."""

from __future__ import annotations

import numpy as np

from digits.errors import InvalidInput
from digits.imaging.candidate import Candidate
from digits.imaging.region import Box
from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels


def from_pixels(data: bytes, field: str) -> Candidate:
    """Returns 784 bytes, as they are, as the only reading; raises InvalidInput for what is no picture."""
    if len(data) != PIXELS_PER_IMAGE:
        raise InvalidInput(
            field, f"holds {len(data)} bytes; exactly {PIXELS_PER_IMAGE} are needed, a byte a pixel"
        )
    pixels = np.frombuffer(data, np.uint8)
    # Of one picture, which is what most calls bring, this takes a third of the time.
    highest = pixels.max()
    if highest <= 1 or highest == pixels.min():
        require_pictures(pixels[None], field)
    return Candidate(pixels.reshape(SIDE, SIDE), Box(0, 0, SIDE, SIDE), 0.0)


def require_pictures(pixels: Pixels, field: str) -> None:
    """Raises InvalidInput if one of the pictures, (N, 784), cannot be one: all equal, or of 0 and 1."""
    highest = pixels.max(axis=1)
    if (highest <= 1).any() or (highest == pixels.min(axis=1)).any():
        at = int(np.argmax((highest <= 1) | (highest == pixels.min(axis=1))))
        low, high = int(pixels[at].min()), int(pixels[at].max())
        found = f"are all {low}" if low == high else "hold nothing but 0 and 1"
        raise InvalidInput(field, f"{found}; a picture has 0 for paper to 255 for ink")
