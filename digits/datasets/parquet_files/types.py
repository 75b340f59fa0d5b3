"""What the values of a column may be."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import types

from digits.pixels import PIXELS_PER_IMAGE


def is_number(kind: pa.DataType) -> bool:
    """A number a row."""
    return bool(types.is_integer(kind) or types.is_floating(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Bytes, which may be the same for many rows."""
    if types.is_dictionary(kind):
        return is_bytes(kind.value_type)
    if types.is_fixed_size_binary(kind):
        return bool(kind.byte_width == PIXELS_PER_IMAGE)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def is_list(kind: pa.DataType) -> bool:
    """A list of anything a row."""
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def is_picture(kind: pa.DataType) -> bool:
    """Lists of numbers, bytes, or a struct with bytes, as Hugging Face has pictures."""
    if types.is_struct(kind):
        return "bytes" in kind.names and is_bytes(kind.field("bytes").type)
    return is_bytes(kind) or (is_list(kind) and is_number(_innermost(kind)))


def _innermost(kind: pa.DataType) -> pa.DataType:
    while is_list(kind):
        kind = kind.value_type
    return kind
