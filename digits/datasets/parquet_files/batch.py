"""Hands the images of a Parquet file to a batch. What the process that reads it answers is not believed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np

from digits.datasets.array_names import TEST, part_of
from digits.datasets.arrays import Rows
from digits.datasets.findings import PARQUET
from digits.datasets.intake import Intake
from digits.datasets.labels import checked
from digits.datasets.parquet_files import frames
from digits.datasets.parquet_files.ahead import Ahead
from digits.datasets.parquet_files.reader import Reader, ReaderProcess
from digits.datasets.shards import reading
from digits.datasets.source import Source
from digits.datasets.unpacking import ratio_fault
from digits.errors import InvalidInput
from digits.file_kinds import HEAD_BYTES, kind_of
from digits.pixels import PIXELS_PER_IMAGE, Pixels

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_TYPES = frozenset({"|u1", "<i8", "<f4", "<f8"})


def read_parquet(sources: Iterable[Source], intake: Intake) -> None:
    """Hands the images of a batch's files to the intake, or what keeps them from being one."""
    intake.findings.right = PARQUET
    with closing(Reader()) as reader:
        for source in sources:
            # A file that ended its process may not be the only one.
            if not reader.was_ended:
                _take(source, reader, intake)


def _take(source: Source, reader: Reader, intake: Intake) -> None:
    file = _File(source, reader)
    try:
        labels = file.labels(intake)
    except InvalidInput as error:
        intake.findings.fault(error.problem)
        return
    if labels is not None:
        count = len(labels)
        intake.take(part_of(source.name), source.name, labels, lambda: file.rows(count), _bytes(count))


@dataclass(frozen=True)
class Description:
    """What a file holds, as `table.Table` says it: `columns` are those of labels and images, or ""."""

    row_count: int
    columns: str
    no_labels: str
    faults: Sequence[str]
    unused: Sequence[str]
    found: Sequence[str]

    @classmethod
    def of(cls, answer: tuple[bytes, bytes]) -> Description:
        """Raises ValueError for whatever else."""
        try:
            table = cls(**json.loads(answer[1]))
            texts = (table.columns, table.no_labels, *table.faults, *table.unused, *table.found)
        except TypeError as error:
            raise ValueError("no description of a file") from error
        if not isinstance(table.row_count, int) or not all(isinstance(text, str) for text in texts):
            raise ValueError("no description of a file")
        return table


@dataclass(frozen=True)
class _File:
    source: Source
    reader: Reader

    def labels(self, intake: Intake) -> Pixels | None:
        """All of them; None if the file is not used, not read, or has a fault that was said.

        Raises InvalidInput.
        """
        with reading(self.source.name, self.source.field), self.source.open() as file:
            _check_ends(file)
        with self._reading() as (process, file):
            table = Description.of(_begun(process, file, frames.TABLE))
            if not self._is_used(table, intake):
                return None
            if not intake.next_file(self.source.name):
                intake.leave_unread(part_of(self.source.name), _bytes(table.row_count))
                return None
            first = process.ask(file, frames.NEXT)
            found = [
                checked(rows[:, 0], "label", 0)
                for rows in _streamed(process, file, first, 1, table.row_count)
            ]
        intake.findings.note(self.source.name, f"{table.row_count:,} rows of {table.columns}")
        return np.concatenate(found)

    def rows(self, count: int) -> Iterator[Rows]:
        """Yields the pixels of so many images, (n, 784) of a type of numbers; raises InvalidInput."""
        with self._reading() as (process, file):
            first = _begun(process, file, frames.PIXELS)
            yield from _streamed(process, file, first, PIXELS_PER_IMAGE, count)

    @contextmanager
    def _reading(self) -> Iterator[tuple[ReaderProcess, Ahead]]:
        source = self.source
        with reading(source.name, source.field), self.reader.process() as process, source.open() as file:
            yield process, Ahead(file)

    def _is_used(self, table: Description, intake: Intake) -> bool:
        """Whether its images are; keeps why not. Raises ValueError for more than may be."""
        name, findings = self.source.name, intake.findings
        faults = list(table.faults)
        if table.no_labels and part_of(name) != TEST:
            faults.append(table.no_labels)
        for fault in faults:
            findings.fault(f"in {name} {fault}")
        if faults:
            for column in table.found:
                findings.found(column)
        elif table.no_labels:
            # Kaggle's test.csv has none, and is not meant to be learned from.
            findings.note(name, "not used: it has no label column")
        elif not table.row_count:
            # As Spark writes for a partition without any.
            findings.note(name, "not used: it has no rows")
        else:
            findings.unused(f"{column} of {name}" for column in table.unused)
            return self._fits(_bytes(table.row_count), intake)
        return False

    def _fits(self, byte_count: int, intake: Intake) -> bool:
        if fault := ratio_fault(byte_count, self.source.size()):
            raise ValueError(fault)
        return intake.has_room(self.source.name, byte_count)


def _bytes(image_count: int) -> int:
    return image_count * (PIXELS_PER_IMAGE + 1)


def _check_ends(file: IO[bytes]) -> None:
    """Raises ValueError for what is no Parquet file by its ends, and need not be asked about."""
    head = file.read(HEAD_BYTES)
    if head.startswith(_ENCRYPTED):
        raise ValueError("it is encrypted")
    if not head.startswith(_MAGIC):
        kind = kind_of(head)
        raise ValueError(f"it is not Parquet, but {kind}" if kind else "it is not Parquet")
    file.seek(max(len(_MAGIC), file.seek(0, io.SEEK_END) - len(_MAGIC)))
    if file.read() != _MAGIC:
        raise ValueError("it is cut off")


def _begun(process: ReaderProcess, file: Ahead, kind: bytes) -> tuple[bytes, bytes]:
    return process.ask(file, kind, file.size().to_bytes(8))


def _streamed(
    process: ReaderProcess, file: Ahead, answer: tuple[bytes, bytes], width: int, count: int
) -> Iterator[Rows]:
    """Yields the rows of this answer and the next, (n, width); raises ValueError unless they are `count`."""
    seen = 0
    while answer[0] == frames.ROWS and seen <= count:
        rows = _rows(answer[1], width)
        seen += len(rows)
        yield rows
        answer = process.ask(file, frames.NEXT)
    if seen != count:
        raise ValueError(f"it has {seen:,} rows, and says that it has {count:,}")


def _rows(content: bytes, width: int) -> Rows:
    of_type = content[: frames.TYPE_BYTES].decode("ascii").rstrip()
    if of_type not in _TYPES or len(content) == frames.TYPE_BYTES:
        raise ValueError("no rows")
    return np.frombuffer(content, of_type, offset=frames.TYPE_BYTES).reshape(-1, width)
