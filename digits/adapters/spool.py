"""A log in a folder: one file a block, which Spark's file source streams."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from digits.errors import LogUnavailable, NotFound
from digits.offsets import OffsetRanges
from digits.ports import StreamSource

_NAME = re.compile(r"(\d+)-(\d+)\.block")
_PARTITIONS = ".partitions"


class SpoolLog:
    """Blocks appear by rename, so that a reader sees each whole.

    They outlive the process that appended them; they are not synced to disk one by one, since
    a batch can be appended again from where it came from.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, job_id: str, partition_count: int) -> None:
        """See BlockLog."""
        folder = self._folder / job_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / _PARTITIONS).exists():
                (folder / _PARTITIONS).write_text(str(partition_count), encoding="ascii")
        except OSError as error:
            raise LogUnavailable(f"the log cannot be made: {error.strerror}") from error

    def append(self, job_id: str, partition: int, blocks: Sequence[bytes]) -> None:
        """See BlockLog."""
        folder = self._folder / job_id
        first = self.end_offsets(job_id)[partition]
        try:
            for offset, block in enumerate(blocks, first):
                target = folder / f"{partition:04d}-{offset:012d}.block"
                temporary = folder / f".{target.name}"
                temporary.write_bytes(block)
                temporary.replace(target)
        except OSError as error:
            raise LogUnavailable(f"the log cannot take a block: {error.strerror}") from error

    def end_offsets(self, job_id: str) -> list[int]:
        """See BlockLog."""
        folder = self._folder / job_id
        try:
            ends = [0] * int((folder / _PARTITIONS).read_text(encoding="ascii"))
            for name in (path.name for path in folder.iterdir()):
                if match := _NAME.fullmatch(name):
                    partition, offset = int(match[1]), int(match[2])
                    ends[partition] = max(ends[partition], offset + 1)
        except FileNotFoundError as error:
            raise NotFound("log", job_id) from error
        except OSError as error:
            raise LogUnavailable(f"the log cannot be read: {error.strerror}") from error
        return ends

    def source(self, job_id: str, trained: OffsetRanges, max_blocks: int) -> StreamSource:
        """See BlockLog. The file source starts at the first file; the reader leaves out what was trained."""
        pattern = "regexp_extract(path, '([0-9]+)-([0-9]+)[.]block$', {})"
        return StreamSource(
            format="binaryFile",
            schema="path string, modificationTime timestamp, length long, content binary",
            options={
                "path": str(self._folder / job_id),
                "pathGlobFilter": "*.block",
                "maxFilesPerTrigger": str(max_blocks),
                # Else a micro-batch may be the few files left over from an earlier listing.
                "maxCachedFiles": "0",
            },
            partition=f"cast({pattern.format(1)} as int)",
            offset=f"cast({pattern.format(2)} as long)",
            block="content",
        )

    def delete(self, job_id: str) -> None:
        """See BlockLog."""
        try:
            shutil.rmtree(self._folder / job_id)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LogUnavailable(f"the log cannot be deleted: {error.strerror}") from error

    def jobs(self) -> list[str]:
        """See BlockLog."""
        try:
            return sorted(path.name for path in self._folder.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LogUnavailable(f"the log cannot be listed: {error.strerror}") from error
