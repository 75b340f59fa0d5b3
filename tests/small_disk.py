"""A disk that is soon full."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.as_root import NotAllowed, as_root
from tests.conftest import missing


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mounts a disk of that size at a folder for a while; skips if we may not, or fails in CI."""
    try:
        mount(folder, size_bytes)
    except NotAllowed as error:
        missing(f"the right to mount a disk: {error}")
    try:
        yield folder
    finally:
        unmount(folder)


def mount(folder: Path, size_bytes: int) -> None:
    """Makes the folder if it is not there, and a disk in memory of it; raises NotAllowed."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size_bytes},uid={os.getuid()}"
    as_root("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))


def unmount(folder: Path) -> None:
    """Ends it, also while somebody has a file of it open."""
    as_root("umount", "--lazy", str(folder))


def fill(folder: Path) -> Path:
    """Leaves no byte free on the folder's disk; returns the file that takes them."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler
