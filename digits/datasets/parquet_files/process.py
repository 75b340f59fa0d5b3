"""Reads Parquet files for a service, which starts it: `python -m digits.datasets.parquet_files.process`.

The kernel bounds what it takes before pyarrow is there. It opens no file: what it reads, it asks the service
for. It ends when the service does, since then its line does, and not by what a terminal or a supervisor sends
to all.
"""

from __future__ import annotations

import io
import logging
import math
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from digits.datasets.parquet_files import frames, limits
from digits.sized_file import SizedFile

_BUFFER_BYTES = 4 << 10

Frame = tuple[bytes, bytes]


def main() -> None:
    """Serves the service that started it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _bound()
    # What is missing on this machine is no file's fault.
    from digits.datasets.parquet_files import table  # noqa: F401, PLC0415

    with socket.socket(fileno=0) as line, suppress(EOFError, OSError):
        serve(line, _Allowance().add)


def _bound() -> None:
    # If memory is short, this process is the one to end.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for kind, most in (
        (resource.RLIMIT_AS, limits.MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _limit(kind, most)


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


class _Allowance:
    """Seconds of a processor since it began: the kernel ends a process that has used them."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self.add(limits.MAX_SECONDS)

    def add(self, seconds: float) -> None:
        self._seconds += seconds
        _limit(resource.RLIMIT_CPU, math.ceil(self._seconds))


def serve(line: socket.socket, allow: Callable[[float], None]) -> None:
    """Answers until nobody asks any more, when it raises EOFError or OSError.

    `allow` is told how many seconds more of a processor may be used.
    """
    answering: Iterator[Frame] = iter(())
    while True:
        kind, content = frames.receive(line)
        if kind != frames.NEXT:
            # It reads in full what it is asked for; a large one would read too much for each of 784 columns.
            file = io.BufferedReader(_Asked(line, int.from_bytes(content)), _BUFFER_BYTES)
            answering = _answers(kind, file, allow)
            allow(limits.SECONDS_A_FILE)
        frames.send(line, *_next(answering))


def _answers(kind: bytes, file: IO[bytes], allow: Callable[[float], None]) -> Iterator[Frame]:
    # Within the bounds.
    from digits.datasets.parquet_files.table import Table  # noqa: PLC0415

    table = Table(file)
    if kind == frames.TABLE:
        yield frames.TABLE, table.described()
    for rows in table.labels() if kind == frames.TABLE else table.pixels():
        yield frames.ROWS, rows.dtype.str.encode().ljust(frames.TYPE_BYTES) + rows.tobytes()
        if kind == frames.PIXELS:
            allow(len(rows) * limits.SECONDS_AN_IMAGE)
    yield frames.END, b""


def _next(answering: Iterator[Frame]) -> Frame:
    try:
        return next(answering)
    except (EOFError, ConnectionError):
        raise
    except MemoryError:
        return frames.PROBLEM, limits.NEEDS_MEMORY.encode()
    except Exception as error:  # Pyarrow's own, and KeyError and others that nobody foresaw.
        logging.getLogger(__name__).info("a Parquet file cannot be read", exc_info=True)
        return frames.PROBLEM, _said(error).encode(errors="replace")


def _said(error: Exception) -> str:
    """In a line, if it is a sentence."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    said = text.partition("\n")[0][:200]
    return said if isinstance(error, (ValueError, OSError)) and said else "the file is damaged"


class _Asked(SizedFile):
    """A file that the service has."""

    def __init__(self, line: socket.socket, size: int) -> None:
        super().__init__(size)
        self._line = line

    def readinto(self, buffer: Any) -> int:  # Whatever has bytes, by RawIOBase.
        count = min(len(buffer), self._size - self._at, frames.MAX_PIECE_BYTES)
        if count <= 0:
            return 0
        frames.send(self._line, frames.READ, self._at.to_bytes(frames.PLACE_BYTES) + count.to_bytes(4))
        _, piece = frames.receive(self._line)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


if __name__ == "__main__":
    main()
