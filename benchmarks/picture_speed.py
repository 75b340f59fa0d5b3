"""From a picture file's bytes to its readings: milliseconds of one core for each kind and size."""

from __future__ import annotations

import time

import numpy as np

from digits.imaging.candidates import candidates
from tests.pictures import digits
from tests.pictures.ink import centred, ink, placed
from tests.pictures.light import graded, jpeg, painted, png

_MAX_BYTES = 32 << 20
_ROUNDS = 15
BLUE = (30, 45, 150)


def drawings(count: int = 200) -> list[bytes]:
    """Digits drawn on a canvas of 280 x 280 pixels, as PNG files."""
    random = np.random.default_rng(1)
    return [
        png(painted(centred(ink(digit, 180, random), 280, 280), (255, 255, 255), (15, 15, 15)))
        for digit in _digits(count)
    ]


def print_candidates() -> None:
    """Prints the median of a core's milliseconds and of the readings for each size, then for each kind."""
    for name, files in {
        "280 x 280 drawing": drawings(10),
        "1200 x 900 JPEG": [_photo(digit, 900, 1200) for digit in _digits(10)],
        "4000 x 3000 JPEG": [_photo(digit, 3000, 4000) for digit in _digits(4)],
    }.items():
        _print(name, files)
    for name, kind in digits.KINDS.items():
        _print(name, [kind(digit, np.random.default_rng(n)) for n, digit in enumerate(_digits(6))])


def _digits(count: int) -> list[np.ndarray]:
    with np.load("data/mnist.npz") as data:
        return list(data["x_test"][:count])


def _photo(digit: np.ndarray, height: int, width: int) -> bytes:
    random = np.random.default_rng(2)
    cover = placed(ink(digit, height * 0.4, random), height, width, random)
    return jpeg(graded(painted(cover, (235, 230, 220), BLUE), random))


def _print(name: str, files: list[bytes]) -> None:
    spent, counts = [], []
    for data in files:
        candidates(data, _MAX_BYTES, "image")
        for _ in range(_ROUNDS):
            start = time.process_time()
            found = candidates(data, _MAX_BYTES, "image")
            spent.append(time.process_time() - start)
            counts.append(len(found))
    p50, p95 = np.percentile(spent, [50, 95]) * 1000
    print(f"{name:24} p50 {p50:5.1f} ms  p95 {p95:5.1f} ms  {np.median(counts):.0f} readings", flush=True)


if __name__ == "__main__":
    print_candidates()
