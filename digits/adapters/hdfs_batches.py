"""Batches in HDFS, read over WebHDFS piece by piece."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as declared
from pathlib import PurePosixPath
from typing import IO, Any, TypeVar

from hdfs import Client

from digits.adapters.hdfs_connection import HdfsConnection, HdfsFault, some_statuses
from digits.datasets.files import MAX_FILES, BatchFile, BatchFolder, Digest, State
from digits.datasets.shards import reading
from digits.sized_file import SizedFile

# Each piece is a question to the NameNode and one to a DataNode: some milliseconds.
_PIECE_BYTES = 4 << 20
# Whoever looks at a header, or seeks, may want no more.
_FIRST_BYTES = 64 << 10

_WRONG_NAMES = frozenset({"InvalidPathException", "IllegalArgumentException"})

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class HdfsFile(BatchFile):
    """A file at an absolute path."""

    path: str
    hdfs: HdfsConnection = declared(compare=False, repr=False)

    @property
    def place(self) -> PurePosixPath:
        """See BatchFile."""
        return PurePosixPath(self.path)

    @property
    def is_shared(self) -> bool:
        """See BatchFile."""
        return True

    def open(self) -> IO[bytes]:
        """See BatchFile; the file is as long as it was then."""
        return io.BufferedReader(_Pieces(self, self.size()), _PIECE_BYTES)

    def size(self) -> int:
        """See BatchFile."""
        return self.state()[0]

    def state(self) -> State:
        """See BatchFile."""
        found = self.ask(lambda client: client.status(self.path))
        return int(found["length"]), int(found["modificationTime"]), int(found.get("fileId", 0))

    def add_content(self, digest: Digest) -> None:
        """See BatchFile. HDFS's own checksum of checksums, which takes no reading."""
        digest.update(str(self.ask(lambda client: client.checksum(self.path))["bytes"]).encode())

    def ask(self, call: Callable[[Client], _Result]) -> _Result:
        """Asks HDFS; raises OSError."""
        with _as_os_error():
            return self.hdfs.ask(call)


@dataclass(frozen=True)
class HdfsFolder(BatchFolder):
    """A folder at an absolute path."""

    path: str
    hdfs: HdfsConnection = declared(compare=False, repr=False)

    def listed(self, field: str) -> tuple[dict[str, HdfsFile], dict[str, HdfsFolder]]:
        """See BatchFolder. A link is neither."""
        with reading("the folder", field), _as_os_error():
            found = self.hdfs.ask(lambda client: some_statuses(client, self.path, MAX_FILES))
        names = {status["pathSuffix"]: status["type"] for status in found}
        paths = {name: f"{self.path.rstrip('/')}/{name}" for name in sorted(names)}
        files = {name: HdfsFile(path, self.hdfs) for name, path in paths.items() if names[name] == "FILE"}
        folders = {name: path for name, path in paths.items() if names[name] == "DIRECTORY"}
        return files, {name: HdfsFolder(path, self.hdfs) for name, path in folders.items()}


class HdfsBatches:
    """See FileSystem."""

    def __init__(self, hdfs: HdfsConnection) -> None:
        self._hdfs = hdfs

    def find(self, path: str, field: str) -> HdfsFile | HdfsFolder | None:
        """See FileSystem."""
        try:
            with _as_os_error():
                status = self._hdfs.ask(lambda client: client.status(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            with reading(path, field):
                raise
        return HdfsFile(path, self._hdfs) if status["type"] == "FILE" else HdfsFolder(path, self._hdfs)


class _Pieces(SizedFile):
    """A file that HDFS has."""

    def __init__(self, file: HdfsFile, size: int) -> None:
        super().__init__(size)
        self._file, self._next = file, _FIRST_BYTES

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See SizedFile."""
        self._next = _FIRST_BYTES
        return super().seek(offset, whence)

    def readinto(self, buffer: Any) -> int:  # Whatever has bytes, by RawIOBase.
        """See RawIOBase."""
        count = min(len(buffer), self._size - self._at, self._next)
        if count <= 0:
            return 0
        piece = self._file.ask(lambda client: _read(client, self._file.path, self._at, count))
        if len(piece) != count:
            raise OSError(errno.EIO, "HDFS sent another number of bytes than it was asked for")
        buffer[:count] = piece
        self._at += count
        self._next = min(2 * self._next, _PIECE_BYTES)
        return count


def _read(client: Client, path: str, offset: int, length: int) -> bytes:
    with client.read(path, offset=offset, length=length, chunk_size=_PIECE_BYTES) as pieces:
        return b"".join(pieces)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """As a file system of this machine would say it: `shards.reading` knows what passes and what does not."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "HDFS has no such file") from error
    except HdfsFault as fault:
        if fault.kind == "ParentNotDirectoryException":
            raise NotADirectoryError(errno.ENOTDIR, "HDFS has no such folder") from fault
        if fault.kind in _WRONG_NAMES:
            raise OSError(errno.EINVAL, f"HDFS has no such names: {fault.reason}") from fault
        if fault.kind == "AccessControlException":
            raise PermissionError(errno.EACCES, "HDFS does not let the service read it") from fault
        raise OSError(errno.EIO, fault.reason) from fault
