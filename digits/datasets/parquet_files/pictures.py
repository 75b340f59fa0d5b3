"""Pictures as data sets hold them, a file of 28 x 28 pixels each → their pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from digits.file_kinds import kind_of
from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels

# A PNG of MNIST's has 300; a profile of colours and a few words fit in, too.
MAX_BYTES = 16 << 10

_FORMATS = ("PNG", "JPEG")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff")
# Of others a decoder would have to guess what is paper, or how bright their brightest is.
_MODES = ("1", "L", "P", "RGB")


def pixels_of(data: bytes) -> Pixels:
    """Returns (784,) pixels of a PNG or JPEG, or of 784 bytes as they are.

    Raises ValueError, which says what was found, for whatever else.
    """
    if not data.startswith(_MAGIC):
        if len(data) == PIXELS_PER_IMAGE:
            return np.frombuffer(data, np.uint8)
        kind = kind_of(data)
        found = f"is {kind.name}" if kind else f"has {len(data):,} bytes"
        raise ValueError(f"{found}; allowed are a PNG, a JPEG, and {PIXELS_PER_IMAGE} bytes")
    if len(data) > MAX_BYTES:
        raise ValueError(f"has {len(data):,} bytes, and a picture at most {MAX_BYTES:,}")
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Exception as error:  # Pillow's parsers raise whatever a damaged header leads them to.
        raise ValueError("is a damaged picture, or far too large") from error
    if image.size != (SIDE, SIDE):
        raise ValueError(f"is {image.width} x {image.height} pixels, and must be {SIDE} x {SIDE}")
    if image.mode not in _MODES:
        raise ValueError(f'is a picture of mode {image.mode}: save it after convert("L")')
    try:
        return np.asarray(image.convert("L"), np.uint8).reshape(PIXELS_PER_IMAGE)
    except Exception as error:  # As its parsers do, its decoders.
        raise ValueError("is a damaged picture") from error
