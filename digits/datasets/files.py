"""Where the bytes of a batch are: in a request, below the data folder, or in another file system."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Protocol

from digits.datasets.plain_files import open_plain

_PIECE_BYTES = 1 << 20
# Of a folder: each costs looks at its headers before the first image is read, 30 ms of them in HDFS.
MAX_FILES = 10_000

State = tuple[int, int, int]
"""A file's size, its time and its number: another file in its place differs in one of them."""


class Digest(Protocol):
    """A checksum that is being made."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Adds some bytes."""


class BatchFile(ABC):
    """A file that can be read again and again. Whatever is asked of it may raise OSError."""

    @property
    @abstractmethod
    def place(self) -> PurePath:
        """Where it is: files of a batch are in this order."""

    @property
    def name(self) -> str:
        """Its own, without a folder's."""
        return self.place.name

    @abstractmethod
    def open(self) -> IO[bytes]:
        """It can be sought in."""

    @abstractmethod
    def size(self) -> int:
        """In bytes."""

    @abstractmethod
    def state(self) -> State:
        """What it looks like now."""

    @abstractmethod
    def add_content(self, digest: Digest) -> None:
        """Adds what tells its content from any other."""

    @property
    def is_shared(self) -> bool:
        """Whether other machines surely find it where this one does."""
        return False


class BatchFolder(ABC):
    """A folder that may hold a batch."""

    @abstractmethod
    def listed(self, field: str) -> tuple[Mapping[str, BatchFile], Mapping[str, BatchFolder]]:
        """The files in it and the folders, by name; raises InvalidInput, BatchUnavailable."""


@dataclass(frozen=True)
class PlainFile(BatchFile):
    """A regular file of this machine's, at a path without links."""

    path: Path

    @property
    def place(self) -> PurePath:
        """See BatchFile."""
        return self.path

    def open(self) -> IO[bytes]:
        """See BatchFile; raises OSError if it is no longer the one that was found."""
        return open_plain(self.path)

    def size(self) -> int:
        """See BatchFile."""
        return self.path.stat().st_size

    def state(self) -> State:
        """See BatchFile."""
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns, status.st_ino

    def add_content(self, digest: Digest) -> None:
        """See BatchFile."""
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)


@dataclass(frozen=True)
class Bytes(BatchFile):
    """What came with a request."""

    content: bytes

    @property
    def place(self) -> PurePath:
        """See BatchFile."""
        return PurePath("the upload")

    def open(self) -> IO[bytes]:
        """See BatchFile."""
        return io.BytesIO(self.content)

    def size(self) -> int:
        """See BatchFile."""
        return len(self.content)

    def state(self) -> State:
        """See BatchFile."""
        return len(self.content), 0, 0

    def add_content(self, digest: Digest) -> None:
        """See BatchFile."""
        digest.update(self.content)
