"""Keeps the log of a running process small."""

from __future__ import annotations

import os
from pathlib import Path

# Enough for days of logs; one older file of this size is kept beside it.
MAX_LOG_BYTES = 5 << 20


def rotate(log: Path) -> None:
    """Copies the end of a large log aside and empties it, while its process writes on.

    The process must have opened it for appending, or it would go on at its old place in the file. What it
    writes in the few milliseconds between reading and emptying is lost. Raises OSError when there is no room
    for the copy; the log is then left as it is.
    """
    if log.stat().st_size <= MAX_LOG_BYTES:
        return
    older = log.with_suffix(".log.1")
    try:
        with log.open("r+b") as current, older.open("wb") as copy:
            current.seek(-MAX_LOG_BYTES, os.SEEK_END)
            # Not to its end, which a process that writes fast enough would move on for ever.
            copy.write(current.read(MAX_LOG_BYTES))
            copy.flush()
            current.truncate(0)
    except OSError:
        older.unlink(missing_ok=True)
        raise
