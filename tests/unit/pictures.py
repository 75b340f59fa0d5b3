"""Draws digits with a pen of our own, so that tests of pictures need no data set."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Grey = NDArray[np.uint8]
Points = list[tuple[float, float]]

# Strokes in a unit square, x to the right and y down.
STROKES: dict[int, list[Points]] = {
    0: [
        [
            (0.5, 0.0),
            (0.2, 0.2),
            (0.15, 0.55),
            (0.35, 0.95),
            (0.65, 0.9),
            (0.85, 0.5),
            (0.75, 0.15),
            (0.5, 0.0),
        ]
    ],
    1: [[(0.6, 0.0), (0.5, 0.5), (0.42, 1.0)]],
    2: [[(0.15, 0.2), (0.4, 0.0), (0.7, 0.1), (0.7, 0.35), (0.4, 0.7), (0.1, 0.95), (0.5, 0.9), (0.9, 0.95)]],
    3: [[(0.2, 0.1), (0.5, 0.0), (0.75, 0.2), (0.4, 0.45), (0.8, 0.7), (0.5, 1.0), (0.15, 0.9)]],
    4: [[(0.3, 0.0), (0.1, 0.55), (0.85, 0.5)], [(0.7, 0.15), (0.6, 1.0)]],
    5: [
        [(0.3, 0.0), (0.22, 0.4), (0.6, 0.4), (0.75, 0.7), (0.5, 1.0), (0.1, 0.9)],
        [(0.3, 0.0), (0.8, 0.02)],
    ],
    6: [[(0.65, 0.0), (0.25, 0.4), (0.2, 0.8), (0.5, 1.0), (0.75, 0.75), (0.55, 0.55), (0.22, 0.75)]],
    7: [[(0.1, 0.05), (0.8, 0.0), (0.5, 0.5), (0.4, 1.0)]],
    8: [
        [(0.75, 0.1), (0.4, 0.0), (0.3, 0.3), (0.75, 0.65), (0.6, 1.0), (0.25, 0.9), (0.35, 0.6), (0.75, 0.1)]
    ],
    9: [[(0.75, 0.2), (0.45, 0.0), (0.2, 0.3), (0.5, 0.5), (0.75, 0.2), (0.7, 0.6), (0.55, 1.0)]],
}


def drawn(digit: int, side: int = 400, pen: float = 0.1) -> Grey:
    """Ink on black, (side, side); the pen's width is a share of the digit's height, 80 % of the side."""
    image = Image.new("L", (side, side))
    radius = pen * side * 0.4
    for points in STROKES[digit]:
        for x, y in _smooth(np.array(points) * side * 0.8 + side * 0.1):
            ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(image)


def _smooth(points: NDArray[np.float64], steps: int = 40) -> NDArray[np.float64]:
    """A Catmull-Rom spline through the points."""
    p = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.vstack(pieces)


def original(digit: int) -> Grey:
    """The digit as MNIST would frame it, (28, 28): box 20 pixels long, centre of mass in the middle."""
    ink = Image.fromarray(drawn(digit))
    ink = ink.crop(ink.getbbox())
    scale = 20 / max(ink.size)
    small = np.asarray(
        ink.resize((max(1, round(ink.width * scale)), round(ink.height * scale)), Image.Resampling.BOX)
    )
    y, x = np.indices(small.shape)
    top, left = (round(14 - float((place * small).sum() / small.sum())) for place in (y, x))
    framed = np.zeros((28, 28), np.uint8)
    framed[top : top + small.shape[0], left : left + small.shape[1]] = small
    return framed


def enlarged(image: Grey, side: int) -> Grey:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def on_paper(
    ink: Grey,
    size: tuple[int, int] = (500, 400),
    at: tuple[int, int] = (60, 40),
    *,
    tones: tuple[float, float] = (230, 40),
    light: NDArray[np.float64] | float = 1.0,
    noise: float = 0.0,
) -> Grey:
    """Lays ink at (left, top) on paper of (width, height), between the tones of paper and ink."""
    width, height = size
    cover = np.zeros((height, width))
    cover[at[1] : at[1] + ink.shape[0], at[0] : at[0] + ink.shape[1]] = ink / 255
    grain = np.random.default_rng(1).normal(0, noise, cover.shape) if noise else 0.0
    return np.clip((tones[0] + (tones[1] - tones[0]) * cover) * light + grain, 0, 255).astype(np.uint8)


def encoded(image: Grey | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The picture as a file's bytes."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()
