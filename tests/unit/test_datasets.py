"""A batch of labelled images is checked at once and streams the same images every time."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits.datasets import dataset
from digits.datasets.shards import Images
from digits.errors import InvalidInput
from tests.opened import opened as opened_within
from tests.unit.dataset_bench import (
    arrays,
    digits_of,
    npz,
    numbered,
    numbers_of,
    opened,
    refusal,
    trained,
)


def test_an_npz_is_a_batch_with_its_test_arrays_held_out() -> None:
    batch = opened(npz(**arrays()))
    assert (batch.train_count, batch.held_out_count) == (40, 10)
    assert sorted(trained(batch)) == list(range(40))
    assert numbers_of(batch.held_out()) == list(range(5000, 5010))
    np.testing.assert_array_equal(batch.held_out().labels, digits_of(10))


def test_a_file_and_its_bytes_are_the_same_batch(tmp_path: Path) -> None:
    data = npz(**arrays())
    (tmp_path / "batch.npz").write_bytes(data)
    assert trained(opened(tmp_path / "batch.npz")) == trained(opened(data))


def test_each_image_keeps_its_label() -> None:
    for images in opened(npz(**arrays(300))).train(3):
        assert [number % 10 for number in numbers_of(images)] == list(images.labels)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", ">i4", "uint16"])
def test_labels_may_be_integers_of_any_kind(dtype: str) -> None:
    batch = opened(npz(**arrays(y_train=digits_of(40).astype(dtype))))
    assert next(batch.train(0)).labels.dtype == np.uint8


def test_uncompressed_arrays_are_read_too() -> None:
    file = io.BytesIO()
    np.savez(file, **arrays())
    assert opened(file.getvalue()).train_count == 40


def test_the_same_seed_gives_the_same_order_and_another_seed_another() -> None:
    batch = opened(npz(**arrays(500)))
    assert trained(batch, 7) == trained(batch, 7)
    assert trained(batch, 7) != trained(batch, 8)
    assert trained(batch, -1) == trained(batch, -1)
    assert trained(batch, 7) != list(range(500))


def test_images_are_shuffled_within_a_bounded_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "SHUFFLE_IMAGES", 100)
    monkeypatch.setattr(dataset, "CHUNK_IMAGES", 30)
    order = trained(opened(npz(**arrays(250))))
    assert [sorted(order[start : start + 100]) for start in (0, 100, 200)] == [
        list(range(100)),
        list(range(100, 200)),
        list(range(200, 250)),
    ]


def test_without_test_arrays_every_11th_image_is_held_out_and_never_trained_on() -> None:
    batch = opened(npz(**arrays(100, test_count=0)))
    held_out = numbers_of(batch.held_out())
    assert held_out == list(range(0, 100, 11))
    assert len(set(batch.held_out().labels)) == 10
    assert sorted(trained(batch) + held_out) == list(range(100))
    assert (batch.train_count, batch.held_out_count) == (90, 10)


def test_of_very_many_images_few_are_held_out_and_each_is_either_trained_on_or_not() -> None:
    batch = opened_within(npz(**arrays(6000, test_count=0)), 10_000_000, max_held_out=200)
    held_out = numbers_of(batch.held_out())
    assert 150 < len(held_out) <= 200
    assert {number % 11 for number in held_out} == {0}
    assert sorted(trained(batch) + held_out) == list(range(6000))
    # Of both halves of them, as of any other part.
    assert 60 < sum(number < 3000 for number in held_out) < 140


def test_a_job_of_a_release_without_a_limit_is_cut_as_it_was() -> None:
    data = npz(**arrays(6000, test_count=0))
    assert opened_within(data, 10_000_000, max_held_out=0).held_out_count == -(-6000 // 11)


def test_of_very_many_images_to_test_on_few_are_used_and_that_is_said() -> None:
    batch = opened_within(npz(**arrays(50, test_count=4000)), 10_000_000, max_held_out=200)
    assert (batch.train_count, 150 < batch.held_out_count <= 200) == (50, True)
    assert f"the images to test on: {batch.held_out_count} of 4,000 are used" in batch.notes


def test_the_checksum_is_that_of_the_training_images_in_their_order() -> None:
    good = arrays(test_count=10)
    whole = Images(good["x_train"].reshape(-1, 784), good["y_train"])
    assert opened(npz(**good)).sha256() == hashlib.sha256(bytes.fromhex(whole.sha256())).hexdigest()
    other = arrays(y_train=np.flip(good["y_train"]))
    assert opened(npz(**other)).sha256() != whole.sha256()


def test_what_was_trained_on_is_not_read_again_for_the_checksum_nor_for_what_is_held_out(
    tmp_path: Path,
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.npz").write_bytes(npz(**arrays(40, test_count=0)))
    batch, other = opened(tmp_path), opened(tmp_path)
    trained(batch)
    for file in tmp_path.iterdir():
        file.rename(file.with_suffix(".away"))
    checksum, held_out = batch.sha256(), batch.held_out()
    for read in (other.sha256, other.held_out):
        with pytest.raises(InvalidInput):
            read()
    for file in tmp_path.iterdir():
        file.rename(file.with_suffix(".npz"))
    assert (other.sha256(), other.held_out().sha256()) == (checksum, held_out.sha256())


@pytest.mark.parametrize(("count", "of_each"), [(80, 40), (400, 5)])
def test_some_of_what_is_held_out_is_of_few_shards_and_of_most_digits(
    tmp_path: Path, count: int, of_each: int
) -> None:
    for number in range(count):
        shard = npz(x_train=numbered(of_each, of_each * number), y_train=np.full(of_each, number % 10))
        (tmp_path / f"{number:03d}.npz").write_bytes(shard)
    batch = opened(tmp_path)
    some = batch.some_held_out(20)
    assert 20 <= len(some) < batch.held_out_count / 2
    assert len(set(some.labels)) >= 5
    assert set(numbers_of(some)) < set(numbers_of(batch.held_out()))


BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"x_train": None}, "x_train of the upload is missing"),
    ({"y_train": None}, "y_train of the upload is missing"),
    ({"y_test": None}, "y_test of the upload is missing"),
    (
        {"x_train": numbered(40).astype(object)},
        "x_train of the upload cannot be read: it holds pickled objects",
    ),
    (
        {"y_train": digits_of(40).astype(object)},
        "y_train of the upload cannot be read: it holds pickled objects",
    ),
    ({"x_train": numbered(40).astype("U3")}, "x_train of the upload must be numbers"),
    ({"x_train": numbered(40) * 1j}, "x_train of the upload must be numbers"),
    ({"x_train": np.full((40, 28, 28), np.nan)}, "x_train of the upload holds NaN"),
    ({"x_train": numbered(40) / 20 - 1}, "holds -1 to 0.95, as in row 0; allowed are 0"),
    ({"x_train": numbered(40).astype(np.int16) * 100}, "holds 0 to 3900, as in row 3; allowed are 0"),
    ({"x_train": np.zeros((40, 28, 28), np.uint8)}, "x_train of the upload shows nothing"),
    ({"x_train": numbered(40).transpose(1, 2, 0).copy()}, "x_train = x_train.transpose(2, 0, 1)"),
    ({"x_train": np.zeros((40, 28, 27), np.uint8)}, "shape (N, 28, 28)"),
    ({"x_train": np.uint8(3)}, "shape (N, 28, 28)"),
    ({"x_train": np.asfortranarray(numbered(40))}, "Fortran"),
    ({"x_test": np.zeros((10, 32, 32), np.uint8)}, "x_test of the upload must have the shape"),
    ({"x_train": numbered(0), "y_train": digits_of(0)}, "holds no image"),
    ({"x_test": numbered(0), "y_test": digits_of(0)}, "x_test of the upload holds no image"),
    ({"y_train": digits_of(39)}, "holds 40 images but y_train of the upload 39 labels"),
    ({"y_train": digits_of(40).reshape(-1, 2)}, "shape (N,)"),
    ({"y_train": np.zeros((40, 10), int)}, "row 0 has not"),
    ({"y_train": np.ones((40, 10), int)}, "row 0 has not"),
    ({"y_train": digits_of(40) / 2}, "label 1 is 0.5"),
    ({"y_train": digits_of(40) + np.nan}, "label 0 is nan"),
    ({"y_train": digits_of(40) > 3}, "must be integers"),
    ({"y_train": np.array(["1"] * 40)}, "must be integers"),
    ({"y_train": np.where(np.arange(40) == 7, 10, 1)}, "label 7 is 10"),
    ({"y_train": np.where(np.arange(40) == 7, -1, 1)}, "label 7 is -1"),
    ({"y_train": np.where(np.arange(40) == 7, 258, 1)}, "label 7 is 258"),
    ({"y_test": np.full(10, 11)}, "y_test of the upload must hold the digits"),
    ({"y_train": np.full(40, 3)}, "all the same"),
]


@pytest.mark.parametrize(("changed", "problem"), BAD_ARRAYS, ids=range(len(BAD_ARRAYS)))
def test_a_batch_with_a_bad_array_is_refused_by_the_arrays_name(
    changed: dict[str, Any], problem: str
) -> None:
    assert problem in refusal(npz(**arrays(**changed)))


@pytest.mark.parametrize(
    ("count", "row"),
    [(40, 37), (4096, 4092), (6000, 5997)],
    ids=["all are looked at", "some are looked at", "one that is read for the training"],
)
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [(np.nan, "NaN or infinity"), (np.inf, "NaN or infinity"), (-1, "holds -1 to"), (300, "holds 0 to 300")],
)
def test_a_pixel_that_is_wrong_is_refused_by_its_row(
    count: int, row: int, wrong: float, problem: str
) -> None:
    pixels = numbered(count).astype(np.float16)
    pixels[row, 3, 4] = wrong
    with pytest.raises(InvalidInput) as caught:
        list(opened(npz(x_train=pixels, y_train=digits_of(count))).train(1))
    assert problem in caught.value.problem
    assert f", as in row {row:,}" in caught.value.problem


def test_what_would_be_trained_on_must_hold_two_classes_after_the_split() -> None:
    two = {"x_train": numbered(2), "y_train": np.array([3, 4])}
    assert "all the same" in refusal(npz(**two))
