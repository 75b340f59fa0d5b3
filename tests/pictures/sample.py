"""A fixed sample of each kind of picture, and what it may get wrong by chance."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np
from numpy.typing import NDArray

from tests.pictures import digits, non_digits

Images = NDArray[np.uint8]
"""(N, 28, 28)."""

# Each takes a quarter of a second to draw.
_RARE = {"twelve megapixels": 8}


def of_digits(
    kind: str, images: Images, labels: NDArray[np.uint8], count: int, seed: int
) -> Iterator[tuple[int, bytes]]:
    """Yields pictures of a kind of `digits.KINDS`, each with its digit; the same for the same seed."""
    chosen = np.random.default_rng([seed, len(kind)]).integers(0, len(images), count)
    for number in chosen[: max(1, count // _RARE.get(kind, 1))].tolist():
        yield int(labels[number]), digits.KINDS[kind](images[number], np.random.default_rng([seed, number]))


def of_none(kind: str, images: Images, count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """Yields pictures of a kind of `non_digits.KINDS`, each with -1 for its digit."""
    for number in range(count):
        yield -1, non_digits.KINDS[kind](images, np.random.default_rng([seed, number]))


def most_by_chance(count: int, share: float) -> int:
    """How often something of no more than this share happens among `count`, but once in a thousand times.

    The quantile of the binomial distribution at 99.9 %.
    """
    chance, most = (1 - share) ** count, 0
    while chance < 0.999:
        most += 1
        chance += comb(count, most) * share**most * (1 - share) ** (count - most)
    return most
