"""Where rows of lists begin: a level 0 does, and the levels until the next are its other values.

They are runs of one level, or levels packed by bits (parquet-format, Encodings.md, "RLE/Bit-Packing Hybrid").
"""

from __future__ import annotations

from digits.datasets.parquet_files.thrift import Compact

# A picture has 784. Rows are measured by the piece of packed levels that they begin in.
MAX_ROW_VALUES = 4096
_PIECE_LEVELS = 1024

MAX_DEPTH = 3
# A microsecond each. 28 lists of 28 have 60, of one list 3: 100,000 images.
MAX_RUNS = 6_000_000


class Rows:
    """Those of one column, page after page: `add` raises ValueError for one that is too long."""

    def __init__(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ValueError(f"its lists are {depth} deep, and at most {MAX_DEPTH} are allowed")
        self._width = depth.bit_length()
        self._values = self._runs = 0

    def add(self, levels: bytes, count: int) -> None:
        """Goes on with so many levels."""
        reader = Compact(levels)
        try:
            while count > 0:
                header = reader.varint()
                self._count_run(header >> 1)
                if header & 1:
                    packed = reader.take((header >> 1) * self._width)
                    count -= self._add_packed(packed, min(count, (header >> 1) * 8))
                else:
                    count -= self._add_run(reader.take(1)[0], min(count, header >> 1))
        except IndexError as error:
            raise ValueError("its levels are damaged") from error

    def _count_run(self, length: int) -> None:
        self._runs += 1
        if not length or self._runs > MAX_RUNS:
            raise ValueError(f"its levels are damaged, or more than {MAX_RUNS:,}: write smaller row groups")

    def _add_run(self, level: int, count: int) -> int:
        self._grow(count if level else min(count, 1), begins=level == 0)
        return count

    def _add_packed(self, packed: bytes, count: int) -> int:
        for start in range(0, count, _PIECE_LEVELS):
            piece = packed[start * self._width // 8 : (start + _PIECE_LEVELS) * self._width // 8]
            size = min(_PIECE_LEVELS, count - start)
            self._grow(size, begins=self._holds_0(int.from_bytes(piece, "little"), size))
        return count

    def _holds_0(self, levels: int, count: int) -> bool:
        """Whether one of the first levels is 0."""
        # A bit for each level, at its lowest one.
        ones = ((1 << count * self._width) - 1) // ((1 << self._width) - 1)
        return (levels | levels >> self._width - 1) & ones != ones

    def _grow(self, count: int, begins: bool) -> None:
        if self._values + count > MAX_ROW_VALUES:
            raise ValueError(f"it has a row of more than {MAX_ROW_VALUES:,} values")
        self._values = count if begins else self._values + count
