"""Records in the coordinator: one that is junk costs itself, not whoever reads them all."""

from __future__ import annotations

import logging
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from digits.ports import Stored

logger = logging.getLogger(__name__)

Record = TypeVar("Record", bound=Message)


class RecordReader(Generic[Record]):
    """Parses records of one kind, skips what it cannot read, and remembers where that is."""

    def __init__(self, kind: type[Record]) -> None:
        self._kind = kind
        self._unreadable: set[str] = set()

    def unreadable_count(self) -> int:
        """How many paths hold something else than such a record."""
        return len(self._unreadable)

    def parse(self, path: str, stored: Stored) -> Record | None:
        """The record at a path; None if it is junk, which the log says once for each path."""
        try:
            record = self._kind.FromString(stored.value)
        except DecodeError:
            if path not in self._unreadable:
                logger.warning(
                    "%s holds %d bytes that are no %s: skipped; remove or restore it",
                    path,
                    len(stored.value),
                    self._kind.__name__,
                )
            self._unreadable.add(path)
            return None
        self._unreadable.discard(path)
        return record
