"""Labels as people store them → one digit an image."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from digits.datasets.arrays import Rows, StoredArray
from digits.pixels import CLASSES, Pixels


def label_faults(array: StoredArray) -> list[str]:
    """What keeps an array from being labels, by its shape and type, each with the way out."""
    faults = []
    allowed = "iufb" if _one_hot(array) else "iuf"
    if array.dtype.kind not in allowed:
        y = array.variable("y")
        faults.append(f"{array.title} must be integers 0 to 9, but is {array.dtype}: {y} = {y}.astype(int)")
    if not _is_column(array) and not _one_hot(array):
        shapes = f"(N,), (N, 1) or, one-hot, (N, {CLASSES})"
        faults.append(f"{array.title} must have the shape {shapes}, but has {array.shape}")
    return faults


def label_note(array: StoredArray) -> str:
    """What was accepted of the shape or the type, or nothing."""
    if _one_hot(array):
        return "one-hot rows taken as digits"
    if array.only_first:
        return f"the first of {array.shape[1]} columns taken as the digit"
    if len(array.shape) == 2:
        return f"{array.shape} taken as (N,)"
    return f"{array.dtype} taken as whole numbers" if array.dtype.kind == "f" else ""


def digits_of(array: StoredArray) -> Pixels:
    """Reads labels whole as (N,) uint8.

    Raises ValueError for one that is no digit, InvalidInput if the file is damaged.
    """
    return _joined(array.rows(), array.title, _one_hot(array))


def _joined(chunks: Iterable[Rows], title: str, one_hot: bool = False) -> Pixels:
    """Puts rows of labels together as (N,) uint8; raises ValueError for one that is no digit."""
    found: list[Pixels] = []
    start = 0
    for rows in chunks:
        values = _of_one_hot(rows, title, start) if one_hot else rows[:, 0]
        found.append(checked(values, title, start))
        start += len(rows)
    return np.concatenate(found) if found else np.empty(0, np.uint8)


def _is_column(array: StoredArray) -> bool:
    return array.only_first or len(array.shape) == 1 or array.shape[1:] == (1,)


def _one_hot(array: StoredArray) -> bool:
    return array.shape[1:] == (CLASSES,)


def _of_one_hot(rows: Rows, title: str, start: int) -> Rows:
    right = ((rows == 1).sum(axis=1) == 1) & ((rows == 0).sum(axis=1) == CLASSES - 1)
    if not right.all():
        raise ValueError(
            f"{title} must have one 1 and nine 0 in a row, but row {start + np.argmin(right)} has not"
        )
    digits: Rows = rows.argmax(axis=1)
    return digits


def checked(values: Rows, title: str, start: int) -> Pixels:
    """Returns labels as digits; raises ValueError for one that is none, counted from `start`."""
    right = (values >= 0) & (values <= 9) & (values == np.floor(values))
    if not right.all():
        first = int(np.argmin(right))
        raise ValueError(f"{title} must hold the digits 0 to 9, but label {start + first} is {values[first]}")
    return values.astype(np.uint8)
