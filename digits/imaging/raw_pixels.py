"""Pictures that come as the network reads them already, a byte a pixel."""

from __future__ import annotations

import numpy as np

from digits.errors import InvalidInput
from digits.pixels import Pixels


def require_pictures(pixels: Pixels, field: str) -> None:
    """Raises InvalidInput if one of the pictures, (N, 784), cannot be one: all equal, or of 0 and 1."""
    highest = pixels.max(axis=1)
    if (highest <= 1).any() or (highest == pixels.min(axis=1)).any():
        at = int(np.argmax((highest <= 1) | (highest == pixels.min(axis=1))))
        low, high = int(pixels[at].min()), int(pixels[at].max())
        found = f"are all {low}" if low == high else "hold nothing but 0 and 1"
        raise InvalidInput(field, f"{found}; a picture has 0 for paper to 255 for ink")
