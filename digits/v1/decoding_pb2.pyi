from digits.v1 import digit_service_pb2 as _digit_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PictureFile(_message.Message):
    __slots__ = ("content", "field", "max_bytes", "number")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    field: str
    max_bytes: int
    number: int
    def __init__(self, content: _Optional[bytes] = ..., field: _Optional[str] = ..., max_bytes: _Optional[int] = ..., number: _Optional[int] = ...) -> None: ...

class PictureReadings(_message.Message):
    __slots__ = ("readings", "problem", "large", "number", "failure")
    READINGS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    LARGE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    readings: _containers.RepeatedCompositeFieldContainer[PictureReading]
    problem: str
    large: bool
    number: int
    failure: str
    def __init__(self, readings: _Optional[_Iterable[_Union[PictureReading, _Mapping]]] = ..., problem: _Optional[str] = ..., large: _Optional[bool] = ..., number: _Optional[int] = ..., failure: _Optional[str] = ...) -> None: ...

class PictureReading(_message.Message):
    __slots__ = ("pixels", "box", "prior", "contrast", "characters", "alone")
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    pixels: bytes
    box: _digit_service_pb2.Box
    prior: float
    contrast: float
    characters: int
    alone: bool
    def __init__(self, pixels: _Optional[bytes] = ..., box: _Optional[_Union[_digit_service_pb2.Box, _Mapping]] = ..., prior: _Optional[float] = ..., contrast: _Optional[float] = ..., characters: _Optional[int] = ..., alone: _Optional[bool] = ...) -> None: ...
