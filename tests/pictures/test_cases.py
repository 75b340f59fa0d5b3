"""Pictures that an earlier release read wrong or refused; the answer is in a file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.models.predictor import Predictor
from tests.pictures.reading import NO_DIGIT, reader

CASES = sorted((Path(__file__).parent / "cases").iterdir())
OF_A_DIGIT = [path for path in CASES if "-is-" in path.name]
OF_NONE = [path for path in CASES if path.name.startswith("none-")]


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", OF_A_DIGIT, ids=name)
def test_it_shows_the_digit_in_its_name(predictor: Predictor, path: Path) -> None:
    answer = reader(predictor)(path.read_bytes())
    assert answer is not None
    assert answer.digit == int(path.stem[-1])
    assert answer.not_a_digit < NO_DIGIT


@pytest.mark.parametrize("path", OF_NONE, ids=name)
def test_it_shows_no_digit_or_not_one(predictor: Predictor, path: Path) -> None:
    answer = reader(predictor)(path.read_bytes())
    assert answer is None or answer.not_a_digit >= NO_DIGIT
