"""Reads the IDX files that MNIST was first published as (yann.lecun.com/exdb/mnist), plain or gzipped."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from digits.datasets.shards import Shard, check_ends, check_labels, check_pair, read_exactly, reading
from digits.errors import InvalidInput
from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels

PREFIXES = {"train": "train", "test": "t10k"}

_UINT8 = 0x08


def idx_shard(files: Mapping[str, Path], part: str, field: str, byte_limit: int) -> Shard | None:
    """Returns the images and labels of `part` ("train" or "test"), or None if `files` has neither.

    `files` maps the names in a folder to their paths. Reads the images' header and the labels whole;
    raises InvalidInput, naming the file, where they are not 28 x 28 images with a digit each.
    """
    images = _find(files, f"{PREFIXES[part]}-images", "idx3-ubyte")
    labels = _find(files, f"{PREFIXES[part]}-labels", "idx1-ubyte")
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        kind = "images" if images is None else "labels"
        raise InvalidInput(field, f"{PREFIXES[part]}-{kind} is missing")
    return _Pair(images, labels, field).shard(byte_limit)


def _find(files: Mapping[str, Path], stem: str, kind: str) -> Path | None:
    names = [f"{stem}{mark}{kind}{suffix}" for mark in "-." for suffix in ("", ".gz")]
    return next((files[name] for name in names if name in files), None)


@dataclass(frozen=True)
class _Pair:
    images: Path
    labels: Path
    field: str

    def shard(self, byte_limit: int) -> Shard:
        with reading(self.images.name, self.field), _open(self.images) as stream:
            count, *sides = _header(stream, 3)
        if sides != [SIDE, SIDE]:
            problem = f"must hold {SIDE} x {SIDE} images, but holds {sides[0]} x {sides[1]}"
            raise InvalidInput(self.field, f"{self.images.name} {problem}")
        if count * (PIXELS_PER_IMAGE + 1) > byte_limit:
            problem = f"unpacks to more than the {byte_limit:,} bytes that are allowed for a batch"
            raise InvalidInput(self.field, f"{self.images.name} {problem}")
        self._check_length(count)
        return Shard(self.images.name, self.field, self._read_labels(count), self._open_pixels)

    def _check_length(self, count: int) -> None:
        expected = 16 + count * PIXELS_PER_IMAGE
        if self.images.suffix != ".gz" and self.images.stat().st_size != expected:
            raise InvalidInput(self.field, f"{self.images.name} is not as long as its header says")

    def _read_labels(self, image_count: int) -> Pixels:
        with reading(self.labels.name, self.field), _open(self.labels) as stream:
            (count,) = _header(stream, 1)
            check_pair(self.images.name, image_count, self.labels.name, count, self.field)
            labels = np.frombuffer(read_exactly(stream, count), np.uint8)
            check_ends(stream)
        return check_labels(labels, self.labels.name, self.field)

    def _open_pixels(self) -> IO[bytes]:
        stream = _open(self.images)
        _header(stream, 3)
        return stream


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _header(stream: IO[bytes], dimensions: int) -> tuple[int, ...]:
    """The dimensions; raises ValueError unless the file holds bytes in so many of them."""
    zero, kind, found = struct.unpack(">HBB", read_exactly(stream, 4))
    if (zero, kind, found) != (0, _UINT8, dimensions):
        raise ValueError(f"it is not an IDX file of bytes in {dimensions} dimensions")
    return struct.unpack(f">{dimensions}I", read_exactly(stream, 4 * dimensions))
