"""Long straight lines: of ruled and squared paper, of a table's cells, of a sheet's edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# A line is longer than this share of the picture's longer side, which no stroke of a digit on a sheet is.
_MIN_LENGTH = 0.55
_MAX_THICKNESS = 0.04


def without_lines(mask: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Returns the mask, (H, W), 255 for ink, without its long straight lines; None if it has none.

    The parts of a line that lie between strokes on both of its sides stay.
    """
    found = np.zeros_like(mask)
    for across in (True, False):
        found |= _lines(mask, across=across)
    if not found.any():
        return None
    return _joined(mask & ~found, found)


def _lines(mask: NDArray[np.uint8], *, across: bool) -> NDArray[np.uint8]:
    """What lies on lines across (or down) that are long, thin, and may lean by a pixel in twelve."""
    long = max(9, int(_MIN_LENGTH * max(mask.shape)))
    thick = max(2, int(_MAX_THICKNESS * max(mask.shape)))
    piece = cv2.getStructuringElement(cv2.MORPH_RECT, (12, 1) if across else (1, 12))
    run = cv2.getStructuringElement(cv2.MORPH_RECT, (long, 1) if across else (1, long))
    thin = cv2.getStructuringElement(cv2.MORPH_RECT, (1, thick + 1) if across else (thick + 1, 1))
    lean = cv2.getStructuringElement(cv2.MORPH_RECT, (1, 3) if across else (3, 1))
    # Strokes wider than a line are none; short straight pieces that join over a pixel's step are one.
    slender = mask & ~np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, thin), np.uint8)
    _, _, width, height = cv2.boundingRect(slender)
    if (width if across else height) < long:
        return np.zeros_like(mask)
    pieces = cv2.dilate(cv2.morphologyEx(slender, cv2.MORPH_OPEN, piece), lean)
    bridged = cv2.morphologyEx(pieces, cv2.MORPH_CLOSE, run[:, : long // 2] if across else run[: long // 2])
    lines = cv2.morphologyEx(bridged, cv2.MORPH_OPEN, run)
    return slender & np.asarray(cv2.dilate(lines, lean), np.uint8)


def _joined(kept: NDArray[np.uint8], found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gives back the parts of lines that lie between strokes on both of their sides."""
    gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    closed = np.asarray(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, gap), np.uint8)
    return kept | (closed & found)
