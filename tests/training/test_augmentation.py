from __future__ import annotations

import numpy as np
import pytest

from digits.training.recipes import Augmentation

NONE = Augmentation(rotation_degrees=0, scale=0, shear=0, shift_pixels=0)
ALL = Augmentation(rotation_degrees=15, scale=0.12, shear=0.2, shift_pixels=2)


def augment(pixels: np.ndarray, limits: Augmentation, seed: int = 1) -> np.ndarray:
    from spark_jobs.augmentation import transform  # noqa: PLC0415

    images = pixels.reshape(-1, 28, 28, 1).astype(np.float32)
    changed = np.asarray(transform(images, limits, np.array([seed, 0], np.int32)))
    return np.rint(changed).astype(np.uint8).reshape(pixels.shape)


def bars(count: int) -> np.ndarray:
    pictures = np.zeros((count, 28, 28), np.uint8)
    pictures[:, 6:22, 12:16] = 255
    return pictures.reshape(count, 784)


def centres(pictures: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[:28, :28]
    ink = pictures.reshape(-1, 28, 28).astype(float)
    moments = [(ink * axis).sum(axis=(1, 2)) / ink.sum(axis=(1, 2)) for axis in (rows, columns)]
    return np.stack(moments, axis=1)


def test_without_limits_pictures_stay_as_they_are() -> None:
    random = np.random.default_rng(0).integers(0, 256, (5, 784), np.uint8)
    np.testing.assert_array_equal(augment(random, NONE), random)


def test_each_picture_is_changed_in_its_own_way() -> None:
    changed = augment(bars(50), ALL)
    assert len({picture.tobytes() for picture in changed}) == 50


def test_the_seed_alone_decides_the_changes() -> None:
    first, again, other = (augment(bars(4), ALL, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_shifts_stay_within_their_limit() -> None:
    shifted = centres(augment(bars(200), Augmentation(0, 0, 0, shift_pixels=2))) - centres(bars(1))
    assert np.abs(shifted).max() <= 2.01
    assert np.abs(shifted).max(axis=0).min() > 1.5


@pytest.mark.parametrize(
    "limits", [Augmentation(15, 0, 0, 0), Augmentation(0, 0.12, 0, 0), Augmentation(0, 0, 0.2, 0)]
)
def test_turning_scaling_and_slanting_keep_the_centre(limits: Augmentation) -> None:
    changed = augment(bars(100), limits)
    assert np.abs(centres(changed) - centres(bars(1))).max() < 0.1
    assert not np.array_equal(changed, bars(100))
