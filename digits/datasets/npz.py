"""Reads npz files, as numpy.savez writes them: nothing is unpickled, and pixels stay in their file."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from digits.datasets.shards import Shard, check_ends, check_labels, check_pair, read_exactly, reading
from digits.errors import InvalidInput
from digits.pixels import SIDE

# numpy refuses longer headers itself, but only after it has read them.
MAX_HEADER_BYTES = 16 << 10
# zipfile keeps about 500 bytes a member; a batch has four.
MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class Npz:
    """One npz file, or its bytes; `name` is for error messages, `field` the request's."""

    source: Path | bytes
    name: str
    field: str

    def shard(self, part: str, byte_limit: int) -> Shard | None:
        """Returns the images `x_PART` with the labels `y_PART`, or None if the file has neither.

        Reads the zip directory, both arrays' headers and the labels. Raises InvalidInput, naming the
        array, unless x is uint8 (N, 28, 28), y integers 0 to 9 (N,), N > 0, and both fit `byte_limit`.
        """
        x, y = f"x_{part}", f"y_{part}"
        with reading(self.name, self.field), self._open() as archive:
            present = {member.removesuffix(".npy") for member in archive.namelist()}
            if not present & {x, y}:
                return None
            self._check_present(present, x, y)
            images, labels = self._array(archive, x), self._array(archive, y)
            images.check_images()
            labels.check_labels()
            self._check_size(images.byte_count + labels.byte_count, byte_limit)
            check_pair(images.title, images.shape[0], labels.title, labels.shape[0], self.field)
            digits = check_labels(labels.read(archive), labels.title, self.field)
        return Shard(images.title, self.field, digits, lambda: self._pixels(images))

    def missing(self, array: str) -> InvalidInput:
        """The error for an array that should be there."""
        return InvalidInput(self.field, f"{self._title(array)} is missing")

    def _open(self) -> zipfile.ZipFile:
        if isinstance(self.source, bytes) and self.source.count(b"PK\x01\x02") > MAX_MEMBERS:
            raise InvalidInput(self.field, f"holds more than {MAX_MEMBERS} files")
        file = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source
        try:
            return zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise InvalidInput(
                self.field, f"{self.name} is not an npz file (a zip of arrays), or is cut short"
            ) from error

    def _title(self, array: str) -> str:
        return f"{array} of {self.name}"

    def _check_present(self, present: set[str], *arrays: str) -> None:
        for array in arrays:
            if array not in present:
                raise self.missing(array)

    def _check_size(self, byte_count: int, byte_limit: int) -> None:
        if byte_count > byte_limit:
            problem = f"unpacks to {byte_count:,} bytes; at most {byte_limit:,} are allowed for a batch"
            raise InvalidInput(self.field, f"{self.name} {problem}")

    def _array(self, archive: zipfile.ZipFile, array: str) -> _Array:
        member = next(name for name in (f"{array}.npy", array) if name in archive.namelist())
        with reading(self._title(array), self.field):
            return _Array.of(archive.getinfo(member), archive, self._title(array), self.field)

    def _pixels(self, images: _Array) -> IO[bytes]:
        with self._open() as archive:
            return images.open(archive)


@dataclass(frozen=True)
class _Array:
    """What a member of the zip says of itself, before its values are read."""

    member: str
    title: str
    field: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    header_bytes: int

    @classmethod
    def of(cls, info: zipfile.ZipInfo, archive: zipfile.ZipFile, title: str, field: str) -> _Array:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("only stored and deflated members are allowed")
        with archive.open(info) as stream:
            head = io.BytesIO(stream.read(MAX_HEADER_BYTES))
        shape, fortran_order, dtype = _header(head)
        array = cls(info.filename, title, field, shape, dtype, head.tell())
        array._check_layout(fortran_order, info.file_size)
        return array

    def _check_layout(self, fortran_order: bool, file_size: int) -> None:
        if self.dtype.hasobject:
            raise self._wrong("holds pickled objects, which are never read; save plain numbers")
        if fortran_order and len(self.shape) > 1:
            raise self._wrong("is in Fortran order; save numpy.ascontiguousarray of it")
        if min(self.shape, default=0) < 0 or self.header_bytes + self.byte_count != file_size:
            raise self._wrong("is not as long as its header says")

    @property
    def byte_count(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    def check_images(self) -> None:
        if self.dtype != np.uint8:
            raise self._wrong(f"must be uint8 (0 for paper, 255 for ink), but is {self.dtype}")
        if len(self.shape) != 3 or self.shape[1:] != (SIDE, SIDE):
            raise self._wrong(f"must have the shape (N, {SIDE}, {SIDE}), but has {self.shape}")

    def check_labels(self) -> None:
        if self.dtype.kind not in "iu":
            raise self._wrong(f"must be integers, but is {self.dtype}")
        if len(self.shape) != 1:
            raise self._wrong(f"must have the shape (N,), but has {self.shape}")

    def _wrong(self, problem: str) -> InvalidInput:
        return InvalidInput(self.field, f"{self.title} {problem}")

    def open(self, archive: zipfile.ZipFile) -> IO[bytes]:
        stream = archive.open(self.member)
        read_exactly(stream, self.header_bytes)
        return stream

    def read(self, archive: zipfile.ZipFile) -> NDArray[np.integer]:
        with reading(self.title, self.field), self.open(archive) as stream:
            data = read_exactly(stream, self.byte_count)
            check_ends(stream)
        return np.frombuffer(data, self.dtype)


def _header(head: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether the order is Fortran's, and type; raises ValueError for what numpy.save never writes."""
    try:
        version = npy.read_magic(head)
        return npy.read_array_header_1_0(head) if version == (1, 0) else npy.read_array_header_2_0(head)
    except Exception as error:  # numpy lets through whatever its parsers raise, TokenError among others.
        raise ValueError("its header is not one that numpy writes") from error
