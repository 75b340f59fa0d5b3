"""Reads Parquet as Hugging Face and pandas write it: a column of labels, and images in one column or 784."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from digits.datasets.array_names import TEST, part_of
from digits.datasets.arrays import Rows
from digits.datasets.findings import PARQUET
from digits.datasets.intake import Intake
from digits.datasets.labels import checked
from digits.datasets.parquet_files.columns import Columns, NoColumns, columns_of, no_labels
from digits.datasets.parquet_files.footer import Footer, opened
from digits.datasets.parquet_files.leaves import Leaves
from digits.datasets.parquet_files.rows import has_bytes, labels_in, path_of, pixels_in
from digits.datasets.shards import reading
from digits.datasets.source import Source
from digits.datasets.unpacking import ratio_fault
from digits.errors import InvalidInput
from digits.pixels import PIXELS_PER_IMAGE, Pixels

# 3 MB of pixels, if they are of 64 bits.
_ROWS_AT_ONCE = 512
_LABELS_AT_ONCE = 65_536
_NAMED = 40


def read_parquet(source: Source, intake: Intake) -> None:
    """Hands one file's images to the intake, or what keeps them from being a batch."""
    intake.findings.right = PARQUET
    try:
        table = _Table(source)
        labels = table.labels(intake)
    except NoColumns as error:
        for fault in error.faults:
            intake.findings.fault(f"in {source.name} {fault}")
        return
    except InvalidInput as error:
        intake.findings.fault(error.problem)
        return
    if labels is not None:
        intake.findings.note(source.name, f"{len(labels):,} rows of {table.columns}")
        byte_count = len(labels) * (PIXELS_PER_IMAGE + 1)
        intake.take(part_of(source.name), source.name, labels, table.rows, byte_count)


class _Table:
    """A file whose footer was read; raises InvalidInput for one that is damaged."""

    def __init__(self, source: Source) -> None:
        self._source = source
        with self._reading(), source.open() as stream:
            self._count = Footer.of(stream).rows
            self._schema: pa.Schema = opened(stream).schema_arrow
        self.columns = Columns("", ())

    def labels(self, intake: Intake) -> Pixels | None:
        """All of them; None if the file is not used, or has more images than may be."""
        with self._reading():
            self._find_columns(intake)
        byte_count = self._count * (PIXELS_PER_IMAGE + 1)
        if not self.columns.labels or not intake.has_room(self._source.name, byte_count):
            return None
        with self._reading():
            if not self._count:
                raise ValueError("it has no row")
            if fault := ratio_fault(byte_count, self._source.size()):
                raise ValueError(fault)
            with self._source.open() as stream:
                self._leaves(stream, opened(stream), self.columns.all).check()
        return self._labels()

    def _find_columns(self, intake: Intake) -> None:
        """Raises NoColumns, after what there is has been said."""
        try:
            self.columns = columns_of(self._schema)
        except NoColumns:
            self._say_columns(intake)
            raise
        if not self.columns.labels:
            # Kaggle's test.csv has none, and is not meant to be learned from.
            if part_of(self._source.name) != TEST:
                self._say_columns(intake)
                raise NoColumns(no_labels(self._schema))
            intake.findings.note(self._source.name, "not used: it has no label column")
            return
        used = set(self.columns.all)
        intake.findings.unused(
            f"{name[:_NAMED]} of {self._source.name}" for name in self._schema.names if name not in used
        )

    def _say_columns(self, intake: Intake) -> None:
        for column in self._schema:
            intake.findings.found(f"{column.name[:_NAMED]} {str(column.type)[:_NAMED]}")

    def _labels(self) -> Pixels:
        found: list[Pixels] = []
        title = f"{self.columns.labels} of {self._source.name}"
        for start, batch in self._batches((self.columns.labels,), _LABELS_AT_ONCE):
            try:
                with self._reading():
                    values = labels_in(batch.column(self.columns.labels), self.columns.labels, start)
                found.append(checked(values, title, start))
            except ValueError as error:
                raise InvalidInput(self._source.field, str(error)) from error
        return np.concatenate(found)

    def rows(self) -> Iterator[Rows]:
        """Yields the pixels, (n, 784) of a type of numbers; raises InvalidInput, which names the row."""
        names = self.columns.images
        for start, batch in self._batches(names, _ROWS_AT_ONCE):
            with self._reading():
                pixels = pixels_in([batch.column(name) for name in names], names, start)
            yield pixels

    def _batches(self, names: tuple[str, ...], at_once: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yields the number of the first row, and rows."""
        start = 0
        with closing(self._record_batches(names, at_once)) as batches:
            while True:
                with self._reading():
                    batch = next(batches, None)
                    if batch is None and start != self._count:
                        raise ValueError(f"it has {start:,} rows, and its footer says {self._count:,}")
                if batch is None:
                    return
                yield start, batch
                start += len(batch)

    def _record_batches(self, names: tuple[str, ...], at_once: int) -> Generator[pa.RecordBatch, None, None]:
        try:
            yield from self._read_groups(names, at_once)
        finally:
            # Arrow's pool would keep what a row group took: 60 MB after 20,000 pictures.
            pa.default_memory_pool().release_unused()

    def _read_groups(self, names: tuple[str, ...], at_once: int) -> Iterator[pa.RecordBatch]:
        paths = [path_of(self._schema, name) for name in names]
        with self._source.open() as stream:
            of_bytes = [
                path for name, path in zip(names, paths, strict=True) if has_bytes(self._schema, name)
            ]
            file = opened(stream, len(paths), of_bytes)
            leaves = self._leaves(stream, file, names)
            leaves.check()
            for group in range(len(leaves.footer.groups)):
                leaves.check_pages(stream, group)
                yield from file.iter_batches(at_once, [group], paths, use_threads=False)

    def _leaves(self, stream: IO[bytes], file: parquet.ParquetFile, names: tuple[str, ...]) -> Leaves:
        stream.seek(0)
        paths = [path_of(self._schema, name) for name in names]
        return Leaves.below(Footer.of(stream), file, paths)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Pyarrow raises errors of its own, and KeyError and others for what it did not expect."""
        with reading(self._source.name, self._source.field):
            try:
                yield
            except (pa.ArrowException, LookupError, TypeError, MemoryError) as error:
                raise ValueError(_damage(error)) from error


def _damage(error: Exception) -> str:
    """What pyarrow says of a file, in a line."""
    said = str(error).partition("\n")[0][:150]
    return said if isinstance(error, pa.ArrowException) and said else "the file is damaged"
