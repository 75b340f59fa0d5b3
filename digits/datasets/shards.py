"""Labelled images, and one file's worth of them that can be read again and again without keeping it."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from digits.errors import InvalidInput
from digits.pixels import PIXELS_PER_IMAGE, Pixels

# 3 MB of pixels: large enough that Python's share of the reading is small.
IMAGES_PER_READ = 4096


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

    `open_pixels` returns a stream that stands at the first pixel; `name` is for error messages.
    """

    name: str
    field: str
    labels: Pixels
    open_pixels: Callable[[], IO[bytes]]

    @property
    def byte_count(self) -> int:
        """Bytes of the unpacked pixels and labels."""
        return len(self.labels) * (PIXELS_PER_IMAGE + 1)

    def read(self) -> Iterator[Images]:
        """Yields the images in the file's order; raises InvalidInput if the file is damaged."""
        with reading(self.name, self.field):
            stream = self.open_pixels()
        with stream:
            for start in range(0, len(self.labels), IMAGES_PER_READ):
                labels = self.labels[start : start + IMAGES_PER_READ]
                with reading(self.name, self.field):
                    data = read_exactly(stream, len(labels) * PIXELS_PER_IMAGE)
                    if start + len(labels) == len(self.labels):
                        check_ends(stream)
                yield Images(np.frombuffer(data, np.uint8).reshape(-1, PIXELS_PER_IMAGE), labels)


@contextmanager
def reading(name: str, field: str) -> Iterator[None]:
    """Turns whatever a damaged or vanished file makes a reader raise into InvalidInput."""
    try:
        yield
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
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


def check_labels(labels: NDArray[np.integer], name: str, field: str) -> Pixels:
    """Returns the labels as uint8; raises InvalidInput for one that is not a digit."""
    wrong = (labels < 0) | (labels > 9)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InvalidInput(field, f"{name} must hold the digits 0 to 9, but label {first} is {labels[first]}")
    return labels.astype(np.uint8)


def check_pair(images: str, image_count: int, labels: str, label_count: int, field: str) -> None:
    """Raises InvalidInput if two arrays of a pair cannot belong together."""
    if image_count != label_count:
        raise InvalidInput(field, f"{images} holds {image_count} images but {labels} {label_count} labels")
    if image_count == 0:
        raise InvalidInput(field, f"{images} holds no image")
