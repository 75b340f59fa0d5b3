"""Connected marks of ink on a page, and which of them are the digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

# A digit's parts may be apart (the bar of a 5), yet each is a good part of the largest.
_MIN_SHARE_OF_LARGEST = 0.08
# Smaller than this share of the picture's longer side, it is dirt.
_MIN_SHARE_OF_PICTURE = 0.03


@dataclass(frozen=True)
class Box:
    """Rows top ≤ y < bottom, columns left ≤ x < right."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def longer_side(self) -> int:
        """In pixels."""
        return max(self.bottom - self.top, self.right - self.left)


@dataclass(frozen=True)
class Marks:
    """Where the digit's ink is, (H, W) bool, and the box around it."""

    mask: Mask
    box: Box


def digit_components(mask: Mask, edge_allowed: bool) -> Marks | None:
    """Returns the marks that are the digit, or None where all are specks.

    Marks that touch the picture's edge (a table beside the paper, a shadow) are left out where one of
    at least a tenth of the size is free of it, and in any case unless `edge_allowed`.
    """
    labels, count = label(mask)
    if not count:
        return None
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    free = areas.copy()
    free[edge] = 0
    candidates = areas if edge_allowed and free.max() < areas.max() / 10 else free
    if not candidates.any():
        return None
    kept = candidates >= max(1.0, candidates.max() * _MIN_SHARE_OF_LARGEST)
    chosen = kept[labels]
    box = _box(chosen)
    if box.longer_side < max(3.0, _MIN_SHARE_OF_PICTURE * max(mask.shape)):
        return None
    return Marks(chosen, box)


def label(mask: Mask) -> tuple[NDArray[np.int32], int]:
    """Numbers the 8-connected marks from 1, in (H, W) int32 with 0 elsewhere; returns how many there are.

    Runs of each row are joined with the runs they touch in the row above (union-find).
    """
    rows, starts, ends = _runs(mask)
    parents = list(range(len(rows)))
    first_of_row = np.searchsorted(rows, np.arange(mask.shape[0] + 1)).tolist()
    for row in range(1, mask.shape[0]):
        _join_rows(
            range(*first_of_row[row - 1 : row + 1]),
            range(*first_of_row[row : row + 2]),
            starts,
            ends,
            parents,
        )
    roots = np.array([_root(parents, run) for run in range(len(rows))], np.int64)
    unique, numbers = np.unique(roots, return_inverse=True)
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(numbers + 1, np.subtract(ends, starts))
    return labels, len(unique)


def _runs(mask: Mask) -> tuple[NDArray[np.int64], list[int], list[int]]:
    """Row, start and end (exclusive) of every run of true pixels, in reading order."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    return rows, starts.tolist(), ends.tolist()


def _join_rows(above: range, below: range, starts: list[int], ends: list[int], parents: list[int]) -> None:
    upper, lower = above.start, below.start
    while upper < above.stop and lower < below.stop:
        if starts[upper] <= ends[lower] and starts[lower] <= ends[upper]:
            parents[_root(parents, lower)] = _root(parents, upper)
        if ends[upper] < ends[lower]:
            upper += 1
        else:
            lower += 1


def _root(parents: list[int], run: int) -> int:
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


def _box(mask: Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
