"""How pictures are read: right, wrong, wrong and sure of it, refused, or taken for no digit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from digits.errors import InvalidInput
from digits.imaging import judge
from digits.imaging.candidates import candidates
from digits.models.predictor import Predictor
from digits.pixels import PIXELS_PER_IMAGE

# From here on an answer is sure of itself, and a picture shows no digit.
SURE = 0.9
NO_DIGIT = 0.5
_MAX_BYTES = 32 << 20


@dataclass(frozen=True)
class Answer:
    """What is said of one picture."""

    digit: int
    confidence: float
    not_a_digit: float


Reader = Callable[[bytes], Answer | None]
"""Reads a picture file; None if it is refused."""


@dataclass(frozen=True)
class Tally:
    """How many of some pictures were read right, were refused, and so on."""

    count: int = 0
    right: int = 0
    refused: int = 0
    sure_and_wrong: int = 0
    no_digit: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.count + other.count,
            self.right + other.right,
            self.refused + other.refused,
            self.sure_and_wrong + other.sure_and_wrong,
            self.no_digit + other.no_digit,
        )


def reader(predictor: Predictor) -> Reader:
    """Reads as the server does, in this process."""

    def read(data: bytes) -> Answer | None:
        try:
            picture = candidates(data, _MAX_BYTES, "image")
        except InvalidInput:
            return None
        pixels = np.stack([one.pixels.reshape(PIXELS_PER_IMAGE) for one in picture])
        prediction = predictor.predict(pixels)
        best, none = judge.choose(prediction.probabilities, prediction.not_a_digit, picture)
        probabilities = prediction.probabilities[best]
        return Answer(int(probabilities.argmax()), float(probabilities.max()), none)

    return read


def tally(read: Reader, pictures: Iterable[tuple[int, bytes]]) -> Tally:
    """Reads pictures, each with its digit; of one that shows none, the digit is -1 and never right."""
    return sum((_judged(read(data), digit) for digit, data in pictures), Tally())


def _judged(answer: Answer | None, digit: int) -> Tally:
    if answer is None:
        return Tally(count=1, refused=1)
    none = answer.not_a_digit >= NO_DIGIT
    sure = answer.confidence > SURE and not none
    return Tally(1, int(answer.digit == digit), 0, int(sure and answer.digit != digit), int(none))
