"""The kinds of pictures that show no digit, or not one."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.pictures.ink import Random, ink
from tests.pictures.light import as_bytes, grained, jpeg, painted, paper, pen, png

Digits = NDArray[np.uint8]
"""(N, 28, 28), to take some from."""
Kind = Callable[[Digits, Random], bytes]
# No letter that people also write as a digit.
LETTERS = "ACEFHKLMNPRTUVWXYadefhkmnpruvwxy"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)


def _canvas(height: int = 280, width: int = 280) -> NDArray[np.uint8]:
    return np.zeros((height, width), np.uint8)


def _finished(cover: NDArray[np.uint8], random: Random) -> bytes:
    photo = painted(cover.astype(np.float32) / 255, paper(random), pen(random))
    return png(photo) if random.random() < 0.5 else jpeg(grained(photo, random, 3))


def _letter(_: Digits, random: Random) -> bytes:
    canvas = _canvas()
    size = random.uniform(4, 7)
    letter = LETTERS[int(random.integers(len(LETTERS)))]
    cv2.putText(
        canvas,
        letter,
        (60, 210),
        _FONTS[int(random.integers(4))],
        size,
        255,
        int(random.integers(8, 26)),
        cv2.LINE_AA,
    )
    turn = cv2.getRotationMatrix2D((140, 140), random.uniform(-12, 12), 0.9)
    turn[0, 1] += random.uniform(-0.2, 0.2)
    return _finished(np.asarray(cv2.warpAffine(canvas, turn, (280, 280)), np.uint8), random)


def _shape(_: Digits, random: Random) -> bytes:
    canvas = _canvas()
    pen_width, turn = int(random.integers(8, 24)), random.uniform(0, 2 * np.pi)

    def corners(count: int, step: int = 1) -> NDArray[np.int32]:
        angles = [turn + 2 * np.pi * (place * step % count) / count for place in range(count)]
        return np.array(
            [[(140 + 90 * np.cos(angle), 140 + 90 * np.sin(angle)) for angle in angles]], np.int32
        )

    kind = int(random.integers(7))
    if kind == 0:
        cv2.circle(canvas, (140, 140), int(random.integers(40, 100)), 255, -1, cv2.LINE_AA)
    elif kind == 1:
        cv2.polylines(canvas, corners(3), True, 255, pen_width, cv2.LINE_AA)
    elif kind == 2:
        cv2.polylines(canvas, corners(5, 2), True, 255, pen_width, cv2.LINE_AA)
    elif kind == 3:
        cv2.rectangle(canvas, (50, 70), (230, 210), 255, -1)
    elif kind == 4:
        cv2.line(canvas, (50, 140), (230, 140), 255, pen_width)
        cv2.line(canvas, (140, 50), (140, 230), 255, pen_width)
    elif kind == 5:
        cv2.arrowedLine(
            canvas, (40, 140), (240, int(random.integers(80, 200))), 255, pen_width, tipLength=0.4
        )
    else:
        cv2.fillPoly(canvas, corners(5, 2), 255)
    return _finished(canvas, random)


def _scribble(_: Digits, random: Random) -> bytes:
    canvas = _canvas()
    places = random.integers(40, 240, (int(random.integers(8, 16)), 2)).astype(np.int32)
    cv2.polylines(canvas, [places], False, 255, int(random.integers(5, 16)), cv2.LINE_AA)
    return _finished(canvas, random)


def _two_digits(digits: Digits, random: Random) -> bytes:
    canvas = np.zeros((280, 480), np.float32)
    for left in (20, 250):
        cover = ink(digits[int(random.integers(len(digits)))], random.uniform(110, 150), random)
        top, across = int(random.integers(15, 50)), left + int(random.integers(0, 40))
        canvas[top : top + cover.shape[0], across : across + cover.shape[1]] = cover
    return _finished(as_bytes(255 * canvas), random)


def _page_of_text(_: Digits, random: Random) -> bytes:
    canvas = _canvas(480, 640)
    for row in range(int(random.integers(5, 10))):
        words = "".join(
            random.choice(list("abcdefghijklmnopqrstuvwxyz  ")) for _ in range(int(random.integers(18, 34)))
        )
        cv2.putText(canvas, words, (20, 50 + 44 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2, cv2.LINE_AA)
    return _finished(canvas, random)


def _word(_: Digits, random: Random) -> bytes:
    canvas = _canvas(200, 500)
    word = "".join(random.choice(list("acdefhkmnprtuvwxy")) for _ in range(int(random.integers(3, 6))))
    cv2.putText(
        canvas,
        word,
        (40, 130),
        _FONTS[int(random.integers(4))],
        3,
        255,
        int(random.integers(4, 10)),
        cv2.LINE_AA,
    )
    return _finished(canvas, random)


KINDS: dict[str, Kind] = {
    "letter": _letter,
    "shape": _shape,
    "scribble": _scribble,
    "two digits": _two_digits,
    "page of text": _page_of_text,
    "word": _word,
}
