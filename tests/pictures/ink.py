"""A digit's ink at any size, from its 28 x 28 pixels, and with another pen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Cover = NDArray[np.float32]
"""(H, W), 0 nothing to 1 ink."""
Random = np.random.Generator


def ink(digit: NDArray[np.uint8], height: float, random: Random, pen: float = 1.0) -> Cover:
    """The digit's box, its longer side `height` pixels long, with a smooth edge.

    `pen` widens strokes (above 1) or thins them.
    """
    image = digit.reshape(28, 28)
    rows, columns = np.flatnonzero(image.max(axis=1) > 40), np.flatnonzero(image.max(axis=0) > 40)
    box = np.pad(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255, 2)
    scale = height / (max(box.shape) - 4)
    size = (max(1, round(box.shape[1] * scale)), max(1, round(box.shape[0] * scale)))
    if scale < 1.5:
        return np.clip(
            cv2.resize(box, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), 0, 1
        )
    large = cv2.GaussianBlur(cv2.resize(box, size, interpolation=cv2.INTER_CUBIC), (0, 0), 0.35 * scale)
    # Where the edge is decides how wide strokes are.
    edge = np.clip(0.42 - 0.28 * (pen - 1) + random.uniform(-0.04, 0.04), 0.08, 0.75)
    return np.clip((large - edge) / 0.12 + 0.5, 0, 1).astype(np.float32)


def cropped(cover: Cover) -> Cover:
    """The cover cut at its ink."""
    rows, columns = np.flatnonzero(cover.max(axis=1) > 0.3), np.flatnonzero(cover.max(axis=0) > 0.3)
    return cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def placed(cover: Cover, height: int, width: int, random: Random, margin: float = 0.06) -> Cover:
    """The cover somewhere on an empty sheet, its box inside a margin (a share of the sheet)."""
    sheet = np.zeros((height, width), np.float32)
    room_y, room_x = height - cover.shape[0], width - cover.shape[1]
    top = int(random.uniform(min(margin * height, room_y / 2), max(room_y - margin * height, room_y / 2)))
    left = int(random.uniform(min(margin * width, room_x / 2), max(room_x - margin * width, room_x / 2)))
    sheet[top : top + cover.shape[0], left : left + cover.shape[1]] = cover
    return sheet


def centred(cover: Cover, height: int, width: int) -> Cover:
    """The cover in the middle of an empty sheet."""
    sheet = np.zeros((height, width), np.float32)
    top, left = (height - cover.shape[0]) // 2, (width - cover.shape[1]) // 2
    sheet[top : top + cover.shape[0], left : left + cover.shape[1]] = cover
    return sheet
