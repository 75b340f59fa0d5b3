"""What it takes to decode a picture file, told from its header alone."""

from __future__ import annotations

from math import prod

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

# What one picture may take: 25 megapixels in colour, for which Pillow has four bytes each.
MAX_DECODED_BYTES = 100_000_000

_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
# Measured: its decoder has two canvases, of which Pillow makes two copies.
_WEBP_BYTES = 16
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def decoded_bytes(image: Image.Image) -> int:
    """About how many bytes it takes to decode a picture, which may be a drafted JPEG."""
    if isinstance(image, WebPImageFile):
        return _WEBP_BYTES * prod(image.size)
    if isinstance(image, TiffImageFile):
        # Strips and tiles are unpacked beside the picture, and one that lies on its side is turned.
        tile = int(image.tag_v2.get(_TILE_WIDTH, 0) * image.tag_v2.get(_TILE_LENGTH, 0))
        return 2 * _pixel_bytes(image) + 4 * tile
    return _pixel_bytes(image)


def coefficient_bytes(image: Image.Image) -> int:
    """What libjpeg keeps of a picture beside its pixels: two bytes a coefficient, if not all come at once.

    To be asked before the picture is drafted, which makes that no less.
    """
    if not isinstance(image, JpegImageFile) or _is_in_one_scan(image):
        return 0
    sampled = [across * down for _, across, down, _ in image.layer]
    return 2 * prod(image.size) * sum(sampled) // max(1, *sampled)


def _pixel_bytes(image: Image.Image) -> int:
    return prod(image.size) * _BYTES_OF_MODE.get(image.mode, 4)


def _is_in_one_scan(image: JpegImageFile) -> bool:
    """Whether the first scan has all the colours, and all of each."""
    if "progressive" in image.info or image.fp is None:
        return False
    # Pillow has just read the header of that scan: two bytes of length, the number of colours, ...
    header_bytes = 6 + 2 * image.layers
    image.fp.seek(-header_bytes, 1)
    header = image.fp.read(header_bytes)
    return header[:3] == bytes([0, header_bytes, image.layers])
