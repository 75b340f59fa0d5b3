"""Pictures of any colour mode to one gray channel in which the ink stands out of the background."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.imaging.region import Gray

# Below this range of brightness, what is opaque has one colour, and only the transparency draws.
_ONE_COLOUR = 48.0
# A single colour channel must show this much more than the brightness does to be used instead.
_CLEARER = 1.5
# So many pixels tell a channel's range as well as all of them do, in a hundredth of the time.
_SAMPLED_PIXELS = 8_000
# How many rows of the reduced picture are made at once: a sixteenth of it, 1.6 megapixels of the largest.
_REDUCED_AT_ONCE = 40

Colours = NDArray[np.uint8]
"""(H, W, 3) red, green, blue, or (H, W, 4) with opacity."""


def grayscale(image: Image.Image, max_side: int) -> Gray:
    """Returns (H, W) uint8, 0 black to 255 white, reduced by a whole factor to about `max_side`.

    A picture of gray pixels keeps their exact values. A large one is converted a strip at a time, since a
    copy of it may take 400 MB. Raises whatever Pillow raises for damaged data.
    """
    factor = max(1, max(image.size) // max_side)
    if image.mode.startswith(("I", "F")):
        return _deep(image, factor)
    if image.has_transparency_data:
        return _over_background(_reduced(image, "RGBA", factor))
    if image.mode == "L":
        return _reduced(image, "L", factor)
    return _clearest(_reduced(image, "RGB", factor))


def _reduced(image: Image.Image, mode: str, factor: int) -> Colours:
    if factor == 1:
        # Pillow would copy the picture.
        return np.asarray(image if image.mode == mode else image.convert(mode), np.uint8)
    return _joined(
        image, [np.asarray(strip.convert(mode).reduce(factor), np.uint8) for strip in _strips(image, factor)]
    )


def _strips(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    """Cuts across the longer side, every so many times `factor`."""
    width, height = image.size
    thickness = factor * _REDUCED_AT_ONCE
    if height >= width:
        for top in range(0, height, thickness):
            yield image.crop((0, top, width, min(height, top + thickness)))
    else:
        for left in range(0, width, thickness):
            yield image.crop((left, 0, min(width, left + thickness), height))


def _joined(image: Image.Image, strips: Sequence[Colours]) -> Colours:
    return np.concatenate(strips, axis=0 if image.height >= image.width else 1)


def _deep(image: Image.Image, factor: int) -> Gray:
    """More than 8 bits a pixel: the depth is the smallest usual one that holds the largest value."""
    ranges = [(float(values.min()), float(values.max())) for values in _finite(image, factor)]
    lowest = min(0.0, *(low for low, _ in ranges))
    largest = max(high for _, high in ranges) - lowest
    depth = next((depth for depth in (1, 255, 4095, 65535) if largest <= depth), largest)
    reduced = [
        np.asarray(Image.fromarray(((values - lowest) * (255 / depth)).astype(np.float32)).reduce(factor))
        for values in _finite(image, factor)
    ]
    return np.asarray(np.rint(np.clip(_joined(image, reduced), 0, 255)), np.uint8)


def _finite(image: Image.Image, factor: int) -> Iterator[NDArray[np.float64]]:
    for strip in _strips(image, factor):
        yield np.nan_to_num(np.asarray(strip, np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _over_background(rgba: Colours) -> Gray:
    """Lays what is transparent on a background: a sheet's own colour, or what sets off ink that is alone."""
    alpha = rgba[..., 3].astype(np.float32) / 255
    opaque = alpha > 0.8
    if opaque.all():
        return _clearest(rgba[..., :3])
    gray = rgba[..., :3].mean(axis=2, dtype=np.float32)
    if not opaque.any() or np.ptp(np.percentile(gray[opaque], (1, 99))) < _ONE_COLOUR:
        return np.rint(255 * (1 - alpha)).astype(np.uint8)
    usual = float(np.median(gray[opaque]))
    background = usual if _is_sheet(opaque) else 255.0 * (usual < 128)
    return np.asarray(np.rint(gray * alpha + background * (1 - alpha)), np.uint8)


def _is_sheet(opaque: NDArray[np.bool_]) -> bool:
    """Whether what is opaque fills the box around it, as a sheet does and strokes do not."""
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    return bool(opaque[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.7)


def _clearest(rgb: Colours) -> Gray:
    """The brightness, or the one channel that shows much more: yellow on white is seen in the blue."""
    brightness = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)
    step = max(1, int(np.sqrt(brightness.size / _SAMPLED_PIXELS)))
    sample = rgb[::step, ::step]
    red, green, blue = np.moveaxis(sample, -1, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return brightness
    low, high = np.percentile(sample.reshape(-1, 3), (0.2, 99.8), axis=0)
    best = int(np.argmax(high - low))
    seen = float(np.ptp(np.percentile(brightness[::step, ::step], (0.2, 99.8))))
    clearer = (high - low)[best] > _CLEARER * seen
    return np.ascontiguousarray(rgb[..., best]) if clearer else brightness
