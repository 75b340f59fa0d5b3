"""Folders for what Spark writes in one epoch; they go with it, or with the next worker's start."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(var_dir: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; its name says which process has it."""
    parent = _parent(var_dir)
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(var_dir: Path) -> None:
    """Removes the folders of processes that are gone, which a killed one leaves."""
    for folder in _parent(var_dir).glob("*-*"):
        process_id = folder.name.partition("-")[0]
        if not process_id.isdecimal() or not _lives(int(process_id)):
            shutil.rmtree(folder, ignore_errors=True)


def _parent(var_dir: Path) -> Path:
    return var_dir.resolve() / "spark" / "epochs"


def _lives(process_id: int) -> bool:
    if process_id == os.getpid():
        # The id of a worker before this one, as in a container that was started again.
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
