"""A file that knows its size and where it is read, and no more: who reads it says what is there."""

from __future__ import annotations

import errno
import io


class SizedFile(io.RawIOBase):
    """A file of so many bytes, read from `_at` on."""

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0

    def readable(self) -> bool:
        """See RawIOBase."""
        return True

    def seekable(self) -> bool:
        """See RawIOBase."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See RawIOBase; raises OSError for a place before the first byte, as files do: zipfile asks."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if self._at < 0:
            raise OSError(errno.EINVAL, "it is cut off, or damaged")
        return self._at
