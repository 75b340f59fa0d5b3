"""A job trains on the files that it was accepted with, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from digits.datasets.places import BatchPlaces
from digits.datasets.shards import reading
from digits.errors import BatchUnavailable, InvalidInput
from digits.jobs import train_request
from digits.v1 import digit_service_pb2, training_pb2
from tests.opened import opened


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    return _write(tmp_path / "batch.npz", seed=0)


def _write(path: Path, seed: int) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 28, 28), np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 10
    np.savez(path, x_train=pixels, y_train=labels)
    return path


def _spec(batch: Path) -> training_pb2.TrainSpec:
    request = digit_service_pb2.TrainRequest(images_batch_path=batch.name)
    files = train_request.open_batch(request, None, BatchPlaces(batch.parent), 1 << 20).files
    return training_pb2.TrainSpec(images_batch_path=batch.name, files_sha256=files.sha256())


def test_a_job_opens_the_files_that_it_was_accepted_with(batch: Path) -> None:
    spec = _spec(batch)
    os.utime(batch, (0, 0))  # As another machine's copy of the same file.
    assert train_request.open_batch(spec, None, BatchPlaces(batch.parent), 1 << 20).train_count == 36


def test_a_job_does_not_open_what_was_put_in_the_place_of_its_files(batch: Path) -> None:
    spec = _spec(batch)
    _write(batch, seed=1)
    with pytest.raises(InvalidInput, match="images_batch_path: the batch changed after the job was accepted"):
        train_request.open_batch(spec, None, BatchPlaces(batch.parent), 1 << 20)


def test_a_job_of_an_earlier_release_opens_what_is_there(batch: Path) -> None:
    spec = training_pb2.TrainSpec(images_batch_path=batch.name)
    assert train_request.open_batch(spec, None, BatchPlaces(batch.parent), 1 << 20).train_count == 36


def test_a_file_that_changes_while_it_is_read_is_noticed(batch: Path) -> None:
    files = opened(batch, 1 << 20).files
    files.check()
    os.utime(batch, (0, 0))
    with pytest.raises(InvalidInput, match=r"batch\.npz changed after the job was accepted; send"):
        files.check()


def test_a_link_counts_at_the_place_of_its_file_as_in_earlier_releases(batch: Path) -> None:
    below = batch.parent / "sub"
    below.mkdir()
    batch.rename(below / "a.npz")
    _write(batch.parent / "b.npz", seed=1)
    (batch.parent / "z.npz").symlink_to(below / "a.npz")
    files = opened(batch.parent, 1 << 20).files
    assert [file.place for file, _ in files.states] == [batch.parent / "b.npz", below / "a.npz"]


def test_only_the_files_that_a_folder_is_read_from_count(batch: Path) -> None:
    note = batch.parent / "notes.txt"
    note.write_text("first")
    files = opened(batch.parent, 1 << 20).files
    note.write_text("second")
    files.check()
    batch.unlink()
    with pytest.raises(InvalidInput, match=r"batch\.npz cannot be read"):
        files.check()


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ESTALE])
def test_a_disk_that_does_not_answer_is_no_fault_of_the_file(number: int) -> None:
    with (
        pytest.raises(BatchUnavailable, match=r"batch\.npz cannot be read at the moment"),
        reading("batch.npz", "f"),
    ):
        raise OSError(number, os.strerror(number))


def test_a_file_that_vanished_is_the_callers_fault() -> None:
    with pytest.raises(InvalidInput), reading("batch.npz", "f"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")
