"""Parquet files that were made to take the memory, the time or the process of whoever reads them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from tests import parquet_batches as batches

_DIGITS = np.arange(40) % 10


def _endless_row() -> bytes:
    """One row is a list of 66 million values, in a kilobyte."""
    ends = [0, *range(784, 784 * 40, 784), 784 * 39 + 66_000_000]
    images = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), np.zeros(ends[-1], np.int8))
    return batches.of(images, _DIGITS, compression="zstd")


def _large_pages() -> bytes:
    """Each page of eight unpacks to 256 MB, 2 GB in all."""
    file = io.BytesIO()
    schema = pa.schema([("image", pa.binary()), ("label", pa.int64())])
    zeros = pa.array([bytes(256 << 20)], pa.binary())
    options = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
    with parquet.ParquetWriter(file, schema, **options) as writer:
        for digit in range(8):
            writer.write_table(pa.table([zeros, [digit]], schema))
    return file.getvalue()


def _large_dictionary() -> bytes:
    """All of 40,000 rows are one picture of a megabyte."""
    large = batches.picture(batches.X[0]) + bytes(1 << 20)
    images = pa.DictionaryArray.from_arrays(np.zeros(40_000, np.int8), [large])
    options = {"dictionary_pagesize_limit": 2 << 20, "store_schema": False, "compression": "zstd"}
    return batches.of(images, np.arange(40_000) % 10, **options)


def _large_picture() -> bytes:
    """A PNG of 25 megapixels in a row, in 3 KB."""
    file = io.BytesIO()
    Image.new("1", (5000, 5000)).save(file, "PNG")
    return batches.of(batches.pictures([file.getvalue()] * 40), _DIGITS)


def _slow_pictures() -> bytes:
    """Each of 4,000 rows is a small PNG of the right size that takes 30 ms: its texts are inflated."""
    png = batches.picture(batches.X[0])
    text = b"k\0\0" + zlib.compress(bytes(1_000_000), 9)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    return batches.of([png[:33] + chunk * 14 + png[33:]] * 4000, np.arange(4000) % 10)


def _rows_without_number() -> bytes:
    """The footer says that there are 2⁴⁰ rows."""
    data = batches.of([bytes(784)] * 77, np.arange(77) % 10, store_schema=False, write_statistics=False)
    length = int.from_bytes(data[-8:-4], "little")
    foot = data[-8 - length : -8].replace(b"\x16" + _zigzag(77), b"\x16" + _zigzag(1 << 40))
    return data[: -8 - length] + foot + len(foot).to_bytes(4, "little") + b"PAR1"


def _zigzag(value: int) -> bytes:
    """As Thrift's compact protocol has it."""
    value, found = 2 * value, b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


_TOO_MUCH_MEMORY = "needs more than the 640 MB of memory that reading a Parquet file may take"
_TOO_MUCH_TIME = "it takes more than 5 s of a processor, and 0.3 ms for each image"

# How each is made, and what is said of it.
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "an endless row": (_endless_row, _TOO_MUCH_MEMORY),
    "large pages": (_large_pages, _TOO_MUCH_MEMORY),
    "a large dictionary": (_large_dictionary, "memory"),
    "a large picture": (_large_picture, "is 5000 x 5000 pixels, and must be 28 x 28"),
    "slow pictures": (_slow_pictures, _TOO_MUCH_TIME),
    "rows without number": (_rows_without_number, "unpack to 863,"),
}
