import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from digits.v1 import models_pb2 as _models_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportLabelRequest(_message.Message):
    __slots__ = ("prediction_id", "pixels", "label")
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    prediction_id: str
    pixels: bytes
    label: int
    def __init__(self, prediction_id: _Optional[str] = ..., pixels: _Optional[bytes] = ..., label: _Optional[int] = ...) -> None: ...

class ReportLabelResponse(_message.Message):
    __slots__ = ("model_version", "digit", "live_accuracy")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    LIVE_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    digit: int
    live_accuracy: _models_pb2.LiveAccuracy
    def __init__(self, model_version: _Optional[str] = ..., digit: _Optional[int] = ..., live_accuracy: _Optional[_Union[_models_pb2.LiveAccuracy, _Mapping]] = ...) -> None: ...

class LabelledImage(_message.Message):
    __slots__ = ("prediction_id", "pixels", "label", "digit", "model_version", "caller", "label_time")
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    LABEL_TIME_FIELD_NUMBER: _ClassVar[int]
    prediction_id: str
    pixels: bytes
    label: int
    digit: int
    model_version: str
    caller: str
    label_time: _timestamp_pb2.Timestamp
    def __init__(self, prediction_id: _Optional[str] = ..., pixels: _Optional[bytes] = ..., label: _Optional[int] = ..., digit: _Optional[int] = ..., model_version: _Optional[str] = ..., caller: _Optional[str] = ..., label_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LabelledImages(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[LabelledImage]
    def __init__(self, images: _Optional[_Iterable[_Union[LabelledImage, _Mapping]]] = ...) -> None: ...
