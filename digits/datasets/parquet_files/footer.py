"""A Parquet file's footer: read within limits.

It is read here and not asked of pyarrow, whose `RowGroupMetaData.column` ends the process for some damaged
footers (26.0.1: a C++ exception that nobody catches, such as "Definition level histogram size mismatch").
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from pyarrow import parquet

from digits.datasets.parquet_files.pages import Chunk
from digits.datasets.parquet_files.thrift import Compact, Struct, count, inner, structs
from digits.file_kinds import kind_of

# 785 columns take 100 KB a row group, and 200 KB for what pandas says of them.
MAX_FOOTER_BYTES = 2 << 20
# Columns, or row groups.
_MAX_ELEMENTS = 20_000
# A list takes two levels, and a struct one.
_MAX_DEPTH = 16
# Where there are few columns, of each; 784 are read whole, one after another.
_BYTES_PER_READ = 1 << 20
_FEW_COLUMNS = 8

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_TAIL_BYTES = 8

# Fields of a FileMetaData, a RowGroup and a ColumnChunk.
_FILE_ROWS, _GROUPS, _ENCRYPTION = 3, 4, 8
_COLUMNS, _ROWS = 1, 3
_OTHER_FILE, _COLUMN, _KEY, _ENCRYPTED_COLUMN = 1, 3, 8, 9


def opened(stream: IO[bytes], column_count: int = 1, of_bytes: Sequence[str] = ()) -> parquet.ParquetFile:
    """Has pyarrow read the footer, and later so many columns; `of_bytes`, what is alike is there once.

    Raises whatever pyarrow does.
    """
    return parquet.ParquetFile(
        stream,
        pre_buffer=False,
        buffer_size=_BYTES_PER_READ if column_count <= _FEW_COLUMNS else 0,
        read_dictionary=list(of_bytes),
        thrift_string_size_limit=MAX_FOOTER_BYTES,
        thrift_container_size_limit=_MAX_ELEMENTS,
        schema_depth_limit=_MAX_DEPTH,
        page_checksum_verification=True,
        arrow_extensions_enabled=False,
    )


@dataclass(frozen=True)
class Footer:
    """How many rows a file has, and each of its row groups with a chunk of each column."""

    rows: int
    groups: tuple[tuple[int, tuple[Chunk, ...]], ...]

    @classmethod
    def of(cls, stream: IO[bytes]) -> Footer:
        """Raises ValueError for what is no Parquet file, encrypted, cut off or damaged."""
        try:
            fields = Compact(_footer(stream)).struct()
        except IndexError as error:
            raise ValueError("its footer is damaged") from error
        if _ENCRYPTION in fields:
            raise ValueError("it is encrypted: write it without")
        groups = tuple(_group(group) for group in structs(fields, _GROUPS))
        if sum(rows for rows, _ in groups) != count(fields, _FILE_ROWS):
            raise ValueError("its footer is damaged: it has not as many rows as its row groups")
        return cls(count(fields, _FILE_ROWS), groups)


def _group(group: Struct) -> tuple[int, tuple[Chunk, ...]]:
    return count(group, _ROWS), tuple(_chunk(chunk) for chunk in structs(group, _COLUMNS))


def _chunk(chunk: Struct) -> Chunk:
    if _KEY in chunk or _ENCRYPTED_COLUMN in chunk:
        raise ValueError("it is encrypted: write it without")
    if _OTHER_FILE in chunk:
        raise ValueError("its columns are in other files")
    return Chunk.of(inner(chunk, _COLUMN))


def _footer(stream: IO[bytes]) -> bytes:
    head = stream.read(1024)
    if not head.startswith((_MAGIC, _ENCRYPTED)):
        kind = kind_of(head)
        raise ValueError(f"it is not Parquet{f', but {kind}' if kind else ''}")
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _TAIL_BYTES))
    tail = stream.read(_TAIL_BYTES)
    if head.startswith(_ENCRYPTED) or tail.endswith(_ENCRYPTED):
        raise ValueError("it is encrypted: write it without")
    length = int.from_bytes(tail[:4], "little")
    if not tail.endswith(_MAGIC) or not 0 < length <= size - _TAIL_BYTES - len(_MAGIC):
        raise ValueError("it is cut off, or damaged: it does not end as Parquet does")
    if length > MAX_FOOTER_BYTES:
        problem = f"its footer has {length:,} bytes, and at most {MAX_FOOTER_BYTES:,} are allowed"
        raise ValueError(f"{problem}: write larger row groups, or several files")
    stream.seek(size - _TAIL_BYTES - length)
    return stream.read(length)
