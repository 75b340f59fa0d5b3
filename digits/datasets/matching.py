"""A batch that is named by a pattern: those files of a folder whose names fit."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from digits.datasets import data_folder
from digits.datasets.files import BatchFile, BatchFolder, PlainFile
from digits.datasets.plain_folder import PlainFolder
from digits.errors import InvalidInput, NotFound

_WILD = frozenset("*?")


@dataclass(frozen=True)
class Matching:
    """The files in a folder that a pattern names: * any characters, ? one."""

    folder: BatchFolder
    pattern: str

    def fits(self, name: str) -> bool:
        """Whether the pattern names a file of this name."""
        return fnmatchcase(name, self.pattern)


Batch = BatchFile | BatchFolder | Matching
"""What a request names."""


def resolve(data_dir: Path, relative: str, field: str) -> Batch:
    """The file, the folder or the files of a folder that a request names; raises InvalidInput, NotFound.

    Only the last part of a path may be a pattern, and a file of that very name comes first.
    """
    try:
        return plain(data_folder.resolve(data_dir, relative, field, folder_allowed=True))
    except NotFound:
        folder, pattern = pattern_of(relative, field)
        if not pattern:
            raise
    below = data_folder.resolve(data_dir, folder or ".", field, folder_allowed=True)
    return Matching(PlainFolder(below), pattern)


def plain(path: Path) -> PlainFile | PlainFolder:
    """What is at a path without links."""
    return PlainFolder(path) if path.is_dir() else PlainFile(path)


def pattern_of(path: str, field: str) -> tuple[str, str]:
    """The folder and the pattern in a path, "" without one; raises InvalidInput for one in the folder."""
    folder, _, pattern = path.rpartition("/")
    if _WILD.intersection(folder):
        problem = f"{path[:64]!r} has * or ? in a folder's name; only the file's name may hold them"
        raise InvalidInput(field, problem)
    return folder, pattern if _WILD.intersection(pattern) else ""
