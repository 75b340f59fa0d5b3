"""Folders for what Spark and TensorFlow write; they go with their use, or with the next worker's start."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EPOCHS, _TEMPORARY = "epochs", "tmp"


@contextmanager
def scratch_folder(var_dir: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; its name says which process has it."""
    folder = _make(var_dir, _EPOCHS)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(var_dir: Path) -> None:
    """Removes the folders of processes that are gone, which a killed one leaves."""
    for kind in (_EPOCHS, _TEMPORARY):
        for folder in _parent(var_dir, kind).glob("*-*"):
            process_id = folder.name.partition("-")[0]
            if not process_id.isdecimal() or not _lives(int(process_id)):
                shutil.rmtree(folder, ignore_errors=True)


def own_temporary_folder(var_dir: Path) -> Path:
    """Has this process, and those that it starts from now on, write temporary files below the state folder.

    TensorFlow's AutoGraph writes a file for each function that it compiles, and only a process that ends by
    itself removes its own.
    """
    folder = _make(var_dir, _TEMPORARY)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # Asked for again, it is read from there.
    return folder


def _make(var_dir: Path, kind: str) -> Path:
    parent = _parent(var_dir, kind)
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))


def _parent(var_dir: Path, kind: str) -> Path:
    return var_dir.resolve() / "spark" / kind


def _lives(process_id: int) -> bool:
    if process_id == os.getpid():
        # The id of a worker before this one, as in a container that was started again.
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # Somebody else's, so it lives.
    return True
