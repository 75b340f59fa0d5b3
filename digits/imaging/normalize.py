"""Ink to 28 x 28 pixels, framed as MNIST was (LeCun et al. 1998, "Gradient-based learning", section III.A).

The ink's box is scaled to 20 pixels on its longer side and its centre of mass put on the centre.
"""

from __future__ import annotations

import cv2
import numpy as np

from digits.imaging.region import Box, Contrast
from digits.pixels import SIDE, Pixels

BOX_SIDE = 20
CENTRE = SIDE // 2

# Strokes are measured and thickened on a picture so many times finer than the result.
_FINER = 4
# Of MNIST's strokes, 5 % are thinner than 1.6 pixels, half than 2.3, and 95 % than 3.6.
_MIN_STROKE = 1.8
_USUAL_STROKE = 2.2
_MAX_STROKE = 4.2


def normalized(cover: Contrast, box: Box) -> Pixels:
    """Returns (28, 28) uint8, 0 background, 255 ink, of the ink (H, W), 0 to 1, in a box."""
    inside = np.rint(cover[box.top : box.bottom, box.left : box.right] * 255).astype(np.uint8)
    fine = _with_usual_stroke(_scaled(inside, BOX_SIDE * _FINER))
    small = _scaled(fine, BOX_SIDE).astype(np.float32)
    small *= 255 / max(1.0, float(small.max()))
    return _centred(small.astype(np.uint8))


def _scaled(image: Pixels, side: int) -> Pixels:
    height, width = image.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def _with_usual_stroke(fine: Pixels) -> Pixels:
    """Thickens hairlines and thins bars, since both are gone or closed at 28 x 28."""
    width = stroke_width(fine) / _FINER
    if width < _MIN_STROKE:
        return _grown(fine, (_USUAL_STROKE - width) * _FINER / 2, cv2.MORPH_DILATE)
    if width > _MAX_STROKE:
        return _grown(fine, (width - _MAX_STROKE) * _FINER / 2, cv2.MORPH_ERODE)
    return fine


def stroke_width(image: Pixels) -> float:
    """Mean width of the strokes in pixels: twice the area over the outline's length.

    The outline is counted in steps along the pixel grid, which overstates a smooth curve by 4 / pi,
    after a median filter: the holes of grain and dither are no outline.
    """
    smooth = cv2.medianBlur(image, 3)
    _, thresholded = cv2.threshold(smooth, 127, 1, cv2.THRESH_BINARY)
    inked = np.asarray(cv2.copyMakeBorder(thresholded, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
    steps = cv2.norm(inked[1:], inked[:-1], cv2.NORM_L1) + cv2.norm(inked[:, 1:], inked[:, :-1], cv2.NORM_L1)
    return 2 * cv2.countNonZero(inked) / max(1.0, steps * np.pi / 4)


def _grown(fine: Pixels, by: float, how: int) -> Pixels:
    """Moves the outline out (or in) by some pixels."""
    radius = max(1, round(by))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    grown = cv2.morphologyEx(np.pad(fine, radius + 1), how, disc)
    rows, columns = np.flatnonzero(grown.max(axis=1)), np.flatnonzero(grown.max(axis=0))
    if not len(rows):
        return fine
    return np.asarray(grown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.uint8)


def _centred(small: Pixels) -> Pixels:
    height, width = small.shape
    rows, columns = small.sum(axis=1, dtype=np.float64), small.sum(axis=0, dtype=np.float64)
    mass = max(1.0, float(rows.sum()))
    top = round(CENTRE - float(rows @ np.arange(height)) / mass)
    left = round(CENTRE - float(columns @ np.arange(width)) / mass)
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    framed = np.zeros((SIDE, SIDE), np.uint8)
    framed[top : top + height, left : left + width] = small
    return framed
