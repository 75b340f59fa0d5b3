"""Any picture of a digit to the 784 pixels that an MNIST-trained network expects.

The only preprocessing code: opening and judging the file is here, turning its colours into one grey
channel in channels.py, finding the ink in ink.py, framing it in framing.py.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

from digits.errors import InvalidInput
from digits.file_kinds import kind_of
from digits.imaging.background import Grey
from digits.imaging.components import Box
from digits.imaging.grayscale import grayscale
from digits.imaging.normalize import BOX_SIDE, CENTRE, frame
from digits.imaging.raw_pixels import require_pictures
from digits.imaging.segmentation import segment
from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
# The largest photos of common telephones and cameras, 24 megapixels; more only costs memory.
MAX_PIXELS = 25_000_000
MIN_SIDE = 8

# Twenty pixels of digit need no more than this, even where the digit is a tenth of the picture.
_WORKING_SIDE = 640
_DETAIL_SIDE = 256
_THUMBNAIL_SIDE = 128


def from_pixels(data: bytes, field: str) -> Pixels:
    """Returns 784 bytes as (784,) uint8, as they are; raises InvalidInput for what cannot be a picture."""
    if len(data) != PIXELS_PER_IMAGE:
        raise InvalidInput(
            field, f"holds {len(data)} bytes; exactly {PIXELS_PER_IMAGE} are needed, a byte a pixel"
        )
    pixels = np.frombuffer(data, np.uint8)
    require_pictures(pixels[None], field)
    return pixels


def decode(data: bytes, max_bytes: int, field: str) -> Pixels:
    """Returns the digit in a picture file as (784,) uint8, 0 paper, 255 ink.

    What is already framed as MNIST is (28 x 28, black paper) is returned as it is, its negative inverted.
    Raises InvalidInput for what is no picture, too large, too small, damaged, or blank.
    """
    if not data:
        raise InvalidInput(field, "is empty; send an image file")
    if len(data) > max_bytes:
        raise InvalidInput(field, f"is {len(data):,} bytes long; at most {max_bytes:,} are allowed")
    with _opened(data, field) as image:
        grey = _decoded(image, field)
    original = _mnist_original(grey)
    if original is not None:
        return original.reshape(PIXELS_PER_IMAGE)
    return _framed(grey, field).reshape(PIXELS_PER_IMAGE)


def _opened(data: bytes, field: str) -> Image.Image:
    """Reads the header alone."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(field) from error
    except Exception as error:  # Pillow's parsers raise whatever a damaged header leads them to.
        kind = kind_of(data)
        found = f", but {kind}" if kind and kind.way_out else ""
        raise InvalidInput(
            field, f"is not a readable picture{found}; allowed are {', '.join(FORMATS)}"
        ) from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(field, f"is {image.width} x {image.height} pixels")
    if min(image.size) < MIN_SIDE:
        problem = f"is {image.width} x {image.height} pixels; at least {MIN_SIDE} x {MIN_SIDE} are needed"
        raise InvalidInput(field, problem)
    return image


def _too_large(field: str, fact: str = "is too large") -> InvalidInput:
    return InvalidInput(field, f"{fact}; at most {MAX_PIXELS:,} pixels in all are allowed")


def _decoded(image: Image.Image, field: str) -> Grey:
    try:
        scale = _WORKING_SIDE / max(image.size)
        image.draft("RGB", (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        image.load()
        return grayscale(_upright(image), _WORKING_SIDE)
    except Exception as error:  # Pillow's decoders raise whatever damaged data leads them to.
        raise InvalidInput(field, "is a damaged or truncated picture") from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # A damaged EXIF block says nothing about the picture.
        return image


def _mnist_original(grey: Grey) -> Pixels | None:
    """The picture itself, or its negative, where it is framed as MNIST is: the digit large and centred."""
    if grey.shape != (SIDE, SIDE):
        return None
    pixels = grey.astype(np.uint8)
    pixels = 255 - pixels if np.median(pixels) > 127 else pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    # Of the 70,000 images of MNIST the fullest is 55 % empty, and none has more than 6 % of its border inked.
    if (pixels > 0).mean() > 0.5 or (border > 0).mean() > 0.25 or pixels.max() < 128:
        return None
    return pixels if _is_centred(pixels) else None


def _is_centred(pixels: Pixels) -> bool:
    """MNIST's centres of mass are within half a pixel of (14, 14), its boxes 19 or 20 pixels long."""
    weights = pixels / pixels.sum()
    y, x = weights.sum(axis=1) @ np.arange(SIDE), weights.sum(axis=0) @ np.arange(SIDE)
    longer_side = max(np.ptp(np.flatnonzero(pixels.any(axis=axis))) + 1 for axis in (0, 1))
    return bool(max(abs(y - CENTRE), abs(x - CENTRE)) < 1.5 and abs(longer_side - BOX_SIDE) <= 4)


def _framed(grey: Grey, field: str) -> Pixels:
    """Looks for the ink in the whole picture and then, where that is small, again around it."""
    ink = segment(_sized(grey))
    if ink is None:
        raise InvalidInput(field, "shows nothing but paper; draw a digit on it")
    scale = max(grey.shape) / max(ink.cover.shape)
    if scale > 1 and ink.box.longer_side < _DETAIL_SIDE // 2:
        ink = segment(_sized(_around(grey, ink.box, scale))) or ink
    return frame(ink)


def _around(grey: Grey, box: Box, scale: float) -> Grey:
    margin = box.longer_side // 2 + 2
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    rows = slice(int(top * scale), int((box.bottom + margin) * scale))
    return grey[rows, int(left * scale) : int((box.right + margin) * scale)]


def _sized(grey: Grey) -> Grey:
    """Brings the longer side to at most 256 pixels, and a thumbnail's to 128."""
    longest = max(grey.shape)
    side = min(max(longest, _THUMBNAIL_SIDE), _DETAIL_SIDE)
    if side == longest:
        return grey
    height, width = (max(1, round(length * side / longest)) for length in grey.shape)
    method = Image.Resampling.BOX if side < longest else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(grey).resize((width, height), method), np.float32)
