"""Which reading answers, by probabilities that no network had to give."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.imaging import judge
from digits.imaging.candidate import Candidate
from digits.imaging.region import Box

EMPTY = np.zeros((28, 28), np.uint8)


def candidate(left: int = 0, prior: float = 0.0, characters: int = 1, alone: bool = False) -> Candidate:
    return Candidate(EMPTY, Box(0, left, 20, left + 20), prior, characters=characters, alone=alone)


def sure_of(digit: int, confidence: float = 0.99) -> NDArray[np.float32]:
    probabilities = np.full(10, (1 - confidence) / 9, np.float32)
    probabilities[digit] = confidence
    return probabilities


def choose(*readings: tuple[Candidate, NDArray[np.float32], float]) -> tuple[int, float]:
    picture, probabilities, none = zip(*readings, strict=True)
    return judge.choose(np.stack(probabilities), np.array(none, np.float32), picture)


def test_the_reading_that_the_network_is_surest_of_answers() -> None:
    best, none = choose((candidate(), sure_of(3, 0.5), 0.05), (candidate(), sure_of(5), 0.05))
    assert (best, none) == (1, pytest.approx(0.05))


def test_a_reading_that_is_no_digit_does_not_answer_however_sure() -> None:
    assert choose((candidate(), sure_of(3), 0.99), (candidate(), sure_of(5, 0.8), 0.05))[0] == 1


def test_among_readings_that_are_as_sure_the_likelier_one_answers() -> None:
    assert choose((candidate(prior=-0.5), sure_of(3), 0.001), (candidate(), sure_of(5), 0.003))[0] == 1


def test_a_piece_that_looks_like_a_one_does_not_beat_the_whole() -> None:
    assert choose((candidate(), sure_of(1), 0.02), (candidate(prior=-0.2), sure_of(4, 0.95), 0.02))[0] == 1


def test_the_only_reading_answers_and_says_that_it_is_no_digit() -> None:
    assert choose((candidate(), sure_of(7), 0.97)) == (0, pytest.approx(0.97))


def test_two_digits_side_by_side_are_not_a_digit() -> None:
    left, right = candidate(characters=2, alone=True), candidate(left=40, characters=2, alone=True)
    _, none = choose((left, sure_of(4), 0.02), (right, sure_of(2), 0.03))
    assert none == pytest.approx(0.97)


def test_a_digit_beside_a_mark_that_is_none_is_a_digit() -> None:
    left, right = candidate(characters=2, alone=True), candidate(left=40, characters=2, alone=True)
    assert choose((left, sure_of(4), 0.02), (right, sure_of(2), 0.9)) == (0, pytest.approx(0.1))


def test_a_digit_in_two_pieces_is_a_digit() -> None:
    whole, piece = candidate(characters=2), candidate(prior=-0.7, characters=2, alone=True)
    assert choose((whole, sure_of(5), 0.02), (piece, sure_of(1), 0.02)) == (0, pytest.approx(0.02))


def test_one_of_many_characters_is_not_all_that_the_picture_shows() -> None:
    letters = [(candidate(left=40 * n, characters=5, alone=True), sure_of(n), 0.2) for n in range(3)]
    assert choose(*letters)[1] == pytest.approx(0.95)


def test_many_characters_read_as_one_are_no_digit_either() -> None:
    page = [(candidate(characters=7), sure_of(3), 0.1)]
    bar_of_a_five = [(candidate(characters=2), sure_of(5), 0.1)]
    assert choose(*page)[1] == pytest.approx(0.95)
    assert choose(*bar_of_a_five)[1] == pytest.approx(0.1)
