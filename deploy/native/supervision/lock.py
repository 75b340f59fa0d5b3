"""One supervisor a state folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder

# `holder` takes the lock for an instant; a start must not mistake that for another service.
MAX_WAIT_SECONDS = 0.5


@contextmanager
def locked(folder: StateFolder) -> Iterator[None]:
    """Holds the folder for this process; the system lets go of it however the process ends.

    Raises CannotStart when another process holds it.
    """
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(folder: StateFolder) -> int | None:
    """The id of the process that holds the folder; None if none does."""
    try:
        descriptor = os.open(folder.lock, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0).strip() or 0)
    else:
        return None
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: StateFolder) -> None:
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise CannotStart(_occupied(os.pread(descriptor, 20, 0), folder)) from error
            time.sleep(0.05)


def _occupied(content: bytes, folder: StateFolder) -> str:
    pid = content.decode("ascii", "replace").strip() or "unknown"
    return (
        f"the service already runs on {folder.root} (pid {pid}): "
        "stop it with `digits down`, or set DIGITS_VAR_DIR to another folder"
    )
