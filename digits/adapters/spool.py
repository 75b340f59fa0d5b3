"""A log in a folder: one file a block, which Spark's file source streams."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from digits.adapters.full_disk import means_full
from digits.adapters.removal import folder_names, remove_folder
from digits.errors import LogFull, LogLost, LogUnavailable
from digits.offsets import OffsetRanges
from digits.ports import StreamSource

_NAME = re.compile(r"(\d+)-(\d+)\.block")
_PARTITIONS = ".partitions"


class SpoolLog:
    """A block's file is named by its offset, and appears by hard link, so that a reader sees each whole.

    Blocks outlive the process that appended them; they are not synced to disk one by one, since
    a batch can be appended again from where it came from.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, job_id: str, partition_count: int) -> None:
        """See BlockLog. A log that does not say how many partitions it has is made anew."""
        folder = self._folder / job_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not _partition_count(folder):
                for unreadable in folder.iterdir():
                    unreadable.unlink(missing_ok=True)
                _write(folder / _PARTITIONS, str(partition_count).encode("ascii"), sync=True)
        except OSError as error:
            raise _unavailable("the log cannot be made", error) from error

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        """See BlockLog."""
        folder = self._folder / job_id
        before = folder / _name(partition, first_offset - 1)
        if first_offset and not before.exists():
            raise LogLost(job_id, f"ends before offset {first_offset} of partition {partition}")
        try:
            for offset, block in enumerate(blocks, first_offset):
                _write(folder / _name(partition, offset), block)
        except FileNotFoundError as error:
            raise LogLost(job_id) from error
        except OSError as error:
            raise _unavailable("the log cannot take a block", error) from error

    def end_offsets(self, job_id: str) -> list[int]:
        """See BlockLog."""
        folder = self._folder / job_id
        try:
            ends = [0] * _partition_count(folder)
            names = [path.name for path in folder.iterdir()] if ends else []
        except OSError as error:
            raise _unavailable("the log cannot be read", error) from error
        if not ends:
            raise LogLost(job_id)
        there = {(int(match[1]), int(match[2])) for match in filter(None, map(_NAME.fullmatch, names))}
        for partition in range(len(ends)):
            # Up to the first gap, as there is if somebody removed files.
            while (partition, ends[partition]) in there:
                ends[partition] += 1
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
            remove_folder(self._folder / job_id)
        except OSError as error:
            raise _unavailable("the log cannot be deleted", error) from error

    def jobs(self) -> list[str]:
        """See BlockLog."""
        try:
            return folder_names(self._folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unavailable("the logs cannot be listed", error) from error


def _name(partition: int, offset: int) -> str:
    return f"{partition:04d}-{offset:012d}.block"


def _partition_count(folder: Path) -> int:
    """0 if the folder does not say, as after a disk that was full or lost its power."""
    try:
        text = (folder / _PARTITIONS).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return 0
    return int(text) if text.isdecimal() else 0


def _write(target: Path, data: bytes, *, sync: bool = False) -> None:
    """Has the file appear whole or not at all; one that is there stays as it is."""
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _unavailable(what: str, error: OSError) -> LogUnavailable:
    kind = LogFull if means_full(error) else LogUnavailable
    return kind(f"{what}: {error.strerror}")
