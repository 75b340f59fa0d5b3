"""A file that is read some way ahead."""

from __future__ import annotations

import io
from typing import IO

# Each of 784 columns is asked for by itself, and lies beside the one before: in HDFS a question takes 8 ms.
_AHEAD_BYTES = 1 << 20


class Ahead:
    """Keeps what it read last."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start, self._bytes = 0, b""

    def size(self) -> int:
        """The file's."""
        return self._file.seek(0, io.SEEK_END)

    def read_at(self, place: int, count: int) -> bytes:
        """Returns so many bytes from there on, or fewer at the file's end; raises OSError, ValueError."""
        at = place - self._start
        if at < 0 or at + count > len(self._bytes):
            self._file.seek(place)
            self._start, self._bytes, at = place, self._file.read(max(count, _AHEAD_BYTES)), 0
        return self._bytes[at : at + count]
