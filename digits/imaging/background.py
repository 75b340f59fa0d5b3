"""How far each pixel of a gray picture is from its background, whatever the light on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.imaging.region import Contrast, Gray
from digits.imaging.surface import border, fitted, spread

# Strokes are narrower than this share of the picture, shadows are wider.
_MAX_STROKE_WIDTH = 0.3
_NEARLY_BLACK = 48
# A border of which this share is of the other tone is no background.
_MIXED = 0.12
# Two tones are so many of their own deviations apart.
_MIN_TONES = 2.0
# What fills this share of its convex hull is convex, but for noise.
_FILLED = 0.95
# A polarity whose marks have less than this share of the other's energy is not looked at.
_MIN_ENERGY_SHARE = 0.1


@dataclass(frozen=True)
class Reading:
    """What would be ink if it is darker (or lighter) than its background, and how likely that is, in nats.

    If the border is not mostly background, ink may reach it: `cut` at its own box. If the light is `uneven`,
    what reaches the border is a shadow.
    """

    contrast: Contrast
    prior: float
    cut: bool = False
    uneven: bool = False


def readings(gray: Gray) -> list[Reading]:
    """Measures a picture against its background: the likelier polarity first, the other only if it may be.

    Dark ink is compared with its background as a ratio, since a shadow dims both alike. If a quadratic
    surface does not explain the light, the background is taken from around each place instead.
    """
    surface, even_light = fitted(gray)
    difference = gray.astype(np.float32) - surface
    energies = _energies(difference)
    shares = energies / max(1e-6, float(energies.sum()))
    cost = 0.0 if even_light else -0.8
    uneven = not even_light
    dark = Reading(-difference / np.maximum(surface, 32), cost - float(1 - shares[0]), uneven=uneven)
    light = Reading(difference / 255, cost - float(1 - shares[1]), uneven=uneven)
    found = [
        reading for share, reading in zip(shares, (dark, light), strict=True) if share >= _MIN_ENERGY_SHARE
    ]
    if uneven:
        found.insert(0, Reading(_local_contrast(gray), 0.0, uneven=True))
    return found + _of_two_tones(gray)


def _of_two_tones(gray: Gray) -> list[Reading]:
    """Both polarities of a picture that is cut at its ink, so that its border is no background."""
    _, thresholded = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = np.asarray(thresholded, np.uint8)
    share = float(bright[border(*gray.shape)].mean())
    if not _MIXED < share < 1 - _MIXED:
        return []
    values, light = gray.astype(np.float32), bright.astype(bool)
    if light.all() or not light.any() or _divided(bright):
        return []
    high, low = float(np.median(gray[light])), float(np.median(gray[~light]))
    if high - low < _MIN_TONES * (gray[light].std() + gray[~light].std() + 2):
        return []
    dark = Reading((high - values) / max(high, 32), -0.3 + 0.4 * (share - 0.5), cut=True)
    return [dark, Reading((values - low) / 255, -0.3 - 0.4 * (share - 0.5), cut=True)]


def _divided(bright: NDArray[np.uint8]) -> bool:
    """Whether a straight edge parts the two tones, as a shadow's does: then each fills its convex hull."""
    filled = []
    for tone in (bright, 1 - bright):
        places = cv2.findNonZero(tone)
        hull = cv2.contourArea(cv2.convexHull(places))
        filled.append(len(places) > _FILLED * hull)
    return all(filled)


def _energies(difference: Contrast) -> NDArray[np.floating]:
    """Of what is darker and of what is lighter than the background, the squares of what exceeds the noise.

    A small digit counts, grain does not.
    """
    smooth = np.asarray(cv2.blur(difference, (3, 3)), np.float32)
    noise = 5 * spread(smooth[::3, ::3]) + 2
    beyond = (np.maximum(-smooth - noise, 0), np.maximum(smooth - noise, 0))
    return np.array([cv2.norm(side, cv2.NORM_L2SQR) for side in beyond])


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
