"""Reads the processes' log files, which go on being written, emptied and put aside."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.native.folder import StateFolder

_POLL_SECONDS = 0.2
# Lines are shorter; an unfinished one longer than this is shown as it is.
_MAX_PIECE_BYTES = 1 << 20


class LogReader:
    """Yields lines with the names of their parts, each part's in order, beginning with its last few."""

    def __init__(self, folder: StateFolder, parts: Sequence[str], last_lines: int) -> None:
        self._tails = {part: _Tail(folder.log_of(part), last_lines) for part in parts}

    def read(self) -> Iterator[tuple[str, str]]:
        """What is there and was not read yet."""
        for part, tail in self._tails.items():
            for line in tail.lines():
                yield part, line

    def follow(self) -> Iterator[tuple[str, str]]:
        """The same again and again, for ever."""
        while True:
            yield from self.read()
            time.sleep(_POLL_SECONDS)


class _Tail:
    """One file from its last lines on."""

    def __init__(self, path: Path, last_lines: int) -> None:
        self._path, self._last_lines = path, last_lines
        self._place: int | None = None
        self._unfinished = b""

    def lines(self) -> Iterator[str]:
        """Whole lines that were written since; the first time, the last ones. None if there is no file."""
        try:
            with self._path.open("rb") as log:
                data = self._unfinished + self._new(log.fileno())
        except FileNotFoundError:
            return
        whole, _, self._unfinished = data.rpartition(b"\n")
        if len(self._unfinished) > _MAX_PIECE_BYTES:
            whole, self._unfinished = data, b""
        for line in whole.splitlines():
            yield line.decode("utf-8", "replace")

    def _new(self, log: int) -> bytes:
        size = os.fstat(log).st_size
        if self._place is None:
            self._place = _place_of_last(log, size, self._last_lines)
        elif size < self._place:
            # It was emptied, since it had grown large.
            self._place, self._unfinished = 0, b""
        data = os.pread(log, size - self._place, self._place)
        self._place += len(data)
        return data


def _place_of_last(log: int, size: int, lines: int) -> int:
    """Where the last lines begin, of the last megabyte at most."""
    start = max(0, size - _MAX_PIECE_BYTES)
    data = os.pread(log, size - start, start)
    ends = [place for place, byte in enumerate(data) if byte == ord("\n")]
    # A last line without an end is no line yet.
    if len(ends) <= lines:
        return start if start == 0 else start + ends[0] + 1
    return start + ends[-lines - 1] + 1
