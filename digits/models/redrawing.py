"""A fixed set of worse pictures of the same digits: a network's accuracy on them is its robustness.

Each kind is drawn with OpenCV and numpy and shares no code with the changes that training makes
(spark_jobs/), so that a network is not measured by what it was trained on.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels

Stack = NDArray[np.float32]
"""Pictures, (N, 28, 28), 0 background to 1 ink."""
Redraw = Callable[[Stack, np.random.Generator], Stack]


def redrawn(pixels: Pixels, kind: str, seed: int = 0) -> Pixels:
    """Returns pictures, uint8 (N, 784), as the kind of `KINDS` makes them; the same for the same seed."""
    stack = pixels.reshape(-1, SIDE, SIDE).astype(np.float32) / 255
    worse = KINDS[kind](np.asarray(stack, np.float32), np.random.default_rng(seed))
    return np.rint(np.clip(worse, 0, 1) * 255).astype(np.uint8).reshape(-1, PIXELS_PER_IMAGE)


def _each(change: Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]) -> Redraw:
    def all_of(stack: Stack, random: np.random.Generator) -> Stack:
        return np.stack([change(image, random) for image in stack])

    return all_of


def _speckled(stack: Stack, random: np.random.Generator) -> Stack:
    dice = random.random(stack.shape)
    return np.where(dice < 0.05, 0, np.where(dice > 0.95, 1, stack)).astype(np.float32)


def _out_of_focus(image: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    return cv2.GaussianBlur(image, (0, 0), random.uniform(0.8, 1.4)).astype(np.float32)


def _shaken(image: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    kernel = np.zeros((5, 5), np.float32)
    angle = random.uniform(0, np.pi)
    for step in np.linspace(-2, 2, 9):
        kernel[round(2 + step * np.sin(angle)), round(2 + step * np.cos(angle))] = 1
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.float32)


def _striped(stack: Stack, random: np.random.Generator) -> Stack:
    period = random.integers(4, 9, (len(stack), 1, 1))
    place = (np.arange(SIDE)[None, None, :] + random.integers(0, 9, (len(stack), 1, 1))) % period
    rows = random.random((len(stack), 1, 1)) < 0.5
    stripes = np.where(rows, (place == 0).transpose(0, 2, 1), place == 0) * random.uniform(
        0.3, 0.6, (len(stack), 1, 1)
    )
    return np.asarray(np.maximum(stack, stripes), np.float32)


def _fogged(stack: Stack, random: np.random.Generator) -> Stack:
    slope = np.linspace(0, 1, SIDE, dtype=np.float32)[None, :, None]
    fog = random.uniform(0.2, 0.5, (len(stack), 1, 1)).astype(np.float32) * (0.4 + 0.6 * slope)
    return np.asarray(fog + (1 - fog) * stack * 0.7, np.float32)


def _crossed_out(image: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    crossed = image.copy()
    start, end = random.integers(0, SIDE, 2), random.integers(0, SIDE, 2)
    if random.random() < 0.5:
        cv2.line(crossed, (0, int(start[0])), (SIDE - 1, int(end[0])), 1.0, 1, cv2.LINE_AA)
    else:
        cv2.line(crossed, (int(start[1]), 0), (int(end[1]), SIDE - 1), 1.0, 1, cv2.LINE_AA)
    return crossed


def _scratched(image: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    scratched = image.copy()
    for _ in range(2):
        (x0, x1), (y0, y1) = random.integers(0, SIDE, 2), random.integers(0, SIDE, 2)
        cv2.line(scratched, (int(x0), int(y0)), (int(x1), int(y1)), 0.0, 1, cv2.LINE_AA)
    return scratched


def _stained(image: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    stained = image.copy()
    x, y = random.integers(3, 25, 2)
    cv2.circle(stained, (int(x), int(y)), 3, float(random.random() < 0.5), -1, cv2.LINE_AA)
    return stained


def _pen(size: int) -> Redraw:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(size), abs(size)))
    turn = cv2.dilate if size > 0 else cv2.erode

    def redraw(image: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
        # Strokes of a pixel vanish when eroded at this size: at four times it they grow thin instead.
        large = _resized(image, 4 * SIDE, cv2.INTER_CUBIC)
        return _resized(turn(large, kernel), SIDE, cv2.INTER_AREA)

    return _each(redraw)


def _leaning(image: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    around = cv2.getRotationMatrix2D((13.5, 13.5), random.uniform(-18, 18), random.uniform(0.85, 1.1))
    turn = np.asarray(around, np.float64)
    turn[:, 2] += random.uniform(-1.5, 1.5, 2)
    return cv2.warpAffine(image, turn, (SIDE, SIDE)).astype(np.float32)


def _coarse(image: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
    return _resized(_resized(image, SIDE // 2, cv2.INTER_AREA), SIDE, cv2.INTER_NEAREST)


def _resized(image: cv2.typing.MatLike, side: int, interpolation: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(image, (side, side), interpolation=interpolation), np.float32)


def _ruled(stack: Stack, random: np.random.Generator) -> Stack:
    ruled = stack.copy()
    for image, first in zip(ruled, random.integers(2, 8, len(stack)), strict=True):
        image[first::9] = np.maximum(image[first::9], 0.7)
    return ruled


KINDS: dict[str, Redraw] = {
    "noisy": lambda stack, random: stack + random.normal(0, 0.25, stack.shape).astype(np.float32),
    "speckled": _speckled,
    "out of focus": _each(_out_of_focus),
    "shaken": _each(_shaken),
    "striped": _striped,
    "fogged": _fogged,
    "faint": lambda stack, random: stack * random.uniform(0.2, 0.5, (len(stack), 1, 1)).astype(np.float32),
    "crossed out": _each(_crossed_out),
    "scratched": _each(_scratched),
    "stained": _each(_stained),
    "thick pen": _pen(6),
    "thin pen": _pen(-4),
    "leaning": _each(_leaning),
    "coarse": _each(_coarse),
    "ruled": _ruled,
}
