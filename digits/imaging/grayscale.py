"""Pictures of any colour mode to one gray channel in which the ink stands out of the background."""

from __future__ import annotations

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

Colours = NDArray[np.uint8]
"""(H, W, 3) red, green, blue, or (H, W, 4) with opacity."""


def grayscale(image: Image.Image, max_side: int) -> Gray:
    """Returns (H, W) uint8, 0 black to 255 white, reduced by a whole factor to about `max_side`.

    A picture of gray pixels keeps their exact values. Raises whatever Pillow raises for damaged data.
    """
    factor = max(1, max(image.size) // max_side)
    if image.mode.startswith(("I", "F")):
        return _deep(np.asarray(image, np.float32), factor)
    if image.has_transparency_data:
        return _over_background(np.asarray(_reduced(image.convert("RGBA"), factor), np.uint8))
    if image.mode == "L":
        return np.asarray(_reduced(image, factor), np.uint8)
    colours = image if image.mode == "RGB" else image.convert("RGB")
    return _clearest(np.asarray(_reduced(colours, factor), np.uint8))


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    # Pillow would copy the picture.
    return image if factor == 1 else image.reduce(factor)


def _deep(values: NDArray[np.float32], factor: int) -> Gray:
    """More than 8 bits a pixel: the depth is the smallest usual one that holds the largest value."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    values = values - min(0.0, float(values.min()))
    largest = float(values.max())
    depth = next((depth for depth in (1, 255, 4095, 65535) if largest <= depth), largest)
    reduced = np.asarray(Image.fromarray(values * np.float32(255 / depth)).reduce(factor))
    return np.asarray(np.rint(np.clip(reduced, 0, 255)), np.uint8)


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
    sample = rgb[::step, ::step].reshape(-1, 3)
    if (sample == sample[:, :1]).all():
        return brightness
    low, high = np.percentile(sample, (0.2, 99.8), axis=0)
    best = int(np.argmax(high - low))
    seen = float(np.ptp(np.percentile(brightness[::step, ::step], (0.2, 99.8))))
    clearer = (high - low)[best] > _CLEARER * seen
    return np.ascontiguousarray(rgb[..., best]) if clearer else brightness
