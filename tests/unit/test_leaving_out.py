"""Images that judge a model are not trained on, wherever they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from digits.datasets.dataset import Dataset, open_dataset, open_upload
from digits.datasets.leaving_out import without
from digits.datasets.matching import plain
from digits.datasets.shards import Images
from digits.errors import InvalidInput

RANDOM = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)
LABELS = (np.arange(60) % 10).astype(np.uint8)


def opened(**arrays: np.ndarray) -> Dataset:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return open_upload(file.getvalue(), "images_batch", 1 << 20)


def chosen(*places: int) -> Images:
    return Images(RANDOM[list(places)].reshape(-1, 784), LABELS[list(places)])


def pictures(dataset: Dataset) -> set[bytes]:
    return {picture.tobytes() for chunk in dataset.train(0) for picture in chunk.pixels}


@pytest.mark.parametrize("test_count", [0, 10])
def test_a_dataset_trains_on_all_but_the_images_that_are_left_out(test_count: int) -> None:
    test = {"x_test": RANDOM[:test_count], "y_test": LABELS[:test_count]} if test_count else {}
    whole = opened(x_train=RANDOM[10:], y_train=LABELS[10:], **test)
    left_out = chosen(11, 12, 40, 59)
    rest = without(whole, left_out)
    assert rest.train_count == whole.train_count - 4
    assert pictures(rest) == pictures(whole) - {picture.tobytes() for picture in left_out.pixels}
    assert rest.held_out().sha256() == whole.held_out().sha256()


def test_an_image_is_left_out_whatever_its_label_and_one_that_differs_by_a_pixel_is_not() -> None:
    whole = opened(x_train=RANDOM, y_train=LABELS, x_test=RANDOM[:1], y_test=LABELS[:1])
    same, other = chosen(1), chosen(2)
    other.pixels[0, 783] ^= 1
    looked_for = Images(np.concatenate([same.pixels, other.pixels]), np.array([9, 2], np.uint8))
    assert pictures(whole) - pictures(without(whole, looked_for)) == {same.pixels[0].tobytes()}


def test_images_are_left_out_of_every_file_also_beside_one_whose_only_image_is_held_out(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "a.npz", x_train=RANDOM[:1], y_train=LABELS[:1])
    np.savez(tmp_path / "b.npz", x_train=RANDOM[1:20], y_train=LABELS[1:20])
    whole = open_dataset(plain(tmp_path), "images_batch_path", 1 << 20)
    assert without(whole, chosen(0, 3)).train_count == whole.train_count - 1


def test_a_dataset_that_holds_none_of_the_images_stays_as_it_is() -> None:
    whole = opened(x_train=RANDOM[:30], y_train=LABELS[:30])
    rest = without(whole, chosen(40, 41))
    assert rest.sha256() == whole.sha256()


def test_too_little_that_is_left_is_refused() -> None:
    whole = opened(x_train=RANDOM[:20], y_train=LABELS[:20], x_test=RANDOM[:1], y_test=LABELS[:1])
    with pytest.raises(InvalidInput, match="DIGITS_REFERENCE_BATCH") as refused:
        without(whole, chosen(*range(19)))
    assert refused.value.field == "images_batch"
