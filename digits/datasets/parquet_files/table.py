"""Reads a Parquet file as Hugging Face and pandas write it: labels, and images in one column or 784."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import parquet, types

from digits.datasets.arrays import Rows
from digits.datasets.labels import checked
from digits.datasets.parquet_files.columns import Columns, NoColumns, columns_of, no_labels
from digits.datasets.parquet_files.frames import LABEL_ROWS, PIXEL_ROWS
from digits.datasets.parquet_files.rows import WrongRow, labels_in, pixels_in

# Of a column that is read; of 784 of them, 25 MB.
_BUFFER_BYTES = 32 << 10
_NAMED, _SHOWN = 40, 20


class Table:
    """An open file; raises whatever pyarrow does for one that is damaged, and MemoryError."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = parquet.ParquetFile(
            file, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True
        )
        self._schema: pa.Schema = self._file.schema_arrow
        self._columns, self._faults = Columns("", ()), tuple[str, ...]()
        try:
            self._columns = columns_of(self._schema)
        except NoColumns as error:
            self._faults = error.faults

    def described(self) -> bytes:
        """What it holds, as batch.Description has it."""
        columns = self._columns
        used, names = {columns.labels, *columns.images}, self._schema.names
        found = [f"{field.name[:_NAMED]} {str(field.type)[:_NAMED]}" for field in self._schema]
        said = {
            "row_count": self._file.metadata.num_rows,
            "columns": str(columns) if columns.labels else "",
            "no_labels": "" if self._faults or columns.labels else no_labels(self._schema),
            "faults": self._faults,
            "unused": [name[:_NAMED] for name in names if name not in used][:_SHOWN],
            "found": found[:_SHOWN],
        }
        return json.dumps(said).encode()

    def labels(self) -> Iterator[Rows]:
        """Yields all labels, (n,) uint8; raises ValueError, which names the row, for one that is no digit."""
        name = self._columns.labels
        for start, batch in self._batches([name], LABEL_ROWS):
            yield checked(_of(labels_in, batch, name, start), name, start)

    def pixels(self) -> Iterator[Rows]:
        """Yields all pixels, (n, 784) of uint8, int64 or floats; raises ValueError, which names the row."""
        names = self._columns.images
        for start, batch in self._batches([self._path(name) for name in names], PIXEL_ROWS):
            parts = [_of(pixels_in, batch, name, start) for name in names]
            yield _usual(parts[0] if len(parts) == 1 else np.column_stack(parts))

    def _path(self, name: str) -> str:
        """Where a column's values are in the file: of a picture the bytes alone."""
        return f"{name}.bytes" if types.is_struct(self._schema.field(name).type) else name

    def _batches(self, paths: list[str], at_once: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yields the number of the first row, and some rows, at least one."""
        start = 0
        for batch in self._file.iter_batches(at_once, columns=paths, use_threads=False):
            if len(batch):
                yield start, batch
            start += len(batch)


def _of(values_in: Callable[[pa.Array], Rows], batch: pa.RecordBatch, name: str, start: int) -> Rows:
    try:
        return values_in(batch.column(name))
    except WrongRow as wrong:
        raise ValueError(f"row {start + wrong.row:,} of column {name[:_NAMED]} {wrong}") from wrong


def _usual(values: Rows) -> Rows:
    if values.dtype.kind == "f":
        return values.astype("<f8" if values.dtype.itemsize == 8 else "<f4", copy=False)
    return values if values.dtype == np.uint8 else values.astype("<i8", copy=False)
