"""The files that a batch is read from: a job trains on what was there when it was accepted, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from digits.datasets.files import BatchFile, State
from digits.datasets.shards import reading
from digits.errors import InvalidInput


@dataclass(frozen=True)
class BatchFiles:
    """Each, and what it looked like when the batch was opened; none for an upload, which cannot change."""

    field: str = ""
    states: tuple[tuple[BatchFile, State], ...] = ()

    @classmethod
    def seen(cls, files: Iterable[BatchFile], field: str) -> BatchFiles:
        """The files as they are now; raises InvalidInput, BatchUnavailable."""
        in_order = sorted(files, key=lambda file: file.place)
        return cls(field, tuple((file, _state(file, field)) for file in in_order))

    def among(self, files: Collection[BatchFile]) -> BatchFiles:
        """Those of them that are used."""
        return BatchFiles(self.field, tuple(seen for seen in self.states if seen[0] in files))

    def are_shared(self) -> bool:
        """Whether there are some, and other machines surely find each where this one does."""
        return bool(self.states) and all(file.is_shared for file, _ in self.states)

    def sha256(self) -> str:
        """Checksum of what they hold, in hexadecimal.

        Empty without files. Raises InvalidInput, BatchUnavailable.
        """
        if not self.states:
            return ""
        digest = hashlib.sha256()
        for file, (size, *_) in self.states:
            digest.update(size.to_bytes(8, "little"))
            with reading(file.name, self.field):
                file.add_content(digest)
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
        for file, state in self.states:
            if _state(file, self.field) != state:
                raise self._changed(file.name)

    def _changed(self, what: str) -> InvalidInput:
        return InvalidInput(self.field, f"{what} changed after the job was accepted; send the request again")


NO_FILES = BatchFiles()


def _state(file: BatchFile, field: str) -> State:
    with reading(file.name, field):
        return file.state()
