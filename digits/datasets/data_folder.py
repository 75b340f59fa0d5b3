"""The one place where a path from a request becomes a file: below the data folder or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath

from digits.datasets.nearby import nearby, top_entries
from digits.datasets.plain_files import open_plain
from digits.errors import InvalidInput, NotFound
from digits.file_kinds import HEAD_BYTES, is_base64

MAX_PATH_CHARACTERS = 1024

_ANY_READ = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def resolve(data_dir: Path, relative: str, field: str, *, folder_allowed: bool = False) -> Path:
    """Returns the file (or the folder, if that is allowed) that a request names, links followed.

    Raises InvalidInput for a path that leaves the data folder, is malformed, or names what cannot be
    read as a file; NotFound where nothing is there. Opens nothing, and never tells where the data
    folder is or what lies outside.
    """
    _check_text(relative, field, data_dir)
    try:
        target = _inside(data_dir, relative, field)
        _check_readable(target, target.lstat().st_mode, field, folder_allowed)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound("file", relative, nearby(data_dir, relative), top_entries(data_dir)) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(field, _reason(error)) from error
    return target


def read(data_dir: Path, relative: str, field: str, max_bytes: int) -> bytes:
    """The file that a request names, or its first bytes if it has more; raises InvalidInput, NotFound."""
    path = resolve(data_dir, relative, field)
    try:
        with open_plain(path) as file:
            return file.read(max_bytes)
    except OSError as error:
        raise InvalidInput(field, _reason(error)) from error


def _check_text(relative: str, field: str, data_dir: Path) -> None:
    if not relative.strip():
        raise InvalidInput(field, "is empty; name a file below the data folder")
    start = relative[:HEAD_BYTES].lstrip()
    if start.startswith("data:") or is_base64(start.encode(errors="replace")):
        upload = field.removesuffix("_path")
        problem = f'holds a file and not a path; send the bytes as "{upload}": curl -F {upload}=@FILE'
        raise InvalidInput(field, problem)
    if len(relative) > MAX_PATH_CHARACTERS:
        raise InvalidInput(field, f"is too long; at most {MAX_PATH_CHARACTERS} characters are allowed")
    if "\0" in relative:
        raise InvalidInput(field, "holds a NUL character")
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts:
        meant = nearby(data_dir, relative)
        hint = f"; did you mean {meant[:200]!r}?" if meant else ""
        raise InvalidInput(field, f'must be relative to the data folder, without ".."{hint}')


def _inside(data_dir: Path, relative: str, field: str) -> Path:
    """Resolves loosely, so that the answer does not depend on what exists outside."""
    root = data_dir.resolve()
    target = (root / relative).resolve()
    if not target.is_relative_to(root):
        raise InvalidInput(field, "leads out of the data folder")
    return target


def _check_readable(target: Path, mode: int, field: str, folder_allowed: bool) -> None:
    if stat.S_ISDIR(mode) and not folder_allowed:
        raise InvalidInput(field, "is a folder; name a file")
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InvalidInput(field, "is not a regular file")
    # Root may read what nobody may; the owner who took every read bit away meant it all the same.
    wanted = os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)
    if not mode & _ANY_READ or not os.access(target, wanted):
        raise InvalidInput(field, "is not readable by the service")


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "is not readable by the service"
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return "holds a name that is too long"
    return "is not a usable path"
