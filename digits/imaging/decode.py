"""A picture file's bytes to its gray levels; refuses what is no picture, too large, too small or damaged."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps
from PIL.ExifTags import Base

from digits.errors import InvalidInput
from digits.file_kinds import kind_of
from digits.imaging.grayscale import grayscale
from digits.imaging.memory_cost import MAX_DECODED_BYTES, coefficient_bytes, decoded_bytes
from digits.imaging.normalize import BOX_SIDE, CENTRE
from digits.imaging.png import inflated
from digits.imaging.region import Gray, Region
from digits.pixels import SIDE, Pixels

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
# The largest photos of common telephones and cameras, 24 megapixels; more only costs memory.
MAX_PIXELS = 25_000_000
# No camera makes pictures of other modes, such as floats, CMYK or LAB.
MAX_UNUSUAL_PIXELS = 4_000_000
_USUAL_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16L", "I;16B")
MIN_SIDE = 8
# Of MNIST's 70,000 images none has less than this at its strongest; less is a faint picture.
_FULL_INK = 200

# Twenty pixels of digit need no more than this, even if the digit is a tenth of the picture.
_WORKING_SIDE = 640


@dataclass(frozen=True)
class Picture:
    """A picture file of which the header was read; it takes about `decoded_bytes` to read the rest.

    `max_side` is the file's, in pixels; `image` may have been told to be smaller.
    """

    image: Image.Image
    max_side: int
    field: str
    decoded_bytes: int

    @classmethod
    def of(cls, data: bytes, max_bytes: int, field: str) -> Picture:
        """Raises InvalidInput for what is no picture, too large or too small."""
        if not data:
            raise InvalidInput(field, "is empty; send an image file")
        if len(data) > max_bytes:
            problem = f"has too many bytes; at most {max_bytes:,} are allowed (DIGITS_MAX_IMAGE_BYTES)"
            raise InvalidInput(field, problem)
        image = _opened(data, field)
        return cls(image, max(image.size), field, _checked_bytes(image, field))

    def region(self) -> Region:
        """Returns the gray levels, at most about 640 pixels a side; raises InvalidInput if damaged."""
        try:
            self.image.load()
            gray = _upright(grayscale(self.image, _WORKING_SIDE), self.image)
        except Exception as error:  # Pillow's decoders raise whatever damaged data leads them to.
            raise InvalidInput(self.field, "is a damaged or truncated picture") from error
        finally:
            # Now, not when the last reference goes: the next large picture may begin.
            self.image.close()
        return Region(gray, scale=self.max_side / max(gray.shape))


def _opened(data: bytes, field: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(inflated(data)), formats=FORMATS)
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


def _checked_bytes(image: Image.Image, field: str) -> int:
    """What decoding takes, of a JPEG as it is drafted; raises InvalidInput if that is too much."""
    size = f"is {image.width} x {image.height} pixels"
    if image.mode not in _USUAL_MODES and image.width * image.height > MAX_UNUSUAL_PIXELS:
        problem = (
            f"{size} of mode {image.mode}; above {MAX_UNUSUAL_PIXELS:,} save it as 8 bits of gray or RGB"
        )
        raise InvalidInput(field, problem)
    coefficients = coefficient_bytes(image)
    _draft(image)
    needed = coefficients + decoded_bytes(image)
    if needed > MAX_DECODED_BYTES:
        way_out = "as PNG or a JPEG that is not progressive" if coefficients else "as PNG or JPEG"
        problem = f"{size}, which take too much memory as {image.format}; save it smaller, or {way_out}"
        raise InvalidInput(field, problem)
    return needed


def _draft(image: Image.Image) -> None:
    """Has a large JPEG decoded smaller, which costs less."""
    scale = _WORKING_SIDE / max(image.size)
    image.draft("RGB", (max(1, int(image.width * scale)), max(1, int(image.height * scale))))


def _upright(gray: Gray, image: Image.Image) -> Gray:
    """Turns as the EXIF flag says, when the picture is small: the turned one is a copy."""
    # A damaged EXIF block says nothing about the picture.
    with suppress(Exception):
        turned = image.getexif().get(Base.Orientation, 1)
        if turned == 1:
            return gray
        small = Image.fromarray(gray)
        small.getexif()[Base.Orientation] = turned
        return np.asarray(ImageOps.exif_transpose(small), np.uint8)
    return gray


def mnist_original(gray: Gray) -> Pixels | None:
    """The picture itself, or its negative, if it is framed as MNIST is: the digit large and centred.

    A faint one is stretched to full ink.
    """
    if gray.shape != (SIDE, SIDE):
        return None
    pixels = gray.astype(np.uint8)
    pixels = 255 - pixels if np.median(pixels) > 127 else pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    # Of the 70,000 images of MNIST the fullest is 55 % empty, and none has more than 6 % of its border inked.
    if (pixels > 0).mean() > 0.5 or (border > 0).mean() > 0.25 or pixels.max() < 32:
        return None
    if not _is_centred(pixels):
        return None
    if pixels.max() >= _FULL_INK:
        return pixels
    return np.asarray(np.rint(pixels * (255 / pixels.max())), np.uint8)


def _is_centred(pixels: Pixels) -> bool:
    """MNIST's centres of mass are within half a pixel of (14, 14), its boxes 19 or 20 pixels long."""
    weights = pixels / pixels.sum()
    y, x = weights.sum(axis=1) @ np.arange(SIDE), weights.sum(axis=0) @ np.arange(SIDE)
    longer_side = max(np.ptp(np.flatnonzero(pixels.any(axis=axis))) + 1 for axis in (0, 1))
    return bool(max(abs(y - CENTRE), abs(x - CENTRE)) < 1.5 and abs(longer_side - BOX_SIDE) <= 4)
