from digits.v1 import training_pb2 as _training_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServedBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVED_BY_UNSPECIFIED: _ClassVar[ServedBy]
    WORKER: _ClassVar[ServedBy]
    CACHED_COPY: _ClassVar[ServedBy]
SERVED_BY_UNSPECIFIED: ServedBy
WORKER: ServedBy
CACHED_COPY: ServedBy

class TrainRequest(_message.Message):
    __slots__ = ("images_batch_path", "images_batch", "model_bundle", "recipe", "request_id", "seed", "promotion", "orientation", "base_model_version")
    IMAGES_BATCH_PATH_FIELD_NUMBER: _ClassVar[int]
    IMAGES_BATCH_FIELD_NUMBER: _ClassVar[int]
    MODEL_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_FIELD_NUMBER: _ClassVar[int]
    ORIENTATION_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    images_batch_path: str
    images_batch: bytes
    model_bundle: bytes
    recipe: str
    request_id: str
    seed: int
    promotion: _training_pb2.Promotion
    orientation: _training_pb2.Orientation
    base_model_version: str
    def __init__(self, images_batch_path: _Optional[str] = ..., images_batch: _Optional[bytes] = ..., model_bundle: _Optional[bytes] = ..., recipe: _Optional[str] = ..., request_id: _Optional[str] = ..., seed: _Optional[int] = ..., promotion: _Optional[_Union[_training_pb2.Promotion, str]] = ..., orientation: _Optional[_Union[_training_pb2.Orientation, str]] = ..., base_model_version: _Optional[str] = ...) -> None: ...

class TrainUploadRequest(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: TrainRequest
    chunk: bytes
    def __init__(self, header: _Optional[_Union[TrainRequest, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ClassifyRequest(_message.Message):
    __slots__ = ("image_path", "image", "pixels", "model_version", "minimum_version", "preview")
    IMAGE_PATH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    image_path: str
    image: bytes
    pixels: bytes
    model_version: str
    minimum_version: str
    preview: bool
    def __init__(self, image_path: _Optional[str] = ..., image: _Optional[bytes] = ..., pixels: _Optional[bytes] = ..., model_version: _Optional[str] = ..., minimum_version: _Optional[str] = ..., preview: _Optional[bool] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ("digit", "confidence", "probabilities", "model_version", "served_by", "not_a_digit", "preview", "prediction_id")
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SERVED_BY_FIELD_NUMBER: _ClassVar[int]
    NOT_A_DIGIT_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    digit: int
    confidence: float
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    model_version: str
    served_by: ServedBy
    not_a_digit: float
    preview: Preview
    prediction_id: str
    def __init__(self, digit: _Optional[int] = ..., confidence: _Optional[float] = ..., probabilities: _Optional[_Iterable[float]] = ..., model_version: _Optional[str] = ..., served_by: _Optional[_Union[ServedBy, str]] = ..., not_a_digit: _Optional[float] = ..., preview: _Optional[_Union[Preview, _Mapping]] = ..., prediction_id: _Optional[str] = ...) -> None: ...

class Preview(_message.Message):
    __slots__ = ("pixels", "box")
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    pixels: bytes
    box: Box
    def __init__(self, pixels: _Optional[bytes] = ..., box: _Optional[_Union[Box, _Mapping]] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("left", "top", "width", "height")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    left: int
    top: int
    width: int
    height: int
    def __init__(self, left: _Optional[int] = ..., top: _Optional[int] = ..., width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class ClassifyStreamRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ClassifyRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ClassifyRequest, _Mapping]]] = ...) -> None: ...

class ClassifyStreamResponse(_message.Message):
    __slots__ = ("responses",)
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[ClassifyResponse]
    def __init__(self, responses: _Optional[_Iterable[_Union[ClassifyResponse, _Mapping]]] = ...) -> None: ...

class ListBatchesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBatchesResponse(_message.Message):
    __slots__ = ("batches",)
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[Batch]
    def __init__(self, batches: _Optional[_Iterable[_Union[Batch, _Mapping]]] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("path", "total_bytes", "folder")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    path: str
    total_bytes: int
    folder: bool
    def __init__(self, path: _Optional[str] = ..., total_bytes: _Optional[int] = ..., folder: _Optional[bool] = ...) -> None: ...
