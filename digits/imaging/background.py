"""How far each pixel of a gray picture is from its background, whatever the light on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.imaging.region import Gray

Contrast = NDArray[np.float32]
"""(H, W): 0 on the background, positive on ink, as a share of the range from black to white."""

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
# Strokes are narrower than this share of the picture, shadows are wider.
_MAX_STROKE_WIDTH = 0.3
_NEARLY_BLACK = 48
# A border of which this share is of the other tone is no background.
_MIXED = 0.12
# A border whose levels differ by no more was drawn, not photographed.
_FLAT = 6
# A fit whose middle moves by less is done.
_SETTLED = 0.25
# Two tones are so many of their own deviations apart.
_MIN_TONES = 2.0
# A polarity whose marks have less than this share of the other's energy is not looked at.
_MIN_ENERGY_SHARE = 0.1


@dataclass(frozen=True)
class Reading:
    """What would be ink if it is darker (or lighter) than its background, and how likely that is, in nats.

    If the border is not mostly background, ink may reach it: `cut` at its own box.
    """

    contrast: Contrast
    prior: float
    cut: bool = False


def readings(gray: Gray) -> list[Reading]:
    """Measures a picture against its background: the likelier polarity first, the other only if it may be.

    Dark ink is compared with its background as a ratio, since a shadow dims both alike. If a quadratic
    surface does not explain the light, the background is taken from around each place instead.
    """
    surface, even_light = _fitted(gray)
    difference = gray.astype(np.float32) - surface
    energies = np.array([_energy(-difference), _energy(difference)])
    shares = energies / max(1e-6, float(energies.sum()))
    cost = 0.0 if even_light else -0.8
    dark = Reading(-difference / np.maximum(surface, 32), cost - float(1 - shares[0]))
    light = Reading(difference / 255, cost - float(1 - shares[1]))
    found = [
        reading for share, reading in zip(shares, (dark, light), strict=True) if share >= _MIN_ENERGY_SHARE
    ]
    if not even_light:
        found.insert(0, Reading(_local_contrast(gray), 0.0))
    return found + _of_two_tones(gray)


def _of_two_tones(gray: Gray) -> list[Reading]:
    """Both polarities of a picture that is cut at its ink, so that its border says nothing of the background."""
    level, bright = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    share = float(bright[border(*gray.shape)].mean())
    if not _MIXED < share < 1 - _MIXED:
        return []
    values, light = gray.astype(np.float32), bright.astype(bool)
    if light.all() or not light.any():
        return []
    high, low = float(np.median(gray[light])), float(np.median(gray[~light]))
    if high - low < _MIN_TONES * (gray[light].std() + gray[~light].std() + 2):
        return []
    dark = Reading((high - values) / max(high, 32), -0.3 + 0.4 * (share - 0.5), cut=True)
    return [dark, Reading((values - low) / 255, -0.3 - 0.4 * (share - 0.5), cut=True)]


def spread(values: NDArray[np.floating]) -> float:
    """The standard deviation that normal noise with this median absolute deviation would have."""
    return 1.4826 * _middle(np.abs(values - _middle(values)))


def _middle(values: NDArray[np.floating]) -> float:
    """The median, but for the mean of two: a third of the time of numpy's."""
    half = values.size // 2
    return float(np.partition(values, half, axis=None)[half])


def _energy(difference: Contrast) -> float:
    """The sum of the squares of what stands out of the noise: a small digit counts, grain does not."""
    smooth = cv2.blur(difference, (3, 3))
    return float(np.square(np.maximum(smooth - 5 * spread(smooth[::3, ::3]) - 2, 0)).sum())


def _local_contrast(gray: Gray) -> Contrast:
    """Contrast with the brightest place around, by closing with a wide square.

    Shadows are seen on light paper only, so that ink is dark, unless the border is nearly black.
    """
    smooth = cv2.blur(gray, (3, 3))
    square = np.ones((int(max(gray.shape) * _MAX_STROKE_WIDTH) | 1,) * 2, np.uint8)
    values = gray.astype(np.float32)
    if np.median(gray[border(*gray.shape)]) < _NEARLY_BLACK:
        return (values - cv2.morphologyEx(smooth, cv2.MORPH_OPEN, square)) / 255
    closed = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, square)
    return 1 - values / np.maximum(closed, 32)


def _fitted(gray: Gray) -> tuple[Contrast, bool]:
    """The background's brightness at every pixel: a quadratic surface, by iteratively reweighted least squares.

    Also returns whether it explains the light, judged by the border.
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


def _surface(solution: NDArray[np.float64], height: int, width: int) -> Contrast:
    c, c_x, c_y, c_xx, c_xy, c_yy = solution.astype(np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return np.clip((c + c_x * x + c_xx * x * x) + (c_y * y + c_yy * y * y) + c_xy * x * y, 1, 255)


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
