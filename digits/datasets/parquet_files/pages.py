"""What the pages of a Parquet file hold by their own headers, before anything makes room for it.

A page unpacks to what its header says, which may be 2 GB, and a row of lists goes on for as long as its
levels do, whatever the file's footer says. Headers are as in parquet-format, src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from digits.datasets.parquet_files.levels import Rows
from digits.datasets.parquet_files.thrift import Compact, Struct, count, inner

_MAX_HEADER_BYTES = 64 << 10
_USUAL_HEADER_BYTES = 1 << 10
# What a page counts as: a multitude of empty ones takes time.
_LEAST_BYTES = 1 << 10

# Fields of a ColumnMetaData.
_CODEC, _VALUES, _UNPACKED, _PACKED, _DATA_AT, _DICTIONARY_AT = 4, 5, 6, 7, 9, 11
_PLAIN_CODEC = 0
# Of the others, Hadoop's LZ4 has a framing of its own, and LZO is nobody's any more.
_CODECS = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}

# Fields of a PageHeader.
_KIND, _UNCOMPRESSED_SIZE, _COMPRESSED_SIZE = 1, 2, 3
# Kinds of pages, and where in the header it says what one holds.
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADER_OF = {_DATA: 5, _DATA_V2: 8}
_NUM_VALUES, _LEVELS_BYTES_V2 = 1, 6
_ENCODING, _LEVELS_ENCODING = {_DATA: 2, _DATA_V2: 4}, 4
_RLE = 3
# All but DELTA_BYTE_ARRAY, of which each value may repeat any length of the one before: a few bytes become
# gigabytes.
_ENCODINGS = {0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 5: "DELTA_BINARY_PACKED"}
_ENCODINGS |= {6: "DELTA_LENGTH_BYTE_ARRAY", 8: "RLE_DICTIONARY", 9: "BYTE_STREAM_SPLIT"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """The pages of one column of a row group: from where to where, how packed, how many bytes and values."""

    start: int
    end: int
    codec: int
    unpacked_bytes: int
    value_count: int

    @classmethod
    def of(cls, column: Struct) -> Chunk:
        """As a ColumnMetaData says it; raises ValueError."""
        start = count(column, _DATA_AT)
        if _DICTIONARY_AT in column and 0 < count(column, _DICTIONARY_AT) < start:
            start = count(column, _DICTIONARY_AT)
        sizes = count(column, _UNPACKED), count(column, _VALUES)
        return cls(start, start + count(column, _PACKED), count(column, _CODEC), *sizes)

    def check(self, stream: IO[bytes], byte_limit: int, depth: int) -> int:
        """Returns about how many bytes the pages unpack to; `depth` is how often lists are nested in a row.

        Raises ValueError for more than the limit, for rows that are too long, and if it is not as they say.
        """
        values, unpacked, rows = 0, 0, Rows(depth)
        for page, at in self._pages(stream):
            unpacked += max(count(page, _UNCOMPRESSED_SIZE), count(page, _COMPRESSED_SIZE), _LEAST_BYTES)
            if unpacked > byte_limit:
                raise ValueError("its pages unpack to more than its footer says")
            if count(page, _KIND) == _DICTIONARY:
                continue
            said = _said(page)
            if depth:
                stream.seek(at)
                rows.add(self._levels(stream, page, said), count(said, _NUM_VALUES))
            values += count(said, _NUM_VALUES)
            if values >= self.value_count:
                break
        if values != self.value_count:
            raise ValueError("its pages hold another number of values than its footer says")
        return unpacked

    def _pages(self, stream: IO[bytes]) -> Iterator[tuple[Struct, int]]:
        """Their headers, and where what they are about begins."""
        at = self.start
        while at < self.end:
            page, length = _header(stream, at)
            begin = at + length
            at = begin + count(page, _COMPRESSED_SIZE)
            if at > self.end:
                raise ValueError("a page is not where its column says")
            yield page, begin

    def _levels(self, stream: IO[bytes], page: Struct, said: Struct) -> bytes:
        """What says where the rows of a page begin; the stream is at the page's first byte."""
        if count(page, _KIND) == _DATA_V2:
            return stream.read(min(count(said, _LEVELS_BYTES_V2), count(page, _COMPRESSED_SIZE)))
        if count(said, _LEVELS_ENCODING) != _RLE:
            raise ValueError("its levels are not encoded as RLE")
        data = stream.read(count(page, _COMPRESSED_SIZE))
        if self.codec != _PLAIN_CODEC:
            if self.codec not in _CODECS:
                raise ValueError("it is packed as LZ4 of Hadoop; allowed are snappy, gzip, zstd and brotli")
            unpacked_bytes = count(page, _UNCOMPRESSED_SIZE)
            data = pa.Codec(_CODECS[self.codec]).decompress(data, unpacked_bytes, asbytes=True)
        return data[4 : 4 + int.from_bytes(data[:4], "little")]


def _said(page: Struct) -> Struct:
    """What a page of data says of itself; raises ValueError for one of another kind or encoding."""
    kind = count(page, _KIND)
    if kind not in _HEADER_OF:
        raise ValueError("a page is neither data nor a dictionary")
    said = inner(page, _HEADER_OF[kind])
    if count(said, _ENCODING[kind]) not in _ENCODINGS:
        raise ValueError(f"its encoding is not one of {', '.join(_ENCODINGS.values())}")
    return said


def _header(stream: IO[bytes], at: int) -> tuple[Struct, int]:
    """A page's header and its length; raises ValueError if it is none."""
    for size in (_USUAL_HEADER_BYTES, _MAX_HEADER_BYTES):
        stream.seek(at)
        reader = Compact(stream.read(size))
        try:
            return reader.struct(), reader.at
        except IndexError:
            continue
    raise ValueError("a page's header is damaged")
