"""A batch of a Parquet file's rows → their labels, their pixels, or which row is wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import compute, types

from digits.datasets.arrays import IMAGE_SHAPES, Rows
from digits.datasets.parquet_files.columns import is_bytes, is_list
from digits.datasets.parquet_files.pictures import pixels_of
from digits.pixels import PIXELS_PER_IMAGE


class WrongRow(ValueError):
    """A row that is wrong, from the batch's first."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row


def labels_in(column: pa.Array) -> Rows:
    """Returns (n,) numbers; raises WrongRow for a row that is null, or a text that is no number."""
    _check_no_null(column, [])
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_string(column.type) or types.is_large_string(column.type):
        is_digit = compute.match_substring_regex(column, r"^\d(\.0)?$").to_numpy(zero_copy_only=False)
        if not is_digit.all():
            at = int(np.argmin(is_digit))
            raise WrongRow(at, f"is {column[at].as_py()[:20]!r}; allowed are the digits 0 to 9")
        column = column.cast(pa.float64())
    values: Rows = column.to_numpy(zero_copy_only=False)
    return values


def pixels_in(column: pa.Array) -> Rows:
    """Returns (n, 784) pixels, or (n,) of a column of numbers, of a type of theirs; raises WrongRow."""
    _check_no_null(column, [])
    values = column.field("bytes") if types.is_struct(column.type) else column
    if is_bytes(values.type):
        return _of_pictures(values)
    shape: list[int] = []
    while is_list(values.type):
        _check_no_null(values, shape)
        shape.append(_length(values, shape))
        values = values.flatten()
    _check_no_null(values, shape)
    numbers: Rows = values.to_numpy(zero_copy_only=False)
    if not shape:
        return numbers
    if tuple(shape) not in IMAGE_SHAPES:
        raise WrongRow(0, f"has the shape {tuple(shape)}; allowed are (784,) and (28, 28)")
    return numbers.reshape(-1, PIXELS_PER_IMAGE)


def _length(lists: pa.Array, shape: list[int]) -> int:
    """How long each is, which is the same for all."""
    if types.is_fixed_size_list(lists.type):
        return int(lists.type.list_size)
    lengths = lists.value_lengths().to_numpy(zero_copy_only=False)
    usual = int(np.median(lengths)) if len(lengths) else 0
    if (lengths == usual).all():
        return usual
    at = int(np.argmax(lengths != usual))
    raise WrongRow(
        at // int(np.prod(shape, initial=1)), f"has {lengths[at]} values where others have {usual}"
    )


def _of_pictures(values: pa.Array) -> Rows:
    _check_no_null(values, [])
    pixels = np.empty((len(values), PIXELS_PER_IMAGE), np.uint8)
    for at, value in enumerate(values):
        try:
            pixels[at] = pixels_of(value.as_py())
        except ValueError as error:
            raise WrongRow(at, str(error)) from error
    return pixels


def _check_no_null(values: pa.Array, shape: list[int]) -> None:
    if values.null_count:
        first = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
        raise WrongRow(first // int(np.prod(shape, initial=1)), "is null, or has a null in it")
