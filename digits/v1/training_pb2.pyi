import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from digits.v1 import models_pb2 as _models_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Promotion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROMOTION_UNSPECIFIED: _ClassVar[Promotion]
    IF_BETTER: _ClassVar[Promotion]
    ALWAYS: _ClassVar[Promotion]
    NEVER: _ClassVar[Promotion]

class Orientation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORIENTATION_UNSPECIFIED: _ClassVar[Orientation]
    AS_IS: _ClassVar[Orientation]
    TRANSPOSED: _ClassVar[Orientation]

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    QUEUED: _ClassVar[JobState]
    INGESTING: _ClassVar[JobState]
    TRAINING: _ClassVar[JobState]
    EVALUATING: _ClassVar[JobState]
    PUBLISHING: _ClassVar[JobState]
    SUCCEEDED: _ClassVar[JobState]
    FAILED: _ClassVar[JobState]
    CANCELLED: _ClassVar[JobState]
PROMOTION_UNSPECIFIED: Promotion
IF_BETTER: Promotion
ALWAYS: Promotion
NEVER: Promotion
ORIENTATION_UNSPECIFIED: Orientation
AS_IS: Orientation
TRANSPOSED: Orientation
JOB_STATE_UNSPECIFIED: JobState
QUEUED: JobState
INGESTING: JobState
TRAINING: JobState
EVALUATING: JobState
PUBLISHING: JobState
SUCCEEDED: JobState
FAILED: JobState
CANCELLED: JobState

class JobError(_message.Message):
    __slots__ = ("code", "message", "field")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    field: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., field: _Optional[str] = ...) -> None: ...

class TrainProgress(_message.Message):
    __slots__ = ("job_id", "state", "images_ingested", "images_trained", "images_total", "epoch", "epochs", "micro_batch", "loss", "accuracy", "images_per_second", "eta", "backlog_images", "model_version", "promoted", "error", "window_images", "heartbeat_time", "promotion_reason", "metrics", "training_seconds", "jobs_before", "notes")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    IMAGES_INGESTED_FIELD_NUMBER: _ClassVar[int]
    IMAGES_TRAINED_FIELD_NUMBER: _ClassVar[int]
    IMAGES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCH_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    IMAGES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ETA_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_IMAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    WINDOW_IMAGES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIME_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_REASON_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    JOBS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: JobState
    images_ingested: int
    images_trained: int
    images_total: int
    epoch: int
    epochs: int
    micro_batch: int
    loss: float
    accuracy: float
    images_per_second: float
    eta: _duration_pb2.Duration
    backlog_images: int
    model_version: str
    promoted: bool
    error: JobError
    window_images: int
    heartbeat_time: _timestamp_pb2.Timestamp
    promotion_reason: str
    metrics: _models_pb2.Metrics
    training_seconds: float
    jobs_before: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., images_ingested: _Optional[int] = ..., images_trained: _Optional[int] = ..., images_total: _Optional[int] = ..., epoch: _Optional[int] = ..., epochs: _Optional[int] = ..., micro_batch: _Optional[int] = ..., loss: _Optional[float] = ..., accuracy: _Optional[float] = ..., images_per_second: _Optional[float] = ..., eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., backlog_images: _Optional[int] = ..., model_version: _Optional[str] = ..., promoted: _Optional[bool] = ..., error: _Optional[_Union[JobError, _Mapping]] = ..., window_images: _Optional[int] = ..., heartbeat_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., promotion_reason: _Optional[str] = ..., metrics: _Optional[_Union[_models_pb2.Metrics, _Mapping]] = ..., training_seconds: _Optional[float] = ..., jobs_before: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class TrainSpec(_message.Message):
    __slots__ = ("images_batch_path", "upload", "recipe", "seed", "promotion", "fingerprint", "request_id", "caller", "orientation", "files_sha256", "max_held_out", "is_model", "origin", "base_model_version")
    IMAGES_BATCH_PATH_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ORIENTATION_FIELD_NUMBER: _ClassVar[int]
    FILES_SHA256_FIELD_NUMBER: _ClassVar[int]
    MAX_HELD_OUT_FIELD_NUMBER: _ClassVar[int]
    IS_MODEL_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    images_batch_path: str
    upload: str
    recipe: str
    seed: int
    promotion: Promotion
    fingerprint: str
    request_id: str
    caller: str
    orientation: Orientation
    files_sha256: str
    max_held_out: int
    is_model: bool
    origin: CallOrigin
    base_model_version: str
    def __init__(self, images_batch_path: _Optional[str] = ..., upload: _Optional[str] = ..., recipe: _Optional[str] = ..., seed: _Optional[int] = ..., promotion: _Optional[_Union[Promotion, str]] = ..., fingerprint: _Optional[str] = ..., request_id: _Optional[str] = ..., caller: _Optional[str] = ..., orientation: _Optional[_Union[Orientation, str]] = ..., files_sha256: _Optional[str] = ..., max_held_out: _Optional[int] = ..., is_model: _Optional[bool] = ..., origin: _Optional[_Union[CallOrigin, _Mapping]] = ..., base_model_version: _Optional[str] = ...) -> None: ...

class CallOrigin(_message.Message):
    __slots__ = ("request_id", "traceparent")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    traceparent: str
    def __init__(self, request_id: _Optional[str] = ..., traceparent: _Optional[str] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("job_id", "state", "spec", "progress", "create_time", "enqueue_time", "end_time", "attempt_count", "lease_id", "cancel_requested", "last_problem", "charged_lease_ids", "images_at_first_attempt", "enqueue_count", "log_partition_count", "silence_count", "start_time", "history", "resumptions", "held_out_reading", "partition_decision", "images_per_block", "images_committed", "blocks_by_shard")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ENQUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    LAST_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    CHARGED_LEASE_IDS_FIELD_NUMBER: _ClassVar[int]
    IMAGES_AT_FIRST_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ENQUEUE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOG_PARTITION_COUNT_FIELD_NUMBER: _ClassVar[int]
    SILENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    RESUMPTIONS_FIELD_NUMBER: _ClassVar[int]
    HELD_OUT_READING_FIELD_NUMBER: _ClassVar[int]
    PARTITION_DECISION_FIELD_NUMBER: _ClassVar[int]
    IMAGES_PER_BLOCK_FIELD_NUMBER: _ClassVar[int]
    IMAGES_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_BY_SHARD_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: JobState
    spec: TrainSpec
    progress: TrainProgress
    create_time: _timestamp_pb2.Timestamp
    enqueue_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    attempt_count: int
    lease_id: int
    cancel_requested: bool
    last_problem: str
    charged_lease_ids: _containers.RepeatedScalarFieldContainer[int]
    images_at_first_attempt: int
    enqueue_count: int
    log_partition_count: int
    silence_count: int
    start_time: _timestamp_pb2.Timestamp
    history: _containers.RepeatedCompositeFieldContainer[MicroBatchPoint]
    resumptions: _containers.RepeatedCompositeFieldContainer[Resumption]
    held_out_reading: HeldOutReading
    partition_decision: PartitionDecision
    images_per_block: int
    images_committed: int
    blocks_by_shard: bool
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., spec: _Optional[_Union[TrainSpec, _Mapping]] = ..., progress: _Optional[_Union[TrainProgress, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., enqueue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt_count: _Optional[int] = ..., lease_id: _Optional[int] = ..., cancel_requested: _Optional[bool] = ..., last_problem: _Optional[str] = ..., charged_lease_ids: _Optional[_Iterable[int]] = ..., images_at_first_attempt: _Optional[int] = ..., enqueue_count: _Optional[int] = ..., log_partition_count: _Optional[int] = ..., silence_count: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., history: _Optional[_Iterable[_Union[MicroBatchPoint, _Mapping]]] = ..., resumptions: _Optional[_Iterable[_Union[Resumption, _Mapping]]] = ..., held_out_reading: _Optional[_Union[HeldOutReading, _Mapping]] = ..., partition_decision: _Optional[_Union[PartitionDecision, _Mapping]] = ..., images_per_block: _Optional[int] = ..., images_committed: _Optional[int] = ..., blocks_by_shard: _Optional[bool] = ...) -> None: ...

class PartitionDecision(_message.Message):
    __slots__ = ("partition_count", "reason", "core_count", "image_count", "memory_bytes", "network_bytes_per_second", "state_bytes", "micro_batch_seconds")
    PARTITION_COUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CORE_COUNT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    NETWORK_BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    STATE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCH_SECONDS_FIELD_NUMBER: _ClassVar[int]
    partition_count: int
    reason: str
    core_count: int
    image_count: int
    memory_bytes: int
    network_bytes_per_second: int
    state_bytes: int
    micro_batch_seconds: float
    def __init__(self, partition_count: _Optional[int] = ..., reason: _Optional[str] = ..., core_count: _Optional[int] = ..., image_count: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., network_bytes_per_second: _Optional[int] = ..., state_bytes: _Optional[int] = ..., micro_batch_seconds: _Optional[float] = ...) -> None: ...

class MicroBatchPoint(_message.Message):
    __slots__ = ("micro_batch", "elapsed_seconds", "epoch", "images_trained", "loss", "accuracy", "images_per_second", "backlog_images", "window_images", "seconds", "merge_seconds", "commit_seconds")
    MICRO_BATCH_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    IMAGES_TRAINED_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    IMAGES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_IMAGES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_IMAGES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    MERGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COMMIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    micro_batch: int
    elapsed_seconds: float
    epoch: int
    images_trained: int
    loss: float
    accuracy: float
    images_per_second: float
    backlog_images: int
    window_images: int
    seconds: float
    merge_seconds: float
    commit_seconds: float
    def __init__(self, micro_batch: _Optional[int] = ..., elapsed_seconds: _Optional[float] = ..., epoch: _Optional[int] = ..., images_trained: _Optional[int] = ..., loss: _Optional[float] = ..., accuracy: _Optional[float] = ..., images_per_second: _Optional[float] = ..., backlog_images: _Optional[int] = ..., window_images: _Optional[int] = ..., seconds: _Optional[float] = ..., merge_seconds: _Optional[float] = ..., commit_seconds: _Optional[float] = ...) -> None: ...

class Resumption(_message.Message):
    __slots__ = ("elapsed_seconds", "micro_batch", "images_trained")
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCH_FIELD_NUMBER: _ClassVar[int]
    IMAGES_TRAINED_FIELD_NUMBER: _ClassVar[int]
    elapsed_seconds: float
    micro_batch: int
    images_trained: int
    def __init__(self, elapsed_seconds: _Optional[float] = ..., micro_batch: _Optional[int] = ..., images_trained: _Optional[int] = ...) -> None: ...

class HeldOutReading(_message.Message):
    __slots__ = ("confusion_counts", "mistakes")
    CONFUSION_COUNTS_FIELD_NUMBER: _ClassVar[int]
    MISTAKES_FIELD_NUMBER: _ClassVar[int]
    confusion_counts: _containers.RepeatedScalarFieldContainer[int]
    mistakes: _containers.RepeatedCompositeFieldContainer[Mistake]
    def __init__(self, confusion_counts: _Optional[_Iterable[int]] = ..., mistakes: _Optional[_Iterable[_Union[Mistake, _Mapping]]] = ...) -> None: ...

class Mistake(_message.Message):
    __slots__ = ("pixels", "label", "digit", "confidence")
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    pixels: bytes
    label: int
    digit: int
    confidence: float
    def __init__(self, pixels: _Optional[bytes] = ..., label: _Optional[int] = ..., digit: _Optional[int] = ..., confidence: _Optional[float] = ...) -> None: ...

class WorkerStatus(_message.Message):
    __slots__ = ("role", "process_id", "host", "model_version", "generation", "error", "idle_time")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIME_FIELD_NUMBER: _ClassVar[int]
    role: str
    process_id: int
    host: str
    model_version: str
    generation: int
    error: str
    idle_time: _timestamp_pb2.Timestamp
    def __init__(self, role: _Optional[str] = ..., process_id: _Optional[int] = ..., host: _Optional[str] = ..., model_version: _Optional[str] = ..., generation: _Optional[int] = ..., error: _Optional[str] = ..., idle_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs", "next_page_token")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class PruneJobsRequest(_message.Message):
    __slots__ = ("max_age", "max_count", "dry_run")
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    max_age: _duration_pb2.Duration
    max_count: int
    dry_run: bool
    def __init__(self, max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_count: _Optional[int] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class PruneJobsResponse(_message.Message):
    __slots__ = ("job_ids",)
    JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, job_ids: _Optional[_Iterable[str]] = ...) -> None: ...
