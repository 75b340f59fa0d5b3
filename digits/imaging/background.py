"""How far each pixel of a grey picture is from its paper, whatever the light on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.float32]

# The surface is fitted to about this many pixels a side: it is smooth, and this takes 1 ms.
_SAMPLED_SIDE = 48
_ROUNDS = 10
# Tukey's biweight with its usual constant: 95 % as efficient as least squares on normal noise.
_BIWEIGHT = 4.685
# The border is paper, what is inside may be ink.
_BORDER_WEIGHT = 4.0
# Where a fifth of the border differs from the fit by more than this share, the edge of a shadow crosses it.
_EVEN = 0.06
# Shadows leave more light than that; what differs by so much is ink that reaches the border.
_INK_AT_BORDER = 0.6
# Strokes are narrower than this share of the picture, shadows are wider.
_MAX_STROKE_WIDTH = 0.3
_NEARLY_BLACK = 48


@dataclass(frozen=True)
class Contrast:
    """(H, W) float32: 0 on paper, positive on ink, as a share of the range from black to white.

    Where the light is not even, what touches the picture's edge may be a shadow.
    """

    values: Grey
    even_light: bool


def ink_contrast(grey: Grey) -> Contrast:
    """Measures a picture (H, W), 0 to 255, against its paper.

    Dark ink is compared with its paper as a ratio, since a shadow dims both alike. Where a quadratic
    surface does not explain the light, the paper is taken from around each place instead.
    """
    paper, even_light = _fitted(grey)
    if not even_light:
        return Contrast(_local_contrast(grey), even_light=False)
    difference = grey - paper
    if _energy(-difference) >= _energy(difference):
        return Contrast(np.asarray(-difference / np.maximum(paper, 32), np.float32), even_light=True)
    return Contrast(np.asarray(difference / 255, np.float32), even_light=True)


def spread(values: Grey) -> float:
    """The standard deviation that normal noise with this median absolute deviation would have."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def blurred(image: Grey) -> Grey:
    """The mean of each pixel and its eight neighbours; less noise, and strokes stay where they are."""
    padded = np.pad(image, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9, np.float32)


def _energy(difference: Grey) -> float:
    """The sum of the squares of what stands out of the noise: a small digit counts, grain does not."""
    smooth = blurred(difference)
    return float(np.square(np.maximum(smooth - 5 * spread(smooth) - 2, 0)).sum())


def _local_contrast(grey: Grey) -> Grey:
    """Contrast with the brightest place around, by closing with a wide square.

    Shadows are seen on light paper only, so that ink is dark, unless the border is nearly black.
    """
    smooth = blurred(grey)
    width = int(max(grey.shape) * _MAX_STROKE_WIDTH) | 1
    if np.median(grey[_border(*grey.shape)]) < _NEARLY_BLACK:
        opened = _widened(-_widened(-smooth, width), width)
        return np.asarray((grey - opened) / 255, np.float32)
    closed = -_widened(-_widened(smooth, width), width)
    return np.asarray(1 - grey / np.maximum(closed, 32), np.float32)


def _widened(image: Grey, width: int) -> Grey:
    """The largest value in the square of that (odd) width around each pixel, by doubling runs."""
    for axis in (0, 1):
        padded = np.pad(
            image, [(width // 2, width // 2) if a == axis else (0, 0) for a in (0, 1)], mode="edge"
        )
        padded = np.moveaxis(padded, axis, 0)
        run = 1
        while run < width:
            step = min(run, width - run)
            padded = np.maximum(padded[: len(padded) - step], padded[step:])
            run += step
        image = np.moveaxis(padded, 0, axis)
    return image


def _fitted(grey: Grey) -> tuple[Grey, bool]:
    """The paper's brightness at every pixel: a quadratic surface, by iteratively reweighted least squares.

    Also returns whether it explains the light, judged by the border.
    """
    sampled = _sampled(grey)
    border, values, terms = _border(*sampled.shape).ravel(), sampled.ravel(), _terms(*sampled.shape)
    residual = values - np.median(values[border])
    for _ in range(_ROUNDS):
        reach = _BIWEIGHT * (spread(residual[border]) + 2.0)
        weights = np.clip(1 - (residual / reach) ** 2, 0, None) ** 2 * np.where(border, _BORDER_WEIGHT, 1.0)
        weighted = (terms * weights[:, None]).T
        solution = np.linalg.solve(weighted @ terms + 1e-3 * np.eye(6), weighted @ values)
        residual = values - terms @ solution
    y, x = np.linspace(-1, 1, grey.shape[0])[:, None], np.linspace(-1, 1, grey.shape[1])[None]
    c, c_x, c_y, c_xx, c_xy, c_yy = solution
    paper = np.clip(c + c_x * x + c_y * y + c_xx * x * x + c_xy * x * y + c_yy * y * y, 1, 255)
    seen, fitted = np.maximum(values, 1)[border], np.maximum(values - residual, 1)[border]
    shares = 1 - np.minimum(seen, fitted) / np.maximum(seen, fitted)
    most, nearly_all = np.percentile(shares, (80, 95))
    return np.asarray(paper, np.float32), bool(most < _EVEN or nearly_all > _INK_AT_BORDER)


def _sampled(grey: Grey) -> Grey:
    """The means of blocks of pixels."""
    longest = max(grey.shape)
    height, width = (max(2, min(side, side * _SAMPLED_SIDE // longest)) for side in grey.shape)
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BOX), np.float32)


def _terms(height: int, width: int) -> NDArray[np.float64]:
    """(H * W, 6): the terms of a quadratic in both directions."""
    y, x = (
        a.ravel() for a in np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    )
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _border(height: int, width: int) -> NDArray[np.bool_]:
    """The outer twentieth on each side, at least one pixel."""
    border = np.ones((height, width), bool)
    y, x = max(1, height // 20), max(1, width // 20)
    border[y : height - y, x : width - x] = False
    return border
