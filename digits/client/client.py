"""The Python client: one object for the four gRPC services, one exception for what goes wrong.

with Client("127.0.0.1:50051") as client:
    for progress in client.train(images_batch_path="mnist.npz"):
        print(progress.images_trained)
    print(client.classify(image_path="test/data/n5.png").digit)
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from digits.client.channel import Channel
from digits.client.errors import remote_errors
from digits.v1 import digit_service_pb2 as digit_pb
from digits.v1 import models_pb2, training_pb2

Reply = TypeVar("Reply", bound=Message)


class Client:
    """Calls one address; threads may share it. Every method raises RemoteError.

    `token` is the bearer token that every call shows; `credentials` make the channel a TLS one.
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
        self._channel = Channel(address, credentials)
        self._metadata = _bearer(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the channel; the next call would make another."""
        self._channel.close()

    def on_behalf_of(self, authorization: str) -> Self:
        """The same channel with another caller's `authorization` header; "" for none."""
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
        method = self._channel.get().stream_stream(
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

    def rollback_model(self) -> models_pb2.Model:
        """Makes the version serve that served before and returns it."""
        return self._ask("ModelService/RollbackModel", models_pb2.RollbackModelRequest(), models_pb2.Model)

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
        call = self._channel.get().unary_unary(
            _path(method), type(request).SerializeToString, response_deserializer=reply.FromString
        )
        with remote_errors():
            answer: Reply = call(
                request, timeout=timeout_seconds or self._timeout_seconds, metadata=self._metadata
            )
        return answer

    def _stream(
        self, method: str, request: Message, timeout_seconds: float | None
    ) -> Iterator[training_pb2.TrainProgress]:
        call = self._channel.get().unary_stream(
            _path(method),
            type(request).SerializeToString,
            response_deserializer=training_pb2.TrainProgress.FromString,
        )
        return _answers(call(request, timeout=timeout_seconds, metadata=self._metadata))


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),) if token else ()


def _path(method: str) -> str:
    return method if method.startswith("/") else f"/digits.v1.{method}"


def _answers(call: Any) -> Iterator[Any]:
    try:
        with remote_errors():
            yield from call
    finally:
        call.cancel()
