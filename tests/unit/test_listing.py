"""What below the data folder is offered to train on."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.datasets import listing
from digits.datasets.listing import FoundBatch, found_batches


def write(root: Path, **sizes: int) -> None:
    for name, size in sizes.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(bytes(size))


def test_files_are_offered_by_their_names_and_folders_by_what_is_in_them(tmp_path: Path) -> None:
    write(tmp_path, **{"a.npz": 3, "sub/b.CSV": 4, "sub/c.csv.gz": 5, "sub/d.parquet": 6, "photo.png": 9})
    write(tmp_path, **{f"mnist/raw/{part}-{kind}-ubyte": 7 for part in ("train", "t10k") for kind in IDX})
    assert found_batches(tmp_path) == [
        FoundBatch("a.npz", 3, False),
        FoundBatch("mnist/raw", 28, True),
        FoundBatch("sub", 15, True),
        FoundBatch("sub/b.CSV", 4, False),
        FoundBatch("sub/c.csv.gz", 5, False),
        FoundBatch("sub/d.parquet", 6, False),
    ]


IDX = ("images-idx3", "labels-idx1")


def test_links_and_hidden_files_are_not_looked_at(tmp_path: Path) -> None:
    write(tmp_path, **{"outside/secret.npz": 1, "data/.hidden.npz": 1, "data/.git/x.npz": 1})
    (tmp_path / "data" / "link.npz").symlink_to(tmp_path / "outside" / "secret.npz")
    (tmp_path / "data" / "folder").symlink_to(tmp_path / "outside")
    assert found_batches(tmp_path / "data") == []


def test_the_search_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, **{f"{folder}/{number}.npz": 1 for folder in "abc" for number in range(20)})
    monkeypatch.setattr(listing, "MAX_BATCHES", 30)
    assert len(found_batches(tmp_path)) == 30
    monkeypatch.setattr(listing, "_MAX_ENTRIES", 20)
    assert {batch.path[0] for batch in found_batches(tmp_path)} == {"a"}


def test_a_data_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert found_batches(tmp_path / "nothing") == []
