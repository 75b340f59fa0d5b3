from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ClassifyBatch(_message.Message):
    __slots__ = ("pixels", "model_version", "minimum_generation", "request_id", "traceparent")
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_GENERATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    pixels: bytes
    model_version: str
    minimum_generation: int
    request_id: str
    traceparent: str
    def __init__(self, pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ..., minimum_generation: _Optional[int] = ..., request_id: _Optional[str] = ..., traceparent: _Optional[str] = ...) -> None: ...

class ClassifyBatchResult(_message.Message):
    __slots__ = ("probabilities", "model_version", "generation", "error", "error_code", "not_a_digit")
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    NOT_A_DIGIT_FIELD_NUMBER: _ClassVar[int]
    probabilities: bytes
    model_version: str
    generation: int
    error: str
    error_code: int
    not_a_digit: bytes
    def __init__(self, probabilities: _Optional[bytes] = ..., model_version: _Optional[str] = ..., generation: _Optional[int] = ..., error: _Optional[str] = ..., error_code: _Optional[int] = ..., not_a_digit: _Optional[bytes] = ...) -> None: ...
