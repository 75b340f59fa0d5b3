"""Pictures of any colour mode to one grey channel in which the ink stands out of the paper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.imaging.background import Grey

# Below this range of brightness, what is opaque has one colour, and only the transparency draws.
_ONE_COLOUR = 48.0
# A single colour channel must show this much more than the brightness does to be used instead.
_CLEARER = 1.5


def grayscale(image: Image.Image, max_side: int) -> Grey:
    """Returns (H, W) float32, 0 black to 255 white, reduced by a whole factor to about `max_side`.

    A picture of grey pixels keeps their exact values. Raises whatever Pillow raises for damaged data.
    """
    factor = max(1, max(image.size) // max_side)
    if image.mode.startswith(("I", "F")):
        return _deep(np.asarray(image, np.float32), factor)
    if image.has_transparency_data:
        return _over_paper(np.asarray(image.convert("RGBA").reduce(factor), np.float32))
    if image.mode == "L":
        return np.asarray(image.reduce(factor), np.float32)
    return _clearest(np.asarray(image.convert("RGB").reduce(factor), np.float32))


def _deep(values: Grey, factor: int) -> Grey:
    """More than 8 bits a pixel: the depth is the smallest usual one that holds the largest value."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    values = values - min(0.0, float(values.min()))
    largest = float(values.max())
    depth = next((depth for depth in (1, 255, 4095, 65535) if largest <= depth), largest)
    return np.asarray(Image.fromarray(values * np.float32(255 / depth)).reduce(factor), np.float32)


def _over_paper(rgba: NDArray[np.float32]) -> Grey:
    """Lays what is transparent on paper: a sheet's own colour, or what sets off ink that stands alone."""
    alpha = rgba[..., 3] / 255
    opaque = alpha > 0.8
    if opaque.all():
        return _clearest(rgba[..., :3])
    grey = rgba[..., :3].mean(axis=2)
    if not opaque.any() or np.ptp(np.percentile(grey[opaque], (1, 99))) < _ONE_COLOUR:
        return np.asarray(255 * (1 - alpha), np.float32)
    usual = float(np.median(grey[opaque]))
    paper = usual if _is_sheet(opaque) else 255.0 * (usual < 128)
    return np.asarray(grey * alpha + paper * (1 - alpha), np.float32)


def _is_sheet(opaque: NDArray[np.bool_]) -> bool:
    """Whether what is opaque fills the box around it, as a sheet does and strokes do not."""
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    return bool(opaque[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.7)


def _clearest(rgb: NDArray[np.float32]) -> Grey:
    """The brightness, or the one channel that shows much more: yellow on white is seen in the blue."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return red
    brightness = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    ranges = [float(np.ptp(np.percentile(channel, (0.2, 99.8)))) for channel in (red, green, blue)]
    best = int(np.argmax(ranges))
    clearer = ranges[best] > _CLEARER * float(np.ptp(np.percentile(brightness, (0.2, 99.8))))
    return np.asarray(rgb[..., best] if clearer else brightness, np.float32)
