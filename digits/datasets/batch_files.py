"""The files that a batch is read from: a job trains on what was there when it was accepted, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from digits.datasets.shards import reading
from digits.errors import InvalidInput

_PIECE_BYTES = 1 << 20

State = tuple[int, int, int]


@dataclass(frozen=True)
class BatchFiles:
    """Paths, and what each looked like when the batch was opened; none for an upload, which cannot change."""

    field: str = ""
    states: tuple[tuple[Path, State], ...] = ()

    @classmethod
    def seen(cls, paths: Sequence[Path], field: str) -> BatchFiles:
        """The files as they are now; raises InvalidInput, BatchUnavailable."""
        return cls(field, tuple((path, _state(path, field)) for path in sorted(paths)))

    def sha256(self) -> str:
        """Checksum of their bytes, in hexadecimal.

        Empty without files. Raises InvalidInput, BatchUnavailable.
        """
        if not self.states:
            return ""
        digest = hashlib.sha256()
        for path, (size, *_) in self.states:
            digest.update(size.to_bytes(8, "little"))
            with reading(path.name, self.field), path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    digest.update(piece)
        return digest.hexdigest()

    def require(self, sha256: str) -> None:
        """Raises InvalidInput unless they hold what has that checksum.

        Any will do for "", of an earlier release.
        """
        if sha256 and self.sha256() != sha256:
            raise self._changed("the batch")

    def check(self) -> None:
        """Raises InvalidInput if a file is not the one any more that was opened.

        By its size, time and number.
        """
        for path, state in self.states:
            if _state(path, self.field) != state:
                raise self._changed(path.name)

    def _changed(self, what: str) -> InvalidInput:
        return InvalidInput(self.field, f"{what} changed after the job was accepted; send the request again")


NO_FILES = BatchFiles()


def _state(path: Path, field: str) -> State:
    with reading(path.name, field):
        status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
