from __future__ import annotations

import dataclasses

import numpy as np

from digits.training.recipes import FAST, Recipe

ALL_OTHERS = dataclasses.replace(FAST, non_digit_share=0.5)


def varied(recipe: Recipe, redrawn_share: float, count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Bars of full ink, changed; and what came with them."""
    from spark_jobs.variation import varied as change  # noqa: PLC0415

    bars = np.zeros((count, 28, 28), np.uint8)
    bars[:, 6:22, 12:16] = 255
    seed = np.array([1, 0], np.int32)
    pictures = np.asarray(change(bars.reshape(count, 784), recipe, np.float32(redrawn_share), seed))
    return pictures[:count], pictures[count:]


def softened(pictures: np.ndarray) -> float:
    """The share of the pictures with ink that have half tones."""
    inked = pictures[pictures.max(axis=1) > 0]
    return float(((inked > 0) & (inked < 255)).any(axis=1).mean())


def test_a_share_of_pictures_of_no_digit_comes_with_the_digits() -> None:
    digits, others = varied(ALL_OTHERS, 0.5)
    assert digits.dtype == others.dtype == np.uint8
    assert (digits.shape, others.shape) == ((100, 784), (50, 784))


def test_what_is_no_digit_is_as_soft_as_the_digits() -> None:
    digits, others = varied(ALL_OTHERS, 0.0)
    assert softened(digits) == softened(others) == 1


def test_no_more_pictures_are_redrawn_than_the_schedule_says() -> None:
    plain = dataclasses.replace(ALL_OTHERS, augmentation=None)
    digits, _ = varied(plain, 0.2)
    changed = (digits != varied(plain, 0.0)[0]).any(axis=1)
    assert 10 <= changed.sum() <= 20
    assert not changed[20:].any()
