"""A batch that is named by a pattern: those files of a folder whose names fit."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from digits.datasets import data_folder
from digits.errors import InvalidInput, NotFound

_WILD = frozenset("*?")


@dataclass(frozen=True)
class Matching:
    """The files in a folder, of a path without links, that a pattern names: * any characters, ? one."""

    folder: Path
    pattern: str

    def fits(self, name: str) -> bool:
        """Whether the pattern names a file of this name."""
        return fnmatchcase(name, self.pattern)


def resolve(data_dir: Path, relative: str, field: str) -> Path | Matching:
    """The file, the folder or the files of a folder that a request names; raises InvalidInput, NotFound.

    Only the last part of a path may be a pattern, and a file of that very name comes first.
    """
    try:
        return data_folder.resolve(data_dir, relative, field, folder_allowed=True)
    except NotFound:
        folder, _, pattern = relative.rpartition("/")
        if _WILD.intersection(folder):
            problem = f"{relative[:64]!r} has * or ? in a folder's name; only the file's name may hold them"
            raise InvalidInput(field, problem) from None
        if not _WILD.intersection(pattern):
            raise
    return Matching(data_folder.resolve(data_dir, folder or ".", field, folder_allowed=True), pattern)
