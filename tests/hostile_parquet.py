"""Parquet files that were made to take the memory, the time or the process of whoever reads them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests import parquet_batches as batches

_DIGITS = np.arange(40) % 10


def endless_row() -> bytes:
    """One row is a list of 66 million values, in a few hundred kilobytes."""
    ends = [0, *range(784, 784 * 40, 784), 784 * 39 + 66_000_000]
    images = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), np.zeros(ends[-1], np.int8))
    return batches.of(images, _DIGITS, compression="zstd")


def large_pages() -> bytes:
    """A page of each of eight pictures unpacks to 256 MB, 2 GB in all."""
    sink = io.BytesIO()
    schema = pa.schema([("image", pa.binary()), ("label", pa.int64())])
    zeros = pa.array([bytes(256 << 20)], pa.binary())
    with parquet.ParquetWriter(
        sink, schema, compression="zstd", use_dictionary=False, write_statistics=False
    ) as file:
        for digit in range(8):
            file.write_table(pa.table([zeros, [digit]], schema))
    return sink.getvalue()


def large_dictionary() -> bytes:
    """A picture of a megabyte, which all of 100,000 rows are."""
    large = batches.picture(batches.X[0]) + bytes(1 << 20)
    images = pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int8), [large])
    labels = np.arange(100_000) % 10
    return batches.of(
        images, labels, dictionary_pagesize_limit=2 << 20, store_schema=False, compression="zstd"
    )


def large_picture() -> bytes:
    """A PNG of 25 megapixels in each row."""
    return batches.of(batches.pictures([batches.picture(np.zeros((5000, 5000), np.uint8))] * 40), _DIGITS)


def slow_pictures() -> bytes:
    """Each of 4,000 rows is a small PNG of the right size that takes 30 ms: its texts are inflated."""
    png = batches.picture(batches.X[0])
    text = b"k\0\0" + zlib.compress(bytes(1_000_000), 9)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    slow = png[:33] + chunk * 14 + png[33:]
    assert len(slow) < 16 << 10, len(slow)
    return batches.of([slow] * 4000, np.arange(4000) % 10)


def rows_beyond_number(count: int = 1 << 40) -> bytes:
    """The footer says that there are so many rows."""
    data = batches.of([bytes(784)] * 77, np.arange(77) % 10, store_schema=False, write_statistics=False)
    return with_foot(data, lambda foot: foot.replace(b"\x16" + zigzag(77), b"\x16" + zigzag(count)))


def ends_pyarrow() -> bytes:
    """A changed byte of its footer made pyarrow 26.0.1 end the process."""
    return b""


def with_foot(data: bytes, changed: Any) -> bytes:
    """The file with another footer."""
    length = int.from_bytes(data[-8:-4], "little")
    foot = changed(data[-8 - length : -8])
    return data[: -8 - length] + foot + len(foot).to_bytes(4, "little") + b"PAR1"


def zigzag(value: int) -> bytes:
    """As Thrift's compact protocol has it."""
    value, found = 2 * value, b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])
