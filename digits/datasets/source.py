"""A file of a batch, and what messages call it."""

from __future__ import annotations

import gzip
import weakref
from dataclasses import dataclass
from typing import IO

from digits.datasets.files import BatchFile
from digits.datasets.shards import reading
from digits.file_kinds import HEAD_BYTES

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Source:
    """`name` is for error messages, `field` the request's."""

    content: BatchFile
    name: str
    field: str

    def open(self) -> IO[bytes]:
        """The file as it is; raises OSError if it is no longer the one that was found."""
        return self.content.open()

    def unpacked(self) -> IO[bytes]:
        """The file, unpacked if it is packed with gzip, whatever its name says."""
        if not self.is_gzip():
            return self.open()
        packed = self.open()
        unpacked = gzip.open(packed)  # noqa: SIM115
        # gzip closes a file that it opened, and none that it was given.
        weakref.finalize(unpacked, packed.close)
        return unpacked  # type: ignore[return-value]

    def is_gzip(self) -> bool:
        """Whether it is packed with gzip."""
        with self.open() as file:
            return file.read(len(_GZIP)) == _GZIP

    def head(self, count: int = HEAD_BYTES) -> bytes:
        """Its first bytes as they are; raises InvalidInput if it cannot be read."""
        with reading(self.name, self.field), self.open() as file:
            return file.read(count)

    def size(self) -> int:
        """Its bytes as it is."""
        return self.content.size()
