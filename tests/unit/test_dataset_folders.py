"""A folder of files is one batch; links and wrong files in it are refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from digits.errors import InvalidInput
from tests.unit.dataset_bench import (
    arrays,
    digits_of,
    npz,
    numbered,
    numbers_of,
    opened,
    refusal,
    trained,
    write_idx,
)


def test_a_folder_of_shards_is_one_batch(tmp_path: Path) -> None:
    for index in range(3):
        part = arrays(x_train=numbered(40, 40 * index), test_count=10 if index == 1 else 0)
        (tmp_path / f"part-{index}.npz").write_bytes(npz(**part))
    batch = opened(tmp_path)
    assert (batch.train_count, batch.held_out_count) == (120, 10)
    assert sorted(trained(batch)) == list(range(120))
    assert trained(batch, 2) == trained(opened(tmp_path), 2)


def test_the_split_of_a_folder_counts_through_its_shards(tmp_path: Path) -> None:
    for index in range(3):
        part = arrays(x_train=numbered(40, 40 * index), test_count=0)
        (tmp_path / f"part-{index}.npz").write_bytes(npz(**part))
    assert numbers_of(opened(tmp_path).held_out()) == list(range(0, 120, 11))


@pytest.mark.parametrize("write", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_folder_of_idx_files_is_the_same_batch_as_the_npz(
    tmp_path: Path, write: Callable[[bytes], bytes]
) -> None:
    same = arrays()
    write_idx(tmp_path, "train", same["x_train"], same["y_train"], write)
    write_idx(tmp_path, "t10k", same["x_test"], same["y_test"], write)
    assert opened(tmp_path).sha256() == opened(npz(**same)).sha256()
    assert opened(tmp_path).held_out().sha256() == opened(npz(**same)).held_out().sha256()


def test_a_folder_is_bounded_by_the_sum_of_its_shards(tmp_path: Path) -> None:
    for index in range(3):
        part = arrays(x_train=numbered(100, 100 * index), y_train=digits_of(100), test_count=0)
        (tmp_path / f"{index}.npz").write_bytes(npz(**part))
    assert "2.npz" in refusal(tmp_path, limit=200_000)


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "b.npz").write_bytes(b"damaged")
    assert "b.npz is not an npz file" in refusal(tmp_path)


def test_a_shard_without_arrays_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "b.npz").write_bytes(npz(pictures=numbered(4)))
    assert "x_train of b.npz is missing" in refusal(tmp_path)


def test_a_folder_without_a_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    assert "holds no .npz, .csv or .parquet files nor" in refusal(tmp_path)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.npz").write_bytes(npz(**arrays()))
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "a.npz").symlink_to(tmp_path / "outside.npz")
    assert "leads out" in refusal(tmp_path / "batch")


def test_a_link_that_stays_in_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "batch.npz").symlink_to("kept/a.npz")
    assert opened(tmp_path).train_count


def test_a_folder_that_became_a_link_after_it_was_found_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "batch").symlink_to("elsewhere")
    assert "the folder cannot be read" in refusal(tmp_path / "batch")


@pytest.mark.parametrize("packed", [False, True])
def test_a_link_in_a_files_place_after_it_was_found_is_not_read(tmp_path: Path, packed: bool) -> None:
    """As the trainer does, who opens what the server looked at."""
    write_idx(tmp_path, "train", numbered(40), digits_of(40), gzip.compress if packed else bytes)
    batch = opened(tmp_path)
    for file in list(tmp_path.iterdir()):
        moved = file.rename(tmp_path.parent / f"{tmp_path.name}-{file.name}")
        file.symlink_to(moved)
    with pytest.raises(InvalidInput, match="cannot be read"):
        batch.sha256()


@pytest.mark.parametrize(
    ("part", "damage", "problem"),
    [
        ("train-images-idx3-ubyte", lambda data: data[:-1], "not as long"),
        ("train-images-idx3-ubyte", lambda data: data + b"\0", "not as long"),
        ("train-images-idx3-ubyte", lambda data: data[:7], "shorter"),
        ("train-images-idx3-ubyte", lambda data: b"\0\0\x0a\3" + data[4:], "not an IDX file"),
        ("train-images-idx3-ubyte", lambda data: data[:12] + b"\0\0\0\x20" + data[16:], "(40, 28, 32)"),
        ("train-images-idx3-ubyte", lambda data: data[:4] + b"\xff" * 4 + data[8:], "not as long"),
        ("train-labels-idx1-ubyte", lambda data: data[:-1], "not as long"),
        ("train-labels-idx1-ubyte", lambda data: data + b"\0", "not as long"),
        ("train-labels-idx1-ubyte", lambda data: data[:-1] + b"\x0a", "0 to 9"),
        ("train-labels-idx1-ubyte", lambda data: data[:4] + b"\0\0\0\1" + data[8:9], "1 labels"),
        ("train-labels-idx1-ubyte", None, "train-labels-idx1-ubyte is missing"),
        ("t10k-images-idx3-ubyte", None, "t10k-images-idx3-ubyte is missing"),
    ],
)
def test_a_folder_with_a_bad_idx_file_is_refused(
    tmp_path: Path, part: str, damage: Callable[[bytes], bytes] | None, problem: str
) -> None:
    write_idx(tmp_path, "train", numbered(40), digits_of(40), bytes)
    write_idx(tmp_path, "t10k", numbered(10), digits_of(10), bytes)
    file = tmp_path / part
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))
    assert problem in refusal(tmp_path)
