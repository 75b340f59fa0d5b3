"""A batch that is named by a pattern."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits.datasets.dataset import Dataset
from digits.datasets.places import BatchPlaces
from digits.errors import InvalidInput, NotFound
from digits.jobs.train_request import open_batch
from digits.v1 import digit_service_pb2 as pb
from tests import batches_of_people as people


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """The data folder, with three shards and a text in a folder."""
    (tmp_path / "shards").mkdir()
    for number in range(3):
        # The same images twice would be used once.
        shard = people.npz(x_train=np.roll(people.X, number, axis=2), y_train=people.Y)
        (tmp_path / "shards" / f"part-{number}.npz").write_bytes(shard)
    (tmp_path / "shards" / "notes.txt").write_text("no images")
    return tmp_path


def opened(data_dir: Path, path: str) -> Dataset:
    return open_batch(pb.TrainRequest(images_batch_path=path), None, BatchPlaces(data_dir), 1 << 24)


def images_in(dataset: Dataset) -> int:
    return dataset.train_count + dataset.held_out_count


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("shards/part-*.npz", 3),
        ("shards/part-?.npz", 3),
        ("shards/*", 3),
        ("shards/part-[12]*", 2),
        ("shards/*-0.npz", 1),
    ],
)
def test_those_files_of_a_folder_are_the_batch_whose_names_fit(
    shards: Path, pattern: str, files: int
) -> None:
    dataset = opened(shards, pattern)
    assert images_in(dataset) == files * len(people.Y)
    assert len(dataset.files.states) == files


def test_files_of_the_data_folder_itself_may_be_named_so(shards: Path) -> None:
    (shards / "one.npz").write_bytes((shards / "shards" / "part-0.npz").read_bytes())
    assert images_in(opened(shards, "*.npz")) == len(people.Y)


def test_a_file_of_that_very_name_comes_first(shards: Path) -> None:
    (shards / "shards" / "part-*.npz").write_bytes((shards / "shards" / "part-0.npz").read_bytes())
    assert images_in(opened(shards, "shards/part-*.npz")) == len(people.Y)


def test_a_file_that_comes_later_and_fits_is_no_part_of_the_batch_that_was_accepted(shards: Path) -> None:
    accepted = opened(shards, "shards/*.npz").files
    (shards / "shards" / "part-9.npz").write_bytes((shards / "shards" / "part-0.npz").read_bytes())
    with pytest.raises(InvalidInput, match="the batch changed after the job was accepted"):
        opened(shards, "shards/*.npz").files.require(accepted.sha256())


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (
            "shards/train-*.npz",
            "no file has a name like 'train-*.npz'; the folder holds notes.txt",
        ),
        (
            "shards/*.txt",
            "no file that is .npz, .csv, .parquet or one of MNIST's IDX files has a name like '*.txt'",
        ),
        (
            "shards-*/part-0.npz",
            "'shards-*/part-0.npz' has * or ? in a folder's name; only the file's name may hold them",
        ),
        ("../*.npz", 'must be relative to the data folder, without ".."'),
        ("/shards/*.npz", "must be relative to the data folder"),
        ("shards/notes.txt/*.npz", "the folder cannot be read: Not a directory"),
    ],
)
def test_a_pattern_that_names_no_batch_is_refused_with_what_is_there(
    shards: Path, pattern: str, problem: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        opened(shards, pattern)
    assert refused.value.field == "images_batch_path"
    assert refused.value.problem.startswith(problem)


@pytest.mark.parametrize("path", ["nowhere/*.npz", "shards/part-[9].npz"])
def test_what_is_no_pattern_of_a_folder_that_is_there_is_not_found(shards: Path, path: str) -> None:
    with pytest.raises(NotFound):
        opened(shards, path)


def test_a_link_that_leads_out_of_the_folder_is_refused_and_not_read(shards: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.npz"
    np.savez(outside, x_train=people.X, y_train=people.Y)
    (shards / "shards" / "part-7.npz").symlink_to(outside)
    with pytest.raises(InvalidInput, match=r"part-7\.npz is a link that leads out of the folder"):
        opened(shards, "shards/*.npz")
