"""A disk that is soon full."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import missing

_AS_ROOT = [] if os.getuid() == 0 else ["sudo", "-n"]


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mounts a disk of that size at a folder for a while; skips if we may not, or fails in CI."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size_bytes},uid={os.getuid()}"
    mounted = subprocess.run(
        [*_AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        missing(f"the right to mount a disk: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([*_AS_ROOT, "umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leaves no byte free on the folder's disk; returns the file that takes them."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler
