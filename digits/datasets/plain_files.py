"""Opens what a path was when it was resolved: nobody slips a link, a pipe or a device in between.

Between looking at a path and opening it, whoever may write into the data folder can put a link in its place
that leads anywhere, or a pipe that nobody ever writes into.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# To pass through a folder takes no right to list it; O_PATH is Linux's.
_THROUGH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW
# A pipe is opened without waiting for who writes into it, and then refused.
_TO_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def open_plain(path: Path) -> IO[bytes]:
    """The regular file at a path without links, as `Path.resolve` returns it.

    Raises OSError: also if any part of the path has become a link, or the file is not a regular one.
    """
    with _parent(path) as folder:
        descriptor = os.open(path.name, _TO_READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return os.fdopen(descriptor, "rb")


def names_in(folder: Path) -> list[str]:
    """What is in the folder at a path without links, sorted; raises OSError."""
    with _parent(folder) as above:
        descriptor = os.open(folder.name or "/", _TO_READ | os.O_DIRECTORY, dir_fd=above)
    try:
        # By its number, since by its name it may be another by now.
        return sorted(os.listdir(descriptor))  # noqa: PTH208
    finally:
        os.close(descriptor)


@contextmanager
def _parent(path: Path) -> Iterator[int]:
    """The folder that a file is in, step by step from the root."""
    whole = path.absolute()
    folder = os.open(whole.anchor, _THROUGH)
    try:
        for name in whole.parts[1:-1]:
            above, folder = folder, os.open(name, _THROUGH, dir_fd=folder)
            os.close(above)
        yield folder
    finally:
        os.close(folder)
