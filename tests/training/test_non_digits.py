from __future__ import annotations

import numpy as np
import pytest


def pictures(count: int, seed: int = 1) -> np.ndarray:
    from spark_jobs.non_digits import non_digits  # noqa: PLC0415

    digits = np.zeros((2 * count, 28, 28, 1), np.float32)
    digits[:, 6:22, 12:16] = 1
    return np.asarray(non_digits(digits, np.int32(count), np.array([seed, 0], np.int32)))


@pytest.mark.parametrize("count", [0, 1, 2, 6, 25])
def test_there_are_as_many_as_were_asked_for(count: int) -> None:
    drawn = pictures(count)
    assert drawn.shape == (count, 28, 28, 1)
    assert not count or (drawn.min() >= 0 and drawn.max() <= 1.001)


def test_each_is_another_picture_and_nearly_all_show_something() -> None:
    drawn = pictures(200)
    # What is made from digits is alike here, since they are.
    assert len({picture.tobytes() for picture in drawn}) > 150
    assert (drawn.max(axis=(1, 2, 3)) > 0.5).mean() > 0.95


def test_the_rarest_kind_comes_in_small_batches_too_and_not_in_each() -> None:
    # A digit on a sheet is ink around a bar that is left out: one picture in 25.
    def on_sheets(drawn: np.ndarray) -> int:
        around, bar = drawn[:, 8:20, 10:12], drawn[:, 8:20, 12:16]
        return int(((around.mean(axis=(1, 2, 3)) > 0.95) & (bar.mean(axis=(1, 2, 3)) < 0.05)).sum())

    assert 2 < sum(on_sheets(pictures(6, seed)) for seed in range(40)) < 25


def test_the_seed_alone_decides_them() -> None:
    np.testing.assert_array_equal(pictures(12), pictures(12))
    assert not np.array_equal(pictures(12), pictures(12, seed=2))
