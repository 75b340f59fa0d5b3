"""The columns of a Parquet file that are read, and how much of them may be in memory at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from pyarrow import parquet

from digits.datasets.parquet_files.footer import Footer

# MNIST's 70,000 images in one row group take 55 MB as they are packed.
MAX_GROUP_BYTES = 64 << 20

_SHOWN = 60
_LONGEST = 120
_SMALLER = "write smaller ones, as to_parquet(…, row_group_size=10_000) does"


@dataclass(frozen=True)
class _Leaf:
    """A column as it is stored, by its number; `depth` is how often lists are nested in it."""

    number: int
    path: str
    depth: int


@dataclass(frozen=True)
class Leaves:
    """The columns that are read, of a file whose footer was."""

    footer: Footer
    leaves: tuple[_Leaf, ...]

    @classmethod
    def below(cls, footer: Footer, file: parquet.ParquetFile, paths: Sequence[str]) -> Leaves:
        """Those at the paths, or below them."""
        wanted, found = set(paths), []
        for number in range(len(file.schema)):
            column = file.schema.column(number)
            if _within(column.path, wanted):
                found.append(_Leaf(number, column.path, int(column.max_repetition_level)))
        if any(len(chunks) != len(file.schema) for _, chunks in footer.groups):
            raise ValueError("its footer is damaged: a row group has not each column")
        return cls(footer, tuple(found))

    def check(self) -> None:
        """Raises ValueError for row groups that hold more than may be in memory, or less than they say."""
        for group, (rows, chunks) in enumerate(self.footer.groups):
            unpacked = sum(chunks[leaf.number].unpacked_bytes for leaf in self.leaves)
            if unpacked > MAX_GROUP_BYTES:
                allowed = f"at most {MAX_GROUP_BYTES:,} are allowed: {_SMALLER}"
                raise ValueError(f"row group {group} unpacks to {unpacked:,} bytes; {allowed}")
            if any(chunks[leaf.number].value_count != rows for leaf in self.leaves if not leaf.depth):
                raise ValueError("its footer is damaged: a column has another number of values than of rows")

    def check_pages(self, stream: IO[bytes], group: int) -> None:
        """Raises ValueError if a row group's pages unpack to more than may be, or a row is too long."""
        left = MAX_GROUP_BYTES
        for leaf in self.leaves:
            try:
                left -= self.footer.groups[group][1][leaf.number].check(stream, left, leaf.depth)
            except ValueError as error:
                raise ValueError(f"column {leaf.path[:_SHOWN]} in row group {group}: {error}") from error


def _within(path: str, wanted: set[str]) -> bool:
    # The names of columns that are read are shorter; others may have a million dots.
    parts = path[:_LONGEST].split(".")
    return any(".".join(parts[: length + 1]) in wanted for length in range(len(parts)))
