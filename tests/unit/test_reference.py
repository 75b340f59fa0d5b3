"""The reference set: which images it is, and when there is none."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from digits.models.reference import ReferenceFile
from digits.settings import Settings


def write(path: Path, count: int) -> None:
    """An npz with `count` test images."""
    pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    np.savez(path, x_train=pixels[:4], y_train=labels[:4], x_test=pixels, y_test=labels)


def reference(folder: Path, name: str = "mnist.npz") -> ReferenceFile:
    return ReferenceFile(Settings(data_dir=folder, reference_batch=name))


def test_it_is_the_test_images_of_mnist_unless_another_batch_is_named(tmp_path: Path) -> None:
    write(tmp_path / "mnist.npz", 20)
    write(tmp_path / "ours.npz", 30)
    default = ReferenceFile(Settings(data_dir=tmp_path)).load()
    assert default.images is not None
    assert (len(default.images), default.missing) == (20, "")
    named = reference(tmp_path, "ours.npz").load().images
    assert named is not None
    assert len(named) == 30


def test_there_is_none_without_a_word_if_none_is_named(tmp_path: Path) -> None:
    write(tmp_path / "mnist.npz", 20)
    found = reference(tmp_path, "").load()
    assert (found.images, found.missing) == (None, "")


@pytest.mark.parametrize("content", [None, b"not an npz"])
def test_a_file_that_is_missing_or_damaged_is_none_and_that_is_said(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    if content is not None:
        (tmp_path / "mnist.npz").write_bytes(content)
    found = reference(tmp_path).load()
    assert found.images is None
    assert "without a reference set" in found.missing
    assert "mnist.npz" in found.missing
    assert "DIGITS_REFERENCE_BATCH" in caplog.text


def test_it_is_read_once_and_again_only_if_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    write(path, 20)
    file = reference(tmp_path)
    first = file.load().images
    assert file.load().images is first
    write(path, 30)
    os.utime(path, ns=(1, 1))
    changed = file.load().images
    assert changed is not None
    assert len(changed) == 30


def test_a_file_that_comes_later_is_found(tmp_path: Path) -> None:
    file = reference(tmp_path)
    assert file.load().images is None
    write(tmp_path / "mnist.npz", 20)
    assert file.load().images is not None
