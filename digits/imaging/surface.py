"""The background's brightness across a gray picture, as a smooth surface."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.imaging.region import Contrast, Gray

# The surface is fitted to about this many pixels a side: it is smooth, and this takes 1 ms.
_SAMPLED_SIDE = 40
_ROUNDS = 8
# Tukey's biweight with its usual constant: 95 % as efficient as least squares on normal noise.
_BIWEIGHT = 4.685
# The border is background, what is inside may be ink.
_BORDER_WEIGHT = 4.0
# If a fifth of the border differs from the fit by more than this share, the edge of a shadow crosses it.
_EVEN = 0.06
# Shadows leave more light than that; what differs by so much is ink that reaches the border.
_INK_AT_BORDER = 0.6
# A border whose levels differ by no more was drawn, not photographed.
_FLAT = 6
# A fit whose middle moves by less is done.
_SETTLED = 0.25


def fitted(gray: Gray) -> tuple[Contrast, bool]:
    """The background's brightness everywhere, as a quadratic surface, and whether that explains the light.

    Fitted by iteratively reweighted least squares, judged by the border.
    """
    around = gray[border(*gray.shape)]
    if int(around.max()) - int(around.min()) <= _FLAT:
        # A drawing, not a photo: nothing needs to be fitted.
        return np.full(gray.shape, around.mean(), np.float32), True
    longest = max(gray.shape)
    height, width = (max(2, min(side, side * _SAMPLED_SIDE // longest)) for side in gray.shape)
    sampled = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA).astype(np.float64)
    edge, values, terms = border(height, width).ravel(), sampled.ravel(), _terms(height, width)
    importance = np.where(edge, _BORDER_WEIGHT, 1.0)
    residual = values - np.median(values[edge])
    before = 0.0
    for _ in range(_ROUNDS):
        reach = _BIWEIGHT * (spread(residual[edge]) + 2.0)
        weights = np.clip(1 - (residual / reach) ** 2, 0, None) ** 2 * importance
        weighted = (terms * weights[:, None]).T
        solution = np.linalg.solve(weighted @ terms + 1e-3 * np.eye(6), weighted @ values)
        residual = values - terms @ solution
        if abs(solution[0] - before) < _SETTLED:
            break
        before = solution[0]
    surface = _surface(solution, *gray.shape)
    seen, fitted = np.maximum(values, 1)[edge], np.maximum(values - residual, 1)[edge]
    shares = 1 - np.minimum(seen, fitted) / np.maximum(seen, fitted)
    most, nearly_all = np.percentile(shares, (80, 95))
    return surface, bool(most < _EVEN or nearly_all > _INK_AT_BORDER)


def _surface(solution: Contrast, height: int, width: int) -> Contrast:
    c, c_x, c_y, c_xx, c_xy, c_yy = solution.astype(np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    surface = (c + c_x * x + c_xx * x * x) + (c_y * y + c_yy * y * y) + c_xy * x * y
    return np.asarray(np.clip(surface, 1, 255), np.float32)


@lru_cache(64)
def _terms(height: int, width: int) -> NDArray[np.float64]:
    """(H * W, 6): the terms of a quadratic in both directions."""
    y, x = (
        a.ravel() for a in np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    )
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


@lru_cache(64)
def border(height: int, width: int) -> NDArray[np.bool_]:
    """The outer twentieth on each side, at least one pixel."""
    outer = np.ones((height, width), bool)
    y, x = max(1, height // 20), max(1, width // 20)
    outer[y : height - y, x : width - x] = False
    return outer


def spread(values: Contrast) -> float:
    """The standard deviation that normal noise with this median absolute deviation would have."""
    return 1.4826 * middle(np.abs(values - middle(values)))


def middle(values: Contrast) -> float:
    """The median, but for the mean of two: a third of the time of numpy's."""
    half = values.size // 2
    return float(np.partition(values, half, axis=None)[half])
