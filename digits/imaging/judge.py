"""Which reading of a picture answers, and whether it shows a digit at all, by the network's word on each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits.imaging.candidate import Candidate
from digits.imaging.region import Box

# How much it counts that the network takes a reading for a digit, beside being sure which. Surer than this
# says no more: then the readings' own likelihood decides.
_DIGIT_WEIGHT = 0.6
_SURE = 0.98
# In nats: an edge, a line, a piece of a digit or a ring looks like one of these by chance.
_PLAIN_SHAPES = np.array([0.3, 0.8, 0, 0, 0, 0, 0, 0.3, 0, 0], np.float32)
# Of 3,400 pictures of digits that were read right, none shows more: the bar of a 5 may stand apart.
_MAX_CHARACTERS = 2
# So sure it is that a picture of more characters shows no digit, or not one.
_ONE_OF_MANY = 0.95


def choose(
    probabilities: NDArray[np.float32], not_a_digit: NDArray[np.float32], picture: Sequence[Candidate]
) -> tuple[int, float]:
    """Returns which of a picture's N readings answers, and how surely it shows no digit, or not one, 0 to 1.

    `probabilities` (N, 10) and `not_a_digit` (N,) are the network's for each reading.
    """
    best = _best(probabilities, not_a_digit, picture) if len(picture) > 1 else 0
    return best, max(float(not_a_digit[best]), _others(not_a_digit, picture, best))


def _best(
    probabilities: NDArray[np.float32], not_a_digit: NDArray[np.float32], picture: Sequence[Candidate]
) -> int:
    sure = np.log(probabilities.max(axis=1) + 1e-6)
    digit = np.clip(1 - not_a_digit, 1 - _SURE, _SURE)
    prior = np.array([candidate.prior for candidate in picture])
    plain = _PLAIN_SHAPES[probabilities.argmax(axis=1)]
    return int(np.argmax(sure + _DIGIT_WEIGHT * np.log(digit / (1 - digit)) + prior - plain))


def _others(not_a_digit: NDArray[np.float32], picture: Sequence[Candidate], best: int) -> float:
    """How surely there are characters beside the one that answers: as surely as one of them is a digit."""
    answer = picture[best]
    if answer.characters > _MAX_CHARACTERS:
        return _ONE_OF_MANY
    if not answer.alone:
        return 0.0
    beside = [
        1 - float(none)
        for none, other in zip(not_a_digit, picture, strict=True)
        if other.alone and not _overlap(answer.box, other.box)
    ]
    return max(beside, default=0.0)


def _overlap(one: Box, other: Box) -> bool:
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    return high > 0 and wide > 0
