"""The process that reads the Parquet files of one batch, as the service sees it."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from digits.datasets.parquet_files import frames, limits
from digits.datasets.parquet_files.ahead import Ahead
from digits.errors import BatchUnavailable

COMMAND = (sys.executable, "-P", "-m", "digits.datasets.parquet_files.process")

# It has none of the service's secrets: where Python is, and what a supervisor finds it by.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "DIGITS_PROCESS_TAG")
# One thread, and no memory kept: what is given back counts no more.
_PLAIN = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# Of a service: each may take what limits.py allows. Others are sent away, since whoever waits holds a thread
# that a rollback may need. A semaphore would not do: the collector of garbage may end a process in the middle
# of a call for another one.
_room = queue.SimpleQueue[None]()
for _ in range(2):
    _room.put(None)
# Without a byte: the kernel ends it long before, unless the machine gives it no time at all.
_ANSWER_SECONDS = 120.0
# Between two files of a batch it stays; a start takes 0.3 s.
_IDLE_SECONDS = 1.0
# After its line has ended.
_END_SECONDS = 5.0


class ReaderEnded(ValueError):
    """The process ended while it read a file: its text is a sentence about that file."""


class ReaderProcess:
    """Is asked one question at a time. Its files are read by the service, and bounded in what they answer."""

    def __init__(self) -> None:
        try:
            _room.get_nowait()
        except queue.Empty as error:
            message = "other Parquet files are being read: send it again in some seconds"
            raise BatchUnavailable(message) from error
        try:
            self._process, self._line = _process_and_line()
        except BaseException as error:
            _room.put(None)
            if isinstance(error, OSError):
                raise BatchUnavailable(f"no process to read Parquet: {error}") from error
            raise
        # Whoever forgets it, or ends itself, ends it.
        self.end = weakref.finalize(self, _end, self._process, self._line)
        self._asked = self._answered = False

    def is_idle(self) -> bool:
        """Whether it is there and answered all that it was asked."""
        return self.end.alive and not self._asked and self._process.poll() is None

    def ask(self, file: Ahead, kind: bytes, content: bytes = b"") -> tuple[bytes, bytes]:
        """Returns the answer's kind and content, having read of the file what it wanted.

        Raises ValueError with what is wrong with the file, OSError if that cannot be read, BatchUnavailable.
        """
        self._asked = True
        answer, content = self._exchange(kind, content)
        while answer == frames.READ:
            place = int.from_bytes(content[: frames.PLACE_BYTES], signed=True)
            count = int.from_bytes(content[frames.PLACE_BYTES :])
            piece = file.read_at(place, min(count, frames.MAX_PIECE_BYTES))
            answer, content = self._exchange(frames.BYTES, piece)
        self._asked = False
        if answer == frames.PROBLEM:
            raise ValueError(content.decode(errors="replace"))
        return answer, content

    def _exchange(self, kind: bytes, content: bytes) -> tuple[bytes, bytes]:
        try:
            frames.send(self._line, kind, content)
            answer = frames.receive(self._line)
        except TimeoutError as error:
            raise BatchUnavailable("what reads Parquet does not answer: send it again") from error
        except (EOFError, OSError) as error:
            raise ReaderEnded(self._why()) from error
        self._answered = True
        return answer

    def _why(self) -> str:
        """What the file did to it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self.end()
        if self._process.returncode > 0 and not self._answered:
            raise BatchUnavailable(
                f"what reads Parquet does not start: it ended with {self._process.returncode}"
            )
        if self._process.returncode == -signal.SIGKILL:
            # None of its limits does that: the machine was short of memory, or somebody ended it.
            raise BatchUnavailable("what reads Parquet was killed: send it again")
        return limits.NEEDS_TIME if self._process.returncode == -signal.SIGXCPU else limits.DIED


def _process_and_line() -> tuple[subprocess.Popen[bytes], socket.socket]:
    line, theirs = socket.socketpair()
    line.settimeout(_ANSWER_SECONDS)
    try:
        with theirs:
            return started(theirs), line
    except BaseException:
        line.close()
        raise


def started(line: socket.socket) -> subprocess.Popen[bytes]:
    """Starts a process that answers on the line; raises OSError."""
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | _PLAIN
    return subprocess.Popen(COMMAND, env=environment, stdin=line.fileno(), stdout=subprocess.DEVNULL)


def _end(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    """Ends it at once, if it has not ended by itself, and waits until nothing of it is left."""
    line.close()
    process.kill()
    process.wait()
    _room.put(None)


class Reader:
    """The process for a batch, started by the first file that is read, and ended a second after the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: ReaderProcess | None = None
        self._timer: threading.Timer | None = None
        # By a file.
        self.was_ended = False

    def __reduce__(self) -> tuple[object, ...]:
        """For another machine, which starts a process of its own."""
        return Reader, ()

    @contextmanager
    def process(self) -> Iterator[ReaderProcess]:
        """One that nobody else asks meanwhile; raises BatchUnavailable."""
        process = self._take() or ReaderProcess()
        try:
            yield process
        except ReaderEnded:
            self.was_ended = True
            raise
        finally:
            self._keep(process)

    def close(self) -> None:
        """Ends the process, unless somebody asks it; another is started when a file is read again."""
        with self._lock:
            process, self._idle = self._idle, None
        if process:
            process.end()

    def _take(self) -> ReaderProcess | None:
        with self._lock:
            process, self._idle = self._idle, None
            if self._timer:
                self._timer.cancel()
        if process is None or process.is_idle():
            return process
        process.end()
        return None

    def _keep(self, process: ReaderProcess) -> None:
        with self._lock:
            if process.is_idle() and self._idle is None:
                self._idle = process
                # Whoever drops this object ends the process, too.
                self._timer = threading.Timer(_IDLE_SECONDS, _end_idle, [weakref.ref(self)])
                self._timer.daemon = True
                self._timer.start()
                return
        process.end()


def _end_idle(reader: weakref.ref[Reader]) -> None:
    if there := reader():
        there.close()
