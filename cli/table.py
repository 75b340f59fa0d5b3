"""Rows under headings, no wider than the terminal that they are for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

_GAP = "  "
_CUT = "…"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], spare: Sequence[str] = ()) -> None:
    """Prints rows under their headings, in columns as wide as what is in them.

    On a terminal a column that says nothing of any row is left out; if it is too narrow, the `spare` ones go,
    in that order, until the others fit; if they never do, lines are cut.
    """
    width = _terminal_columns()
    shown = [
        [name, *map(str, cells)]
        for name, cells in zip(columns, _columns(rows, len(columns)), strict=True)
        if width is None or not rows or any(map(str, cells))
    ]
    for name in spare:
        if width is None or _width(shown) <= width:
            break
        shown = [column for column in shown if column[0] != name]
    padded = [[cell.ljust(_widest(column)) for cell in column] for column in shown]
    for line in zip(*padded, strict=True):
        print(_cut(_GAP.join(line).rstrip(), width))


def _columns(rows: Sequence[Sequence[object]], count: int) -> Sequence[Sequence[object]]:
    return list(zip(*rows, strict=True)) if rows else [()] * count


def _terminal_columns() -> int | None:
    """None if the output goes to a file or to another program, which gets all of it."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _widest(column: Sequence[str]) -> int:
    return max(map(len, column))


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(map(_widest, columns)) + len(_GAP) * (len(columns) - 1)


def _cut(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else line[: width - 1] + _CUT
