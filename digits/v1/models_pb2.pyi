import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Metrics(_message.Message):
    __slots__ = ("accuracy", "loss", "held_out_image_count", "held_out_sha256", "chance_accuracy", "reference_accuracy", "reference_image_count", "reference_sha256", "robustness", "suspicion")
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    HELD_OUT_IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    HELD_OUT_SHA256_FIELD_NUMBER: _ClassVar[int]
    CHANCE_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    ROBUSTNESS_FIELD_NUMBER: _ClassVar[int]
    SUSPICION_FIELD_NUMBER: _ClassVar[int]
    accuracy: float
    loss: float
    held_out_image_count: int
    held_out_sha256: str
    chance_accuracy: float
    reference_accuracy: float
    reference_image_count: int
    reference_sha256: str
    robustness: float
    suspicion: str
    def __init__(self, accuracy: _Optional[float] = ..., loss: _Optional[float] = ..., held_out_image_count: _Optional[int] = ..., held_out_sha256: _Optional[str] = ..., chance_accuracy: _Optional[float] = ..., reference_accuracy: _Optional[float] = ..., reference_image_count: _Optional[int] = ..., reference_sha256: _Optional[str] = ..., robustness: _Optional[float] = ..., suspicion: _Optional[str] = ...) -> None: ...

class LiveAccuracy(_message.Message):
    __slots__ = ("label_count", "right_count", "low", "high")
    LABEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    label_count: int
    right_count: int
    low: float
    high: float
    def __init__(self, label_count: _Optional[int] = ..., right_count: _Optional[int] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("job_id", "data_name", "data_sha256", "recipe", "seed", "code_version", "image_count", "epochs", "training_seconds", "base_model_version", "imported")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_SHA256_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CODE_VERSION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    data_name: str
    data_sha256: str
    recipe: str
    seed: int
    code_version: str
    image_count: int
    epochs: int
    training_seconds: float
    base_model_version: str
    imported: bool
    def __init__(self, job_id: _Optional[str] = ..., data_name: _Optional[str] = ..., data_sha256: _Optional[str] = ..., recipe: _Optional[str] = ..., seed: _Optional[int] = ..., code_version: _Optional[str] = ..., image_count: _Optional[int] = ..., epochs: _Optional[int] = ..., training_seconds: _Optional[float] = ..., base_model_version: _Optional[str] = ..., imported: _Optional[bool] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("version", "state", "metrics", "provenance", "store_path", "bundle_bytes", "bundle_sha256", "create_time", "served", "pinned", "promotion_reason", "live_accuracy")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Model.State]
        AVAILABLE: _ClassVar[Model.State]
        SERVING: _ClassVar[Model.State]
    STATE_UNSPECIFIED: Model.State
    AVAILABLE: Model.State
    SERVING: Model.State
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    STORE_PATH_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_BYTES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_REASON_FIELD_NUMBER: _ClassVar[int]
    LIVE_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    version: str
    state: Model.State
    metrics: Metrics
    provenance: Provenance
    store_path: str
    bundle_bytes: int
    bundle_sha256: str
    create_time: _timestamp_pb2.Timestamp
    served: bool
    pinned: bool
    promotion_reason: str
    live_accuracy: LiveAccuracy
    def __init__(self, version: _Optional[str] = ..., state: _Optional[_Union[Model.State, str]] = ..., metrics: _Optional[_Union[Metrics, _Mapping]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., store_path: _Optional[str] = ..., bundle_bytes: _Optional[int] = ..., bundle_sha256: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., served: _Optional[bool] = ..., pinned: _Optional[bool] = ..., promotion_reason: _Optional[str] = ..., live_accuracy: _Optional[_Union[LiveAccuracy, _Mapping]] = ...) -> None: ...

class Serving(_message.Message):
    __slots__ = ("version", "generation", "previous_version", "history")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    version: str
    generation: int
    previous_version: str
    history: _containers.RepeatedCompositeFieldContainer[ServingChange]
    def __init__(self, version: _Optional[str] = ..., generation: _Optional[int] = ..., previous_version: _Optional[str] = ..., history: _Optional[_Iterable[_Union[ServingChange, _Mapping]]] = ...) -> None: ...

class ServingChange(_message.Message):
    __slots__ = ("generation", "version", "previous_version", "reason", "caller", "change_time", "origin")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[ServingChange.Reason]
        GATE: _ClassVar[ServingChange.Reason]
        PROMOTE: _ClassVar[ServingChange.Reason]
        ROLLBACK: _ClassVar[ServingChange.Reason]
        LIVE_LABELS: _ClassVar[ServingChange.Reason]
        ALWAYS: _ClassVar[ServingChange.Reason]
    REASON_UNSPECIFIED: ServingChange.Reason
    GATE: ServingChange.Reason
    PROMOTE: ServingChange.Reason
    ROLLBACK: ServingChange.Reason
    LIVE_LABELS: ServingChange.Reason
    ALWAYS: ServingChange.Reason
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    generation: int
    version: str
    previous_version: str
    reason: ServingChange.Reason
    caller: str
    change_time: _timestamp_pb2.Timestamp
    origin: str
    def __init__(self, generation: _Optional[int] = ..., version: _Optional[str] = ..., previous_version: _Optional[str] = ..., reason: _Optional[_Union[ServingChange.Reason, str]] = ..., caller: _Optional[str] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., origin: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    next_page_token: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class PromoteModelRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class RollbackModelRequest(_message.Message):
    __slots__ = ("from_version",)
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    from_version: str
    def __init__(self, from_version: _Optional[str] = ...) -> None: ...

class ListServingHistoryRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListServingHistoryResponse(_message.Message):
    __slots__ = ("changes", "next_page_token")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[ServingChange]
    next_page_token: str
    def __init__(self, changes: _Optional[_Iterable[_Union[ServingChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PinModelRequest(_message.Message):
    __slots__ = ("version", "pinned")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    version: str
    pinned: bool
    def __init__(self, version: _Optional[str] = ..., pinned: _Optional[bool] = ...) -> None: ...

class PruneModelsRequest(_message.Message):
    __slots__ = ("max_age", "max_count", "dry_run")
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    max_age: _duration_pb2.Duration
    max_count: int
    dry_run: bool
    def __init__(self, max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_count: _Optional[int] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class PruneModelsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, versions: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportModelRequest(_message.Message):
    __slots__ = ("version", "format")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[ExportModelRequest.Format]
        BUNDLE: _ClassVar[ExportModelRequest.Format]
        ONNX: _ClassVar[ExportModelRequest.Format]
        KERAS: _ClassVar[ExportModelRequest.Format]
    FORMAT_UNSPECIFIED: ExportModelRequest.Format
    BUNDLE: ExportModelRequest.Format
    ONNX: ExportModelRequest.Format
    KERAS: ExportModelRequest.Format
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    version: str
    format: ExportModelRequest.Format
    def __init__(self, version: _Optional[str] = ..., format: _Optional[_Union[ExportModelRequest.Format, str]] = ...) -> None: ...

class ExportModelResponse(_message.Message):
    __slots__ = ("version", "data", "file_name", "sha256")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    version: str
    data: bytes
    file_name: str
    sha256: str
    def __init__(self, version: _Optional[str] = ..., data: _Optional[bytes] = ..., file_name: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class CompareModelsRequest(_message.Message):
    __slots__ = ("first_version", "second_version")
    FIRST_VERSION_FIELD_NUMBER: _ClassVar[int]
    SECOND_VERSION_FIELD_NUMBER: _ClassVar[int]
    first_version: str
    second_version: str
    def __init__(self, first_version: _Optional[str] = ..., second_version: _Optional[str] = ...) -> None: ...

class CompareModelsResponse(_message.Message):
    __slots__ = ("image_count", "first", "second", "first_only_count", "second_only_count", "differences", "difference_count")
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    FIRST_ONLY_COUNT_FIELD_NUMBER: _ClassVar[int]
    SECOND_ONLY_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    image_count: int
    first: Reading
    second: Reading
    first_only_count: int
    second_only_count: int
    differences: _containers.RepeatedCompositeFieldContainer[Difference]
    difference_count: int
    def __init__(self, image_count: _Optional[int] = ..., first: _Optional[_Union[Reading, _Mapping]] = ..., second: _Optional[_Union[Reading, _Mapping]] = ..., first_only_count: _Optional[int] = ..., second_only_count: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ..., difference_count: _Optional[int] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("version", "accuracy", "confusion_counts")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    CONFUSION_COUNTS_FIELD_NUMBER: _ClassVar[int]
    version: str
    accuracy: float
    confusion_counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, version: _Optional[str] = ..., accuracy: _Optional[float] = ..., confusion_counts: _Optional[_Iterable[int]] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("pixels", "label", "first_digit", "first_confidence", "second_digit", "second_confidence")
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    FIRST_DIGIT_FIELD_NUMBER: _ClassVar[int]
    FIRST_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SECOND_DIGIT_FIELD_NUMBER: _ClassVar[int]
    SECOND_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    pixels: bytes
    label: int
    first_digit: int
    first_confidence: float
    second_digit: int
    second_confidence: float
    def __init__(self, pixels: _Optional[bytes] = ..., label: _Optional[int] = ..., first_digit: _Optional[int] = ..., first_confidence: _Optional[float] = ..., second_digit: _Optional[int] = ..., second_confidence: _Optional[float] = ...) -> None: ...
