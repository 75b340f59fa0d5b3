"""Two versions beside each other on the reference set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryStore
from digits.datasets.shards import Images
from digits.errors import InvalidInput, NotFound, NotReady
from digits.models.comparison import MAX_DIFFERENCES, Comparison, compared
from digits.models.reading import MAX_MISTAKES, reading_of
from digits.models.reference import ReferenceFile
from digits.models.registry import Registry
from digits.settings import Settings
from tests.unit.serving_bench import published


def images(labels: list[int]) -> Images:
    pixels = np.repeat(np.arange(len(labels), dtype=np.uint8)[:, None], 784, axis=1)
    return Images(pixels, np.array(labels, np.uint8))


def answers(digits: list[int], confidences: list[float]) -> np.ndarray:
    """Probabilities whose greatest is the digit's."""
    probabilities = np.zeros((len(digits), 10), np.float32)
    probabilities[np.arange(len(digits)), digits] = confidences
    return probabilities


def test_a_confusion_counts_what_each_label_was_read_as() -> None:
    same = answers([3, 8, 8], [1, 1, 1])
    reading = compared(["v1", "v2"], [same, same], images([3, 3, 8])).first
    counts = np.array(reading.confusion_counts).reshape(10, 10)
    assert (counts[3, 3], counts[3, 8], counts[8, 8], counts.sum()) == (1, 1, 1, 3)
    assert reading.accuracy == pytest.approx(2 / 3)


def test_of_what_was_misread_the_surest_are_kept_as_pictures_and_few() -> None:
    many = MAX_MISTAKES + 5
    sureness = np.linspace(0.2, 0.9, many).tolist()
    batch = images([3] * (many + 1))
    reading = reading_of(answers([8] * many + [3], [*sureness, 1.0]), batch)
    assert (reading.confusion_counts[33], reading.confusion_counts[38]) == (1, many)
    surest = many - 1
    assert [mistake.pixels[0] for mistake in reading.mistakes] == list(
        range(surest, surest - MAX_MISTAKES, -1)
    )
    first = reading.mistakes[0]
    assert (first.label, first.digit, first.confidence) == (3, 8, pytest.approx(0.9))


def test_what_only_one_of_them_reads_right_is_counted_for_it() -> None:
    first, second = answers([1, 2, 3, 9], [1, 1, 1, 1]), answers([1, 2, 9, 8], [1, 1, 1, 1])
    result = compared(["v1", "v2"], [first, second], images([1, 2, 3, 4]))
    assert (result.first_only_count, result.second_only_count, result.difference_count) == (1, 0, 2)


def test_the_surest_differences_come_first_and_few_are_sent() -> None:
    many = MAX_DIFFERENCES + 5
    sureness = np.linspace(0.2, 0.9, many).tolist()
    first, second = answers([1] * many, [0.3] * many), answers([2] * many, sureness)
    result = compared(["v1", "v2"], [first, second], images([1] * many))
    assert (len(result.differences), result.difference_count) == (MAX_DIFFERENCES, many)
    surest = result.differences[0]
    assert (surest.label, surest.first_digit, surest.second_digit) == (1, 1, 2)
    assert surest.pixels == bytes([many - 1]) * 784
    assert surest.second_confidence == pytest.approx(0.9)


def comparison(folder: Path, name: str = "reference.npz") -> tuple[Comparison, list[str], MemoryStore]:
    """Two random versions, and three images of a reference set."""
    coordinator, store = MemoryCoordinator(), MemoryStore()
    versions = [published(coordinator, store, seed=seed) for seed in (0, 1)]
    pixels = np.arange(3 * 784, dtype=np.uint16).reshape(3, 28, 28).astype(np.uint8)
    labels = np.array([0, 1, 2], np.uint8)
    np.savez(
        folder / "reference.npz",
        x_train=np.roll(pixels, 1, axis=0),
        y_train=labels,
        x_test=pixels,
        y_test=labels,
    )
    reference = ReferenceFile(Settings(data_dir=folder, reference_batch=name))
    return Comparison(Registry(coordinator), store, reference), versions, store


def test_two_registered_versions_read_the_reference_set(tmp_path: Path) -> None:
    both, (first, second), _ = comparison(tmp_path)
    result = both.compare(first, second)
    assert (result.image_count, result.first.version, result.second.version) == (3, first, second)
    assert sum(result.first.confusion_counts) == sum(result.second.confusion_counts) == 3


def test_a_version_that_was_read_once_is_not_read_again(tmp_path: Path) -> None:
    both, (first, second), store = comparison(tmp_path)
    before = both.compare(first, second)
    store.delete("models")
    assert both.compare(first, second) == before


def test_without_a_reference_set_there_is_nothing_to_compare_by(tmp_path: Path) -> None:
    for name, said in (("", "DIGITS_REFERENCE_BATCH"), ("missing.npz", "missing.npz")):
        both, (first, second), _ = comparison(tmp_path, name)
        with pytest.raises(NotReady, match=said):
            both.compare(first, second)


def test_a_version_that_is_not_there_or_is_damaged_is_said_by_name(tmp_path: Path) -> None:
    both, (first, second), store = comparison(tmp_path)
    with pytest.raises(NotFound, match="v9"):
        both.compare(first, "v9")
    store.delete(f"models/{second}.bundle")
    with pytest.raises(NotReady, match=f"{second} cannot be compared"):
        both.compare(first, second)


def test_a_version_is_not_compared_with_itself(tmp_path: Path) -> None:
    both, (first, _), _ = comparison(tmp_path)
    with pytest.raises(InvalidInput, match=f"^second_version: is {first}, as first_version is") as refused:
        both.compare(first, first)
    assert refused.value.field == "second_version"
