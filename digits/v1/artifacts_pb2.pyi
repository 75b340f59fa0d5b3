from digits.v1 import models_pb2 as _models_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tensor(_message.Message):
    __slots__ = ("name", "shape", "float32_values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    FLOAT32_VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    float32_values: bytes
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., float32_values: _Optional[bytes] = ...) -> None: ...

class ImageBlock(_message.Message):
    __slots__ = ("image_count", "pixels", "labels")
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    image_count: int
    pixels: bytes
    labels: bytes
    def __init__(self, image_count: _Optional[int] = ..., pixels: _Optional[bytes] = ..., labels: _Optional[bytes] = ...) -> None: ...

class OffsetRange(_message.Message):
    __slots__ = ("partition", "start", "end")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    partition: int
    start: int
    end: int
    def __init__(self, partition: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class PartitionReport(_message.Message):
    __slots__ = ("state", "image_count", "loss_sum", "correct_count", "offsets", "left_block_count")
    STATE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOSS_SUM_FIELD_NUMBER: _ClassVar[int]
    CORRECT_COUNT_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    LEFT_BLOCK_COUNT_FIELD_NUMBER: _ClassVar[int]
    state: _containers.RepeatedCompositeFieldContainer[Tensor]
    image_count: int
    loss_sum: float
    correct_count: int
    offsets: _containers.RepeatedCompositeFieldContainer[OffsetRange]
    left_block_count: int
    def __init__(self, state: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., image_count: _Optional[int] = ..., loss_sum: _Optional[float] = ..., correct_count: _Optional[int] = ..., offsets: _Optional[_Iterable[_Union[OffsetRange, _Mapping]]] = ..., left_block_count: _Optional[int] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("job_id", "sequence", "epoch", "trained", "images_trained", "micro_batch", "state", "lease_id", "training_seconds")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    TRAINED_FIELD_NUMBER: _ClassVar[int]
    IMAGES_TRAINED_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    TRAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    sequence: int
    epoch: int
    trained: _containers.RepeatedCompositeFieldContainer[OffsetRange]
    images_trained: int
    micro_batch: int
    state: _containers.RepeatedCompositeFieldContainer[Tensor]
    lease_id: int
    training_seconds: float
    def __init__(self, job_id: _Optional[str] = ..., sequence: _Optional[int] = ..., epoch: _Optional[int] = ..., trained: _Optional[_Iterable[_Union[OffsetRange, _Mapping]]] = ..., images_trained: _Optional[int] = ..., micro_batch: _Optional[int] = ..., state: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., lease_id: _Optional[int] = ..., training_seconds: _Optional[float] = ...) -> None: ...

class ModelBundle(_message.Message):
    __slots__ = ("version", "onnx", "keras_config", "weights", "moments", "metrics", "provenance")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ONNX_FIELD_NUMBER: _ClassVar[int]
    KERAS_CONFIG_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    version: str
    onnx: bytes
    keras_config: str
    weights: _containers.RepeatedCompositeFieldContainer[Tensor]
    moments: _containers.RepeatedCompositeFieldContainer[Tensor]
    metrics: _models_pb2.Metrics
    provenance: _models_pb2.Provenance
    def __init__(self, version: _Optional[str] = ..., onnx: _Optional[bytes] = ..., keras_config: _Optional[str] = ..., weights: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., moments: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., metrics: _Optional[_Union[_models_pb2.Metrics, _Mapping]] = ..., provenance: _Optional[_Union[_models_pb2.Provenance, _Mapping]] = ...) -> None: ...

class CachedBundle(_message.Message):
    __slots__ = ("version", "generation", "data")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    version: str
    generation: int
    data: bytes
    def __init__(self, version: _Optional[str] = ..., generation: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("message_type", "payload", "payload_sha256")
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_SHA256_FIELD_NUMBER: _ClassVar[int]
    message_type: str
    payload: bytes
    payload_sha256: bytes
    def __init__(self, message_type: _Optional[str] = ..., payload: _Optional[bytes] = ..., payload_sha256: _Optional[bytes] = ...) -> None: ...
