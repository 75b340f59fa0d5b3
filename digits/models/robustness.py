"""How a network does on the reference set changed: redrawn by people's pens, or by mistakes in a data set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from digits.datasets.shards import Images
from digits.models.evaluation import accuracy
from digits.models.predictor import Predictor
from digits.models.redrawing import KINDS, redrawn
from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels

# 15 kinds of 100 pictures take 0.15 s to draw and read, and tell models apart that differ by 2 %.
_IMAGES_PER_KIND = 100
_IMAGES_PER_MISTAKE = 1_000
# A network that reads this much of the changed pictures, and less as they are, was trained on changed ones.
_READS = 0.9


def robustness(predictor: Predictor, reference: Images) -> float:
    """Accuracy, 0 to 1, on redrawn pictures of the reference set: the same ones each time."""
    shares = []
    for number, kind in enumerate(KINDS):
        # Each kind has other images, so that a few hard ones do not count fifteen times.
        picked = spread(reference, _IMAGES_PER_KIND, number / len(KINDS))
        shares.append(accuracy(predictor, Images(redrawn(picked.pixels, kind), picked.labels)))
    return float(np.mean(shares))


def suspicion(predictor: Predictor, reference: Images) -> str:
    """What a network was trained on instead of pictures like the reference set's; empty if unknown."""
    picked = spread(reference, _IMAGES_PER_MISTAKE)
    if accuracy(predictor, picked) >= _READS:
        return ""
    for name, change in _MISTAKES.items():
        if accuracy(predictor, Images(change(picked.pixels), picked.labels)) >= _READS:
            return name
    return ""


def transposed(pixels: Pixels) -> Pixels:
    """Pictures, uint8 (N, 784), with rows and columns exchanged."""
    swapped = pixels.reshape(-1, SIDE, SIDE).transpose(0, 2, 1)
    return np.ascontiguousarray(swapped).reshape(-1, PIXELS_PER_IMAGE)


def spread(images: Images, count: int, start: float = 0.0) -> Images:
    """Up to `count` images from all over; `start`, 0 to 1, moves each by a part of their distance."""
    count = min(count, len(images))
    places = ((np.arange(count) + start) * len(images) / count).astype(np.int64)
    return Images(images.pixels[places], images.labels[places])


_MISTAKES: dict[str, Callable[[Pixels], Pixels]] = {
    "looks like white background": lambda pixels: 255 - pixels,
    "looks transposed (send orientation: transposed)": transposed,
    "looks like 0/1 pixels": lambda pixels: (pixels > 127).astype(np.uint8),
}
