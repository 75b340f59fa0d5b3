"""Regions within a picture: the inside of a printed box, and a sheet on something darker or lighter."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from digits.imaging.region import Box, Gray, Region

# Smaller than this share of the picture, it holds no digit that could be read; larger, it is the picture.
_MIN_AREA = 0.03
_MAX_AREA = 0.98
# A rectangle fills its own box; a digit, or a hand, does not.
_MIN_FILL = 0.86
# Ink that reaches its edge takes something of that; a block letter is no sheet.
_MIN_OWN_FILL = 0.85
# What is narrower than this is a stroke.
_MIN_SIDE_RATIO = 0.2
# This share of a sheet's shorter side is left off at each edge: shadows, and the frame's own line.
_MARGIN = 0.035
_MAX_REGIONS = 3


def inner_regions(picture: Region, sized: Region) -> list[Region]:
    """The rectangles within a picture, the largest first, each cut out and filled up with its own background.

    `sized` is the picture at the size at which they are looked for.
    """
    gray = sized.gray
    found: list[tuple[float, NDArray[np.int32]]] = []
    _, light = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    for mask in (light, cv2.bitwise_not(light), _edges(gray)):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        found.extend(_rectangles(contours, gray.shape))
    found.sort(key=lambda pair: -pair[0])
    larger = sized.scale / picture.scale
    regions = []
    for corners in _unlike([corners for _, corners in found], gray.shape)[:_MAX_REGIONS]:
        full = np.rint(corners * larger).astype(np.int32)
        regions.append(_inside(picture, full, _box(full, picture.gray.shape)))
    return regions


def _unlike(found: list[NDArray[np.int32]], shape: tuple[int, ...]) -> list[NDArray[np.int32]]:
    """Of rectangles that are about the same, the last: of a frame's two outlines, that is the inner one."""
    kept: list[NDArray[np.int32]] = []
    for corners in found:
        box = _box(corners, shape)
        same = next((at for at, other in enumerate(kept) if _same(box, _box(other, shape))), len(kept))
        kept[same : same + 1] = [corners]
    return kept


def _edges(gray: Gray) -> NDArray[np.uint8]:
    """Where brightness changes: a thin frame is lost to one threshold for the whole picture."""
    return np.asarray(cv2.dilate(cv2.Canny(gray, 40, 120), np.ones((2, 2), np.uint8)), np.uint8)


def _rectangles(contours: Sequence[MatLike], shape: tuple[int, ...]) -> list[tuple[float, NDArray[np.int32]]]:
    """Of each contour that is a rectangle within the picture, its area and corners (4, 2) as x, y."""
    whole = float(shape[0] * shape[1])
    found = []
    for contour in contours:
        left, top, wide, high = cv2.boundingRect(contour)
        # A sheet ends within the picture; what ends at its border is a shadow, or a tight crop's background.
        ends_within = left > 0 and top > 0 and left + wide < shape[1] and top + high < shape[0]
        if len(contour) < 4 or wide * high <= _MIN_AREA * whole or not ends_within:
            continue
        _, (width, height), _ = turned = cv2.minAreaRect(contour)
        area = width * height
        if not _MIN_AREA * whole < area < _MAX_AREA * whole or min(width, height) < _MIN_SIDE_RATIO * max(
            width, height
        ):
            continue
        filled, hull = cv2.contourArea(contour), cv2.contourArea(cv2.convexHull(contour))
        if hull >= _MIN_FILL * area and filled >= _MIN_OWN_FILL * area:
            found.append((area, np.rint(cv2.boxPoints(turned)).astype(np.int32)))
    return found


def _box(corners: NDArray[np.int32], shape: tuple[int, ...]) -> Box:
    left, top, width, height = cv2.boundingRect(corners)
    return Box(max(0, top), max(0, left), min(shape[0], top + height), min(shape[1], left + width))


def _same(one: Box, other: Box) -> bool:
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    union = one.height * one.width + other.height * other.width - max(0, high) * max(0, wide)
    return high > 0 and wide > 0 and high * wide > 0.75 * union


def _inside(region: Region, corners: NDArray[np.int32], box: Box) -> Region:
    """The region cut at the box; what is outside the rectangle, or near its edge, becomes background."""
    inside = np.zeros(region.gray.shape, np.uint8)
    cv2.fillConvexPoly(inside, corners, 255)
    margin = max(2, round(_MARGIN * min(box.height, box.width)))
    square = np.ones((2 * margin + 1,) * 2, np.uint8)
    eroded = np.asarray(cv2.erode(inside, square, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)
    cut = np.s_[box.top : box.bottom, box.left : box.right]
    gray, mask = region.gray[cut].copy(), eroded[cut] > 0
    if mask.any():
        # The median of all would be the digit's own colour if the box is tight around it.
        gray[~mask] = np.uint8(np.median(gray[mask]))
    origin = region.place(box)
    return Region(gray, origin.top, origin.left, region.scale)
