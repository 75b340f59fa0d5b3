"""Ink to 28 x 28 pixels, framed as MNIST was (LeCun et al. 1998, "Gradient-based learning", section III.A).

The ink's box is scaled to 20 pixels on its longer side and its centre of mass put on the centre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digits.imaging.background import Grey
from digits.imaging.components import Box
from digits.imaging.segmentation import Ink
from digits.pixels import SIDE, Pixels

BOX_SIDE = 20
CENTRE = SIDE // 2

# Strokes are measured and thickened on a picture so many times finer than the result.
_FINER = 8
# Of MNIST's strokes, 5 % are thinner than 1.6 pixels, half than 2.3, and 95 % than 3.6.
_MIN_STROKE = 1.8
_USUAL_STROKE = 2.2
_MAX_STROKE = 4.2


def frame(ink: Ink) -> Pixels:
    """Returns (28, 28) uint8, 0 paper, 255 ink."""
    fine = _scaled(_cropped(ink.cover, ink.box), BOX_SIDE * _FINER)
    fine = _with_usual_stroke(fine)
    small = _scaled(fine, BOX_SIDE)
    small = np.clip(small * (255 / max(1.0, float(small.max()))), 0, 255)
    return _centred(small.astype(np.uint8))


def _cropped(cover: Grey, box: Box) -> Pixels:
    inside = cover[box.top : box.bottom, box.left : box.right]
    return np.asarray(np.rint(inside * 255), np.uint8)


def _scaled(image: Pixels, side: int) -> Pixels:
    height, width = image.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize(size, method), np.uint8)


def _with_usual_stroke(fine: Pixels) -> Pixels:
    """Thickens hairlines and thins bars, since both are gone or closed at 28 x 28."""
    width = stroke_width(fine) / _FINER
    if width < _MIN_STROKE:
        return _grown(fine, round((_USUAL_STROKE - width) * _FINER / 2), ImageFilter.MaxFilter)
    if width > _MAX_STROKE:
        return _grown(fine, round((width - _MAX_STROKE) * _FINER / 2), ImageFilter.MinFilter)
    return fine


def stroke_width(image: Pixels) -> float:
    """Mean width of the strokes in pixels: twice the area over the outline's length.

    The outline is counted in steps along the pixel grid, which overstates a smooth curve by 4 / pi,
    after a median filter: the holes of grain and dither are no outline.
    """
    smooth = np.asarray(Image.fromarray(image).filter(ImageFilter.MedianFilter(5)))
    inked = np.pad(smooth > 127, 1)
    steps = np.count_nonzero(inked[1:] != inked[:-1]) + np.count_nonzero(inked[:, 1:] != inked[:, :-1])
    return 2 * np.count_nonzero(inked) / max(1.0, steps * np.pi / 4)


def _grown(fine: Pixels, by: int, kind: type[ImageFilter.MaxFilter | ImageFilter.MinFilter]) -> Pixels:
    """Moves the outline out (or in) by some pixels, a square and a diamond in turn to stay round."""
    image = Image.fromarray(np.pad(fine, by + 1))
    for _ in range(by):
        image = image.filter(kind(3))
    grown = np.asarray(image, np.uint8)
    rows, columns = np.flatnonzero(grown.any(axis=1)), np.flatnonzero(grown.any(axis=0))
    if not len(rows):
        return fine
    return grown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _centred(small: Pixels) -> Pixels:
    height, width = small.shape
    rows, columns = small.sum(axis=1, dtype=np.float64), small.sum(axis=0, dtype=np.float64)
    mass = max(1.0, float(rows.sum()))
    top = round(CENTRE - float(rows @ np.arange(height)) / mass)
    left = round(CENTRE - float(columns @ np.arange(width)) / mass)
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    framed: NDArray[np.uint8] = np.zeros((SIDE, SIDE), np.uint8)
    framed[top : top + height, left : left + width] = small
    return framed
