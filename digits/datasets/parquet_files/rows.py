"""A batch of a Parquet file's rows → their labels, their pixels, or which row is wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import types

from digits.datasets.arrays import IMAGE_SHAPES, Rows
from digits.datasets.parquet_files.pictures import pixels_of
from digits.datasets.parquet_files.types import is_bytes, is_list
from digits.pixels import PIXELS_PER_IMAGE


def path_of(schema: pa.Schema, column: str) -> str:
    """Where a column's values are in the file: of a picture the bytes alone."""
    kind = schema.field(column).type
    return f"{column}.bytes" if types.is_struct(kind) else column


def has_bytes(schema: pa.Schema, column: str) -> bool:
    """Whether a column's values are bytes."""
    kind = schema.field(column).type
    return bool(types.is_struct(kind)) or is_bytes(kind)


def _values_of(column: pa.Array) -> pa.Array:
    """A column of numbers, lists or bytes: what a struct of pictures has as bytes."""
    if not types.is_struct(column.type):
        return column
    if column.null_count:
        raise _Row(_first_null(column), "is null")
    return column.field("bytes")


class _Row(ValueError):
    """A row that is wrong, from that of the batch's first."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row, self.problem = row, problem


def pixels_in(columns: list[pa.Array], names: tuple[str, ...], start: int) -> Rows:
    """Returns the pixels in a batch of rows, (n, 784) of a type of theirs.

    Raises ValueError, which names the column and the row, counted from `start`.
    """
    parts = []
    for name, column in zip(names, columns, strict=True):
        try:
            parts.append(_pixels(column))
        except _Row as wrong:
            raise ValueError(f"row {start + wrong.row:,} of column {name} {wrong.problem}") from wrong
    return parts[0] if len(parts) == 1 else np.column_stack(parts)


def labels_in(column: pa.Array, name: str, start: int) -> Rows:
    """Returns the labels in a batch of rows, (n,) of their type; raises ValueError for one that is null."""
    if column.null_count:
        raise ValueError(f"row {start + _first_null(column):,} of column {name} is null")
    values: Rows = column.to_numpy(zero_copy_only=False)
    return values


def _pixels(column: pa.Array) -> Rows:
    values = _values_of(column)
    if types.is_dictionary(values.type) or is_bytes(values.type):
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
        raise _Row(0, f"has the shape {tuple(shape)}; allowed are (784,) and (28, 28)")
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
    raise _Row(at // int(np.prod(shape, initial=1)), f"has {lengths[at]} values where others have {usual}")


def _of_pictures(values: pa.Array) -> Rows:
    _check_no_null(values, [])
    # What is there many times is decoded once.
    encoded = values if types.is_dictionary(values.type) else values.dictionary_encode()
    used, places = np.unique(encoded.indices.to_numpy(), return_inverse=True)
    pixels = np.empty((len(used), PIXELS_PER_IMAGE), np.uint8)
    for number, place in enumerate(used):
        try:
            pixels[number] = pixels_of(encoded.dictionary[int(place)].as_py())
        except ValueError as error:
            raise _Row(int(np.argmax(places == number)), str(error)) from error
    return pixels[places]


def _check_no_null(values: pa.Array, shape: list[int]) -> None:
    if values.null_count:
        raise _Row(_first_null(values) // int(np.prod(shape, initial=1)), "is null, or has a null in it")


def _first_null(values: pa.Array) -> int:
    return int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
