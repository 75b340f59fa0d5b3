"""Pictures that come as the network reads them already, a byte a pixel."""

from __future__ import annotations

import numpy as np

from digits.errors import InvalidInput
from digits.imaging.candidate import Candidate
from digits.imaging.region import Box
from digits.pixels import PIXELS_PER_IMAGE, SIDE, check_ink


def from_pixels(data: bytes, field: str) -> Candidate:
    """Returns 784 bytes, as they are, as the only reading; raises InvalidInput for what is no picture."""
    if len(data) != PIXELS_PER_IMAGE:
        raise InvalidInput(
            field, f"holds {len(data)} bytes; exactly {PIXELS_PER_IMAGE} are needed, a byte a pixel"
        )
    pixels = np.frombuffer(data, np.uint8)
    check_ink(pixels.reshape(1, -1), field)
    return Candidate(pixels.reshape(SIDE, SIDE), Box(0, 0, SIDE, SIDE), 0.0)
