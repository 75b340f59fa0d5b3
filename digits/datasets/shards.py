"""Labelled images, and one file's worth of them that can be read again and again without keeping it."""

from __future__ import annotations

import errno
import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np

from digits.errors import BatchUnavailable, InvalidInput
from digits.pixels import Pixels

# A disk or a server of files that does not answer, and a process that holds too much.
_PASSING = frozenset(
    {
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EAGAIN,
        errno.EINTR,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
    }
)


@dataclass(frozen=True)
class Images:
    """N labelled images: `pixels` (N, 784) uint8, 0 paper, 255 ink; `labels` (N,) uint8, 0 to 9."""

    pixels: Pixels
    labels: Pixels

    def __len__(self) -> int:
        return len(self.labels)

    def sha256(self) -> str:
        """Checksum of the pixels and then the labels, in hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.pixels).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Shard:
    """One pair of arrays: the labels in memory, the pixels still in their file.

    `chunks` yields the pixels from the first, in chunks of any size; `name` is for error messages.
    """

    name: str
    field: str
    labels: Pixels
    chunks: Callable[[], Iterator[Pixels]]

    def read(self) -> Iterator[Images]:
        """Yields the images in the file's order; raises InvalidInput if the file is damaged."""
        start = 0
        for pixels in self.chunks():
            yield Images(pixels, self.labels[start : start + len(pixels)])
            start += len(pixels)


@contextmanager
def reading(name: str, field: str) -> Iterator[None]:
    """Turns whatever a damaged or vanished file makes a reader raise into InvalidInput.

    What is no fault of the file, as a disk that does not answer, is BatchUnavailable.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _PASSING:
            raise BatchUnavailable(f"{name} cannot be read at the moment: {error.strerror}") from error
        raise InvalidInput(field, f"{name} cannot be read: {_reason(error)}") from error
    except (EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidInput(field, f"{name} cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
        return error.strerror or "the file is damaged"
    return str(error) or "the file is damaged"


def read_exactly(stream: IO[bytes], count: int) -> bytes:
    """Returns the next `count` bytes; raises EOFError if there are fewer."""
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the file is shorter than its header says")
    return data


def check_ends(stream: IO[bytes]) -> None:
    """Reads to the end, when zip and gzip compare their checksum; raises ValueError for bytes left over."""
    if stream.read(1):
        raise ValueError("the file is longer than its header says")
