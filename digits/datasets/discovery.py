"""Finds the files of a batch: one npz file, a folder of npz shards, or a folder of IDX files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from digits.datasets.idx import idx_shard
from digits.datasets.npz import Npz
from digits.datasets.shards import Shard, reading
from digits.errors import InvalidInput

# Each shard costs an open file and two headers before the first image is read.
MAX_FILES = 10_000


def shards_of(source: Path | bytes, field: str, max_bytes: int) -> tuple[list[Shard], list[Shard]]:
    """Returns the shards to train on, at least one, and those to test on, in the order of their names.

    Raises InvalidInput if there are none, one is not as it should be, or all together unpack to more
    than `max_bytes`.
    """
    if isinstance(source, bytes):
        return _from_npz([Npz(source, "the upload", field)], field, max_bytes)
    if not source.is_dir():
        return _from_npz([Npz(source, source.name, field)], field, max_bytes)
    files = _files(source, field)
    if any("-ubyte" in name for name in files):
        return _from_idx(files, field, max_bytes)
    shards = [Npz(files[name], name, field) for name in sorted(files) if name.endswith(".npz")]
    if not shards:
        raise InvalidInput(field, "is a folder that holds neither .npz files nor MNIST's IDX files")
    return _from_npz(shards, field, max_bytes)


def _files(folder: Path, field: str) -> dict[str, Path]:
    """The regular files in a folder; a link that leads out of it is refused and not read."""
    with reading("the folder", field):
        paths = list(folder.iterdir())
    if len(paths) > MAX_FILES:
        raise InvalidInput(field, f"is a folder of more than {MAX_FILES:,} files")
    root = folder.resolve()
    for path in paths:
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise InvalidInput(field, f"{path.name} is a link that leads out of the folder")
    return {path.name: path for path in paths if path.is_file()}


def _from_npz(files: Sequence[Npz], field: str, max_bytes: int) -> tuple[list[Shard], list[Shard]]:
    train: list[Shard] = []
    test: list[Shard] = []
    for file in files:
        found = False
        for part, shards in (("train", train), ("test", test)):
            shard = file.shard(part, max_bytes - _byte_count(train, test))
            if shard is not None:
                shards.append(shard)
                found = True
        if not found:
            raise file.missing("x_train")
    if not train:
        raise files[0].missing("x_train")
    return train, test


def _from_idx(files: dict[str, Path], field: str, max_bytes: int) -> tuple[list[Shard], list[Shard]]:
    train = idx_shard(files, "train", field, max_bytes)
    if train is None:
        raise InvalidInput(field, "train-images-idx3-ubyte is missing")
    test = idx_shard(files, "test", field, max_bytes - _byte_count([train], []))
    return [train], [test] if test else []


def _byte_count(*shards: Sequence[Shard]) -> int:
    return sum(shard.byte_count for group in shards for shard in group)
