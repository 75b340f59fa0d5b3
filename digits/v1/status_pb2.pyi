from digits.v1 import training_pb2 as _training_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("parts", "model_version", "waiting_picture_count", "queued_job_count", "running_job_count", "workers")
    PARTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAITING_PICTURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    QUEUED_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[PartStatus]
    model_version: str
    waiting_picture_count: int
    queued_job_count: int
    running_job_count: int
    workers: _containers.RepeatedCompositeFieldContainer[_training_pb2.WorkerStatus]
    def __init__(self, parts: _Optional[_Iterable[_Union[PartStatus, _Mapping]]] = ..., model_version: _Optional[str] = ..., waiting_picture_count: _Optional[int] = ..., queued_job_count: _Optional[int] = ..., running_job_count: _Optional[int] = ..., workers: _Optional[_Iterable[_Union[_training_pb2.WorkerStatus, _Mapping]]] = ...) -> None: ...

class PartStatus(_message.Message):
    __slots__ = ("name", "ok", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OK_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    ok: bool
    detail: str
    def __init__(self, name: _Optional[str] = ..., ok: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...
