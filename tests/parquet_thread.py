"""What reads Parquet files in a process, as a thread of the tests': without a start, and without bounds."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from digits.datasets.parquet_files import process, reader


class ReaderThread:
    """As `subprocess.Popen` is."""

    returncode = 0

    def __init__(self, line: socket.socket) -> None:
        self._line = line.dup()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._line, suppress(EOFError, OSError):
            process.serve(self._line, lambda seconds: None)

    def poll(self) -> None:
        """It runs."""

    def kill(self) -> None:
        """It ends with its line."""

    def wait(self, timeout: float | None = None) -> None:
        """Returns once it has ended."""
        self._thread.join(timeout)


def read_in_threads(patching: pytest.MonkeyPatch) -> None:
    """Has Parquet read by threads."""
    patching.setattr(reader, "started", ReaderThread)
