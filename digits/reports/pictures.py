"""Pictures of digits that need no file of their own."""

from __future__ import annotations

import base64
import io

from PIL import Image

from digits.pixels import SIDE


def data_url(pixels: bytes) -> str:
    """A data: URL of a PNG, ink on white paper, of 28 x 28 bytes from 0 for paper to 255 for ink.

    Raises ValueError for another number of bytes.
    """
    picture = Image.frombytes("L", (SIDE, SIDE), bytes(255 - pixel for pixel in pixels))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
