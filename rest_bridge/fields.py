"""Kinds of fields: what pydantic checks of a value beyond its type, and how it is described."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import IO, Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import FileStorage

from digits.v1 import training_pb2

MAX_INT64 = 2**63 - 1
PROMOTIONS = training_pb2.Promotion.keys()[1:]
ORIENTATIONS = training_pb2.Orientation.keys()[1:]


def _one_of(names: Sequence[str]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if value not in names:
            raise PydanticCustomError("one_of", "unknown", {"names": ", ".join(names)})
        return value

    return check


def _digits(value: object) -> object:
    """Refuses a form's "1.0", which pydantic takes for 1; JSON's 1.0 is refused as well."""
    if isinstance(value, str) and "." in value:
        raise PydanticCustomError("int_type", "not a whole number")
    return value


def _stream(value: object) -> IO[bytes]:
    if not isinstance(value, FileStorage):
        raise PydanticCustomError("extra_forbidden", "not a file")
    return value.stream


def _content(value: object) -> bytes:
    return _stream(value).read()


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError("base64", "not text")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise PydanticCustomError("base64", "not base64") from error


Base64 = Annotated[
    bytes, BeforeValidator(_decoded), WithJsonSchema({"type": "string", "contentEncoding": "base64"})
]
Promotion = Annotated[str, PlainValidator(_one_of(PROMOTIONS)), WithJsonSchema({"enum": PROMOTIONS})]
Orientation = Annotated[str, PlainValidator(_one_of(ORIENTATIONS)), WithJsonSchema({"enum": ORIENTATIONS})]
Whole = Annotated[int, BeforeValidator(_digits)]
Upload = Annotated[bytes, BeforeValidator(_content)]
# A file that is handed on in pieces; the form's parser keeps it on disk.
Streamed = Annotated[
    IO[bytes], PlainValidator(_stream), WithJsonSchema({"type": "string", "format": "binary"})
]


def text(description: str, max_length: int | None = None) -> Any:
    """A string that may be left out; unlike a default, a factory is not part of the description."""
    return Field(default_factory=str, min_length=1, max_length=max_length, description=description)
