"""An array in a file: what it says of itself, and its values as a stream of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digits.datasets.shards import check_ends, read_exactly, reading
from digits.pixels import PIXELS_PER_IMAGE, SIDE

Rows = NDArray[Any]

# 3 MB: large enough that Python's share of the reading is small.
BYTES_PER_READ = 4096 * PIXELS_PER_IMAGE

IMAGE_SHAPES = ((SIDE, SIDE), (SIDE, SIDE, 1), (1, SIDE, SIDE), (PIXELS_PER_IMAGE,))


@dataclass(frozen=True)
class StoredArray:
    """An array in its file: `open` returns a stream that stands at the first value, in C order.

    `name` is the array's alone, for the line that mends it; `title` tells the file as well. Of labels with
    `only_first` the first value of a row counts, as in QMNIST's.
    """

    name: str
    title: str
    field: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    open: Callable[[], IO[bytes]]
    only_first: bool = False

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0

    def variable(self, usual: str) -> str:
        """What a line of Python may call it; a file's name is no such name."""
        return self.name if self.name.isidentifier() else usual

    @property
    def byte_count(self) -> int:
        """Bytes of all values."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def described(self) -> str:
        """What was found, such as: x_train float32 (60000, 28, 28, 1)."""
        return f"{self.name} {self.dtype} {self.shape}"

    def rows(self) -> Iterator[Rows]:
        """Yields the values in order as (n, values of a row); raises InvalidInput if the file is damaged."""
        width = prod(self.shape[1:])
        row_bytes = width * self.dtype.itemsize
        at_once = max(1, BYTES_PER_READ // max(1, row_bytes))
        with reading(self.title, self.field):
            stream = self.open()
        with stream:
            for start in range(0, len(self), at_once):
                count = min(at_once, len(self) - start)
                with reading(self.title, self.field):
                    data = read_exactly(stream, count * row_bytes)
                    if start + count == len(self):
                        check_ends(stream)
                yield np.frombuffer(data, self.dtype).reshape(count, width)

    def image_faults(self) -> list[str]:
        """What keeps this from being pictures of 28 x 28 pixels, each with the way out."""
        faults = []
        if self.dtype.kind not in "uifb":
            faults.append(f"{self.title} must be numbers (uint8, or floats), but is {self.dtype}")
        if len(self.shape) < 2 or self.shape[1:] not in IMAGE_SHAPES:
            faults.append(
                f"{self.title} must have the shape (N, {SIDE}, {SIDE}), but has {self.shape}"
                f"{self._shape_hint()}"
            )
        elif not self.shape[0]:
            faults.append(f"{self.title} holds no image")
        return faults

    def _shape_hint(self) -> str:
        x = self.variable("x")
        if len(self.shape) == 3 and self.shape[:2] == (SIDE, SIDE):
            return f": {x} = {x}.transpose(2, 0, 1)"
        if len(self.shape) == 4 and self.shape[1:] == (SIDE, SIDE, 3):
            return f": {x} = {x}.mean(axis=3)"
        return ""

    def image_note(self) -> str:
        """What was accepted of the shape or the type, or nothing."""
        plain = len(self.shape) == 3 and self.dtype == np.uint8
        return "" if plain else f"{self.dtype} {self.shape} taken as (N, {SIDE}, {SIDE}) of bytes"
