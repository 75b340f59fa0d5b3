"""The Python client: one object for the four gRPC services, one exception for what goes wrong.

with Client("127.0.0.1:50051") as client:
    for progress in client.train(images_batch_path="mnist.npz"):
        print(progress.images_trained)
    print(client.classify(image_path="test/data/n5.png").digit)
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status

from digits.v1 import digit_service_pb2 as digit_pb
from digits.v1 import models_pb2, training_pb2

Reply = TypeVar("Reply", bound=Message)

# A classification changes nothing, so a server that restarts is simply asked again.
_RETRIES = {
    # A name may stand for several servers, as a headless Service's does.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": "digits.v1.DigitService", "method": "Classify"}],
            "retryPolicy": {
                # About a second together: a server that is back is found again within half of one.
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                # CANCELLED by the other side is a call that came while a server shut its door.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
}

_OPTIONS = [
    ("grpc.service_config", json.dumps(_RETRIES)),
    # A page of jobs or models may pass gRPC's 4 MiB; what is sent is limited by the server alone.
    ("grpc.max_receive_message_length", 64 << 20),
    # A training can be watched for hours through routers that forget silent connections.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A restarted server is found again at once; gRPC's default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


class RemoteError(Exception):
    """The server's refusal: a canonical code, a sentence, and what google.rpc details there were.

    `field` names the request's field at fault, "" where none is.
    `retry_after_seconds` is None where the server did not say that a retry helps.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        field: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds

    @classmethod
    def of(cls, error: grpc.RpcError) -> Self:
        """Reads a failed call's status; details that do not parse are left out."""
        message, field, retry = error.details() or "", "", None
        for detail in _details(error):
            violations, delay = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
            if detail.Unpack(violations) and violations.field_violations:
                field = violations.field_violations[0].field
            elif detail.Unpack(delay):
                retry = delay.retry_delay.ToTimedelta().total_seconds()
        return cls(error.code(), message, field, retry)


class _Line:
    """The channel to one address, made by the first call: one made before a fork does not work behind it."""

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None) -> None:
        self._address, self._credentials = address, credentials
        self._lock = threading.Lock()
        self._open: grpc.Channel | None = None

    def channel(self) -> grpc.Channel:
        with self._lock:
            if self._open is None and self._credentials is None:
                self._open = grpc.insecure_channel(self._address, options=_OPTIONS)
            elif self._open is None:
                self._open = grpc.secure_channel(self._address, self._credentials, options=_OPTIONS)
            return self._open

    def close(self) -> None:
        with self._lock:
            channel, self._open = self._open, None
        if channel is not None:
            channel.close()


class Client:
    """Calls one address; threads may share it. Every method raises RemoteError.

    `token` is the bearer token that every call shows; `credentials` make the line a TLS one.
    Calls without a timeout of their own end after `timeout_seconds`; progress streams have no end.
    """

    def __init__(
        self,
        address: str,
        timeout_seconds: float = 30.0,
        token: str = "",
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.address = address
        self._timeout_seconds = timeout_seconds
        self._line = _Line(address, credentials)
        self._metadata = _bearer(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the channel; the next call would make another."""
        self._line.close()

    def on_behalf_of(self, authorization: str) -> Self:
        """The same line with another caller's `authorization` header; "" for none."""
        other = copy.copy(self)
        other._metadata = (("authorization", authorization),) if authorization else ()
        return other

    def train(
        self,
        *,
        images_batch_path: str | None = None,
        images_batch: bytes | None = None,
        recipe: str = "",
        request_id: str = "",
        seed: int = 0,
        promotion: training_pb2.Promotion | str | int = 0,
        timeout_seconds: float | None = None,
    ) -> Iterator[training_pb2.TrainProgress]:
        """Starts a training now and yields its progress; leaving the iterator leaves the job running.

        `promotion` is a number or a name of digits.v1.Promotion; ValueError for any other.
        """
        request = digit_pb.TrainRequest(
            images_batch_path=images_batch_path,
            images_batch=images_batch,
            recipe=recipe,
            request_id=request_id,
            seed=seed,
            promotion=promotion,  # type: ignore[arg-type]  # the stub knows no plain numbers
        )
        return self._stream("DigitService/Train", request, timeout_seconds)

    def watch_job(
        self, job_id: str, timeout_seconds: float | None = None
    ) -> Iterator[training_pb2.TrainProgress]:
        """Yields a job's progress from where it is now until it is final."""
        request = training_pb2.WatchJobRequest(job_id=job_id)
        return self._stream("JobService/WatchJob", request, timeout_seconds)

    def get_job(self, job_id: str) -> training_pb2.Job:
        """Returns one job."""
        return self._ask("JobService/GetJob", training_pb2.GetJobRequest(job_id=job_id), training_pb2.Job)

    def list_jobs(self, page_size: int = 0, page_token: str = "") -> training_pb2.ListJobsResponse:
        """Returns a page of jobs, newest first."""
        request = training_pb2.ListJobsRequest(page_size=page_size, page_token=page_token)
        return self._ask("JobService/ListJobs", request, training_pb2.ListJobsResponse)

    def cancel_job(self, job_id: str) -> training_pb2.Job:
        """Asks a job to stop and returns it."""
        return self._ask(
            "JobService/CancelJob", training_pb2.CancelJobRequest(job_id=job_id), training_pb2.Job
        )

    def prune_jobs(
        self, max_age_seconds: float | None = None, max_count: int | None = None, dry_run: bool = False
    ) -> list[str]:
        """Removes records of finished jobs and returns their ids; without limits, by the service's own."""
        request = training_pb2.PruneJobsRequest(max_count=max_count, dry_run=dry_run)
        _set_age(request.max_age, max_age_seconds)
        return list(self._ask("JobService/PruneJobs", request, training_pb2.PruneJobsResponse).job_ids)

    def classify(
        self,
        *,
        image_path: str | None = None,
        image: bytes | None = None,
        pixels: bytes | None = None,
        model_version: str = "",
        minimum_version: str = "",
        timeout_seconds: float | None = None,
    ) -> digit_pb.ClassifyResponse:
        """Returns the digit in one picture: a path below the data folder, a file's bytes, or 784 bytes."""
        request = digit_pb.ClassifyRequest(
            image_path=image_path,
            image=image,
            pixels=pixels,
            model_version=model_version,
            minimum_version=minimum_version,
        )
        return self._ask("DigitService/Classify", request, digit_pb.ClassifyResponse, timeout_seconds)

    def classify_stream(
        self, batches: Iterable[Sequence[digit_pb.ClassifyRequest]], timeout_seconds: float | None = None
    ) -> Iterator[list[digit_pb.ClassifyResponse]]:
        """Classifies batches of at most 1024 pictures; yields each batch's answers in order."""
        method = self._line.channel().stream_stream(
            "/digits.v1.DigitService/ClassifyStream",
            request_serializer=digit_pb.ClassifyStreamRequest.SerializeToString,
            response_deserializer=digit_pb.ClassifyStreamResponse.FromString,
        )
        requests = (digit_pb.ClassifyStreamRequest(requests=batch) for batch in batches)
        answers = _answers(method(requests, timeout=timeout_seconds, metadata=self._metadata))
        return (list(answer.responses) for answer in answers)

    def list_models(self, page_size: int = 0, page_token: str = "") -> models_pb2.ListModelsResponse:
        """Returns a page of registered versions, newest first."""
        request = models_pb2.ListModelsRequest(page_size=page_size, page_token=page_token)
        return self._ask("ModelService/ListModels", request, models_pb2.ListModelsResponse)

    def get_model(self, version: str) -> models_pb2.Model:
        """Returns one version; "serving" names the one that serves."""
        return self._ask(
            "ModelService/GetModel", models_pb2.GetModelRequest(version=version), models_pb2.Model
        )

    def promote_model(self, version: str) -> models_pb2.Model:
        """Makes a registered version serve and returns it."""
        request = models_pb2.PromoteModelRequest(version=version)
        return self._ask("ModelService/PromoteModel", request, models_pb2.Model)

    def rollback_model(self, from_version: str = "") -> models_pb2.Model:
        """Makes the version serve that served before and returns it.

        If `from_version` is given and no longer serves, nothing changes, and what serves is returned.
        """
        request = models_pb2.RollbackModelRequest(from_version=from_version)
        return self._ask("ModelService/RollbackModel", request, models_pb2.Model)

    def list_serving_history(
        self, page_size: int = 0, page_token: str = ""
    ) -> models_pb2.ListServingHistoryResponse:
        """Returns a page of the serving alias's moves, newest first."""
        request = models_pb2.ListServingHistoryRequest(page_size=page_size, page_token=page_token)
        return self._ask("ModelService/ListServingHistory", request, models_pb2.ListServingHistoryResponse)

    def pin_model(self, version: str, pinned: bool = True) -> models_pb2.Model:
        """Keeps a version from being pruned, or no longer, and returns it."""
        request = models_pb2.PinModelRequest(version=version, pinned=pinned)
        return self._ask("ModelService/PinModel", request, models_pb2.Model)

    def prune_models(
        self, max_age_seconds: float | None = None, max_count: int | None = None, dry_run: bool = False
    ) -> list[str]:
        """Removes versions that never served and returns them; without limits, by the service's own."""
        request = models_pb2.PruneModelsRequest(max_count=max_count, dry_run=dry_run)
        _set_age(request.max_age, max_age_seconds)
        return list(self._ask("ModelService/PruneModels", request, models_pb2.PruneModelsResponse).versions)

    def serving(self, timeout_seconds: float = 5.0) -> bool:
        """Whether the server says that it can classify (grpc.health.v1)."""
        request = health_pb2.HealthCheckRequest()
        answer = self._ask(
            "/grpc.health.v1.Health/Check", request, health_pb2.HealthCheckResponse, timeout_seconds
        )
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _ask(
        self, method: str, request: Message, reply: type[Reply], timeout_seconds: float | None = None
    ) -> Reply:
        call = self._line.channel().unary_unary(
            _path(method), type(request).SerializeToString, response_deserializer=reply.FromString
        )
        with _remote_errors():
            answer: Reply = call(
                request, timeout=timeout_seconds or self._timeout_seconds, metadata=self._metadata
            )
        return answer

    def _stream(
        self, method: str, request: Message, timeout_seconds: float | None
    ) -> Iterator[training_pb2.TrainProgress]:
        call = self._line.channel().unary_stream(
            _path(method),
            type(request).SerializeToString,
            response_deserializer=training_pb2.TrainProgress.FromString,
        )
        return _answers(call(request, timeout=timeout_seconds, metadata=self._metadata))


def _set_age(age: Duration, seconds: float | None) -> None:
    """Sets the field, also to 0; leaves it unset for None."""
    if seconds is not None:
        age.SetInParent()
        age.FromMilliseconds(round(seconds * 1000))


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),) if token else ()


def _path(method: str) -> str:
    return method if method.startswith("/") else f"/digits.v1.{method}"


def _answers(call: Any) -> Iterator[Any]:
    try:
        with _remote_errors():
            yield from call
    finally:
        call.cancel()


@contextmanager
def _remote_errors() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise RemoteError.of(error) from error


def _details(error: Any) -> Sequence[Any]:
    try:
        status = rpc_status.from_call(error)
    except (ValueError, DecodeError):
        return ()
    return status.details if status is not None else ()
