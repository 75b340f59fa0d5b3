"""What below the data folder is named as batches are, for somebody who chooses one. Nothing is opened."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digits.datasets.idx import IdxName

MAX_BATCHES = 500
# A data folder may hold whole file systems: who chooses from a list looks at its first levels.
_MAX_DEPTH = 4
_MAX_ENTRIES = 20_000
_SUFFIXES = (".npz", ".csv", ".csv.gz", ".parquet", ".pq")


@dataclass(frozen=True)
class FoundBatch:
    """`path` is below the data folder, with "/"; of a folder, `total_bytes` counts the batch's files."""

    path: str
    total_bytes: int
    folder: bool


def found_batches(data_dir: Path) -> list[FoundBatch]:
    """Files and folders, by path. Links are left out: where they lead is looked at when one is named."""
    found: list[FoundBatch] = []
    entries = 0
    for folder, files in _folders(data_dir):
        entries += len(files)
        if entries > _MAX_ENTRIES or len(found) >= MAX_BATCHES:
            break
        found += _in_folder(folder, files)
    return sorted(found, key=lambda batch: batch.path)[:MAX_BATCHES]


def _in_folder(folder: str, files: dict[str, int]) -> Iterator[FoundBatch]:
    shards = {name: size for name, size in files.items() if name.lower().endswith(_SUFFIXES)}
    idx = {name: size for name, size in files.items() if IdxName.of(name)}
    yield from (FoundBatch(f"{folder}/{name}".lstrip("/"), size, False) for name, size in shards.items())
    together = idx or shards
    # A folder is a batch if its files are one together; the data folder itself has no name to ask for.
    if folder and len(together) > 1:
        yield FoundBatch(folder, sum(together.values()), True)


def _folders(data_dir: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Each folder's path below the data folder with its files' sizes in bytes, the nearest first."""
    waiting = deque([""])
    while waiting:
        folder = waiting.popleft()
        files, below = _listed(data_dir / folder)
        yield folder, files
        if folder.count("/") < _MAX_DEPTH - 1:
            waiting += [f"{folder}/{name}".lstrip("/") for name in below]


def _listed(folder: Path) -> tuple[dict[str, int], list[str]]:
    """The files' sizes by name and the folders' names; nothing of a folder that cannot be read."""
    files: dict[str, int] = {}
    folders: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in itertools.islice(entries, _MAX_ENTRIES):
            if entry.name.startswith(".") or not entry.name.isprintable():
                continue
            if entry.is_file(follow_symlinks=False):
                files[entry.name] = entry.stat(follow_symlinks=False).st_size
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
    return files, sorted(folders)
