"""What a picture is to the network: 28 x 28 bytes, 0 background to 255 ink, as MNIST has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.errors import InvalidInput

Pixels = NDArray[np.uint8]

SIDE = 28
PIXELS_PER_IMAGE = SIDE * SIDE
CLASSES = 10


def check_ink(pixels: Pixels, field: str) -> None:
    """Raises InvalidInput if one of (N, 784) pixels is no picture: all of one value, or of 0 and 1 alone."""
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    wrong = (low == high) | (high <= 1)
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    found = f"nothing but {low[first]}" + (f" and {high[first]}" if high[first] != low[first] else "")
    which = f"picture {first} holds" if len(pixels) > 1 else "holds"
    raise InvalidInput(field, f"{which} {found}; a pixel is 0 for paper to 255 for ink")
