"""The same calls for asyncio: what Client returns is awaited here, and what it yields comes by `async for`.

async with AsyncClient("127.0.0.1:50051") as client:
    async for progress in client.train(images_batch_path="mnist.npz"):
        print(progress.images_trained)
    print((await client.classify(image_path="test/data/n5.png")).digit)
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from digits.client.address import target
from digits.client.channel import options_of
from digits.client.client import bearer, set_age
from digits.client.errors import remote_errors
from digits.client.uploading import upload_parts
from digits.v1 import digit_service_pb2 as digit_pb
from digits.v1 import (
    digit_service_pb2_grpc,
    feedback_pb2,
    feedback_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
)

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class _Stubs:
    """As channel.Stubs, with the types of asyncio's."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.digits = digit_service_pb2_grpc.DigitServiceStub(channel)
        self.jobs = training_pb2_grpc.JobServiceStub(channel)
        self.models = models_pb2_grpc.ModelServiceStub(channel)
        self.status = status_pb2_grpc.StatusServiceStub(channel)
        self.feedback = feedback_pb2_grpc.FeedbackServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)


class AsyncClient:
    """Calls one address from one event loop. Every method raises RemoteError; see Client for the arguments.

    The channel is made with the client, so make it where the loop runs. A stream that is left before its end
    is closed with `aclose`, or when it is collected; the job goes on.
    """

    def __init__(
        self,
        address: str,
        timeout_seconds: float = 30.0,
        token: str = "",
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.address, tls = target(address)
        self._timeout_seconds = timeout_seconds
        self._metadata = bearer(token)
        options = options_of(self.address)
        if tls or credentials:
            made = credentials or grpc.ssl_channel_credentials()
            self._channel = grpc.aio.secure_channel(self.address, made, options=options)
        else:
            self._channel = grpc.aio.insecure_channel(self.address, options=options)
        self._stubs = _Stubs(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the channel and ends what is open on it."""
        await self._channel.close()

    def train(
        self,
        *,
        images_batch_path: str | None = None,
        images_batch: bytes | IO[bytes] | None = None,
        model_bundle: bytes | None = None,
        recipe: str = "",
        request_id: str = "",
        seed: int = 0,
        promotion: training_pb2.Promotion | str | int = 0,
        orientation: training_pb2.Orientation | str | int = 0,
        base_model_version: str = "",
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[training_pb2.TrainProgress]:
        """Starts a training now and yields its progress; leaving the iterator leaves the job running.

        `images_batch` is a file's bytes or an open file, which is sent in pieces and read to its end before
        the first progress. A `model_bundle` that export_model returned is not trained, but judged and
        published. `promotion` and `orientation` are a number or a name of digits.v1.Promotion and
        Orientation; ValueError for any other.
        """
        request = digit_pb.TrainRequest(
            images_batch_path=images_batch_path,
            model_bundle=model_bundle,
            recipe=recipe,
            request_id=request_id,
            seed=seed,
            # The stub knows no plain numbers.
            promotion=promotion,  # type: ignore[arg-type]
            orientation=orientation,  # type: ignore[arg-type]
            base_model_version=base_model_version,
        )
        if images_batch is None:
            return self._stream(self._stubs.digits.Train, request, timeout_seconds)
        parts = upload_parts(request, images_batch)
        return _answers(
            self._stubs.digits.TrainUpload(parts, timeout=timeout_seconds, metadata=self._metadata)
        )

    def watch_job(
        self, job_id: str, timeout_seconds: float | None = None
    ) -> AsyncIterator[training_pb2.TrainProgress]:
        """Yields a job's progress from where it is now until it is final."""
        request = training_pb2.WatchJobRequest(job_id=job_id)
        return self._stream(self._stubs.jobs.WatchJob, request, timeout_seconds)

    async def get_job(self, job_id: str) -> training_pb2.Job:
        """Returns one job."""
        return await self._ask(self._stubs.jobs.GetJob, training_pb2.GetJobRequest(job_id=job_id))

    async def list_jobs(self, page_size: int = 0, page_token: str = "") -> training_pb2.ListJobsResponse:
        """Returns a page of jobs, newest first."""
        request = training_pb2.ListJobsRequest(page_size=page_size, page_token=page_token)
        return await self._ask(self._stubs.jobs.ListJobs, request)

    async def cancel_job(self, job_id: str) -> training_pb2.Job:
        """Asks a job to stop and returns it."""
        return await self._ask(self._stubs.jobs.CancelJob, training_pb2.CancelJobRequest(job_id=job_id))

    async def prune_jobs(
        self, max_age_seconds: float | None = None, max_count: int | None = None, dry_run: bool = False
    ) -> list[str]:
        """Removes records of finished jobs and returns their ids; without limits, by the service's own."""
        request = training_pb2.PruneJobsRequest(max_count=max_count, dry_run=dry_run)
        set_age(request.max_age, max_age_seconds)
        return list((await self._ask(self._stubs.jobs.PruneJobs, request)).job_ids)

    async def classify(
        self,
        *,
        image_path: str | None = None,
        image: bytes | None = None,
        pixels: bytes | None = None,
        model_version: str = "",
        minimum_version: str = "",
        preview: bool = False,
        timeout_seconds: float | None = None,
    ) -> digit_pb.ClassifyResponse:
        """Returns the digit in one picture: a path below the data folder, a file's bytes, or 784 bytes.

        With `preview` the answer holds the 28 x 28 pixels that the network saw, and their box in the picture.
        """
        request = digit_pb.ClassifyRequest(
            image_path=image_path,
            image=image,
            pixels=pixels,
            model_version=model_version,
            minimum_version=minimum_version,
            preview=preview,
        )
        return await self._ask(self._stubs.digits.Classify, request, timeout_seconds)

    async def classify_stream(
        self,
        batches: Iterable[Sequence[digit_pb.ClassifyRequest]]
        | AsyncIterable[Sequence[digit_pb.ClassifyRequest]],
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[list[digit_pb.ClassifyResponse]]:
        """Classifies batches of at most 1024 pictures; yields each batch's answers in order."""
        call = self._stubs.digits.ClassifyStream(
            _messages(batches), timeout=timeout_seconds, metadata=self._metadata
        )
        async for answer in _answers(call):
            yield list(answer.responses)

    async def report_label(
        self, label: int, *, prediction_id: str | None = None, pixels: bytes | None = None
    ) -> feedback_pb2.ReportLabelResponse:
        """Says what a picture shows, 0 to 9: by its answer's prediction_id, or its preview's 784 bytes."""
        request = feedback_pb2.ReportLabelRequest(prediction_id=prediction_id, pixels=pixels, label=label)
        return await self._ask(self._stubs.feedback.ReportLabel, request)

    async def list_models(self, page_size: int = 0, page_token: str = "") -> models_pb2.ListModelsResponse:
        """Returns a page of registered versions, newest first."""
        request = models_pb2.ListModelsRequest(page_size=page_size, page_token=page_token)
        return await self._ask(self._stubs.models.ListModels, request)

    async def get_model(self, version: str) -> models_pb2.Model:
        """Returns one version; "serving" names the one that serves."""
        return await self._ask(self._stubs.models.GetModel, models_pb2.GetModelRequest(version=version))

    async def promote_model(self, version: str) -> models_pb2.Model:
        """Makes a registered version serve and returns it."""
        return await self._ask(
            self._stubs.models.PromoteModel, models_pb2.PromoteModelRequest(version=version)
        )

    async def rollback_model(self, from_version: str = "") -> models_pb2.Model:
        """Makes the version serve that served before and returns it.

        If `from_version` is given and no longer serves, nothing changes, and what serves is returned.
        """
        request = models_pb2.RollbackModelRequest(from_version=from_version)
        return await self._ask(self._stubs.models.RollbackModel, request)

    async def list_serving_history(
        self, page_size: int = 0, page_token: str = ""
    ) -> models_pb2.ListServingHistoryResponse:
        """Returns a page of the serving alias's moves, newest first."""
        request = models_pb2.ListServingHistoryRequest(page_size=page_size, page_token=page_token)
        return await self._ask(self._stubs.models.ListServingHistory, request)

    async def export_model(
        self, version: str, format: models_pb2.ExportModelRequest.Format | str | int = 0
    ) -> models_pb2.ExportModelResponse:
        """Returns a version as a file: "BUNDLE" (for `train` elsewhere), "ONNX" or "KERAS"."""
        # The stub knows no plain numbers.
        request = models_pb2.ExportModelRequest(version=version, format=format)  # type: ignore[arg-type]
        return await self._ask(self._stubs.models.ExportModel, request)

    async def compare_models(
        self, first_version: str, second_version: str
    ) -> models_pb2.CompareModelsResponse:
        """Has two versions read the service's reference set: confusions, and pictures that they differ on."""
        request = models_pb2.CompareModelsRequest(first_version=first_version, second_version=second_version)
        return await self._ask(self._stubs.models.CompareModels, request)

    async def pin_model(self, version: str, pinned: bool = True) -> models_pb2.Model:
        """Keeps a version from being pruned, or no longer, and returns it."""
        request = models_pb2.PinModelRequest(version=version, pinned=pinned)
        return await self._ask(self._stubs.models.PinModel, request)

    async def prune_models(
        self, max_age_seconds: float | None = None, max_count: int | None = None, dry_run: bool = False
    ) -> list[str]:
        """Removes versions that never served and returns them; without limits, by the service's own."""
        request = models_pb2.PruneModelsRequest(max_count=max_count, dry_run=dry_run)
        set_age(request.max_age, max_age_seconds)
        return list((await self._ask(self._stubs.models.PruneModels, request)).versions)

    async def list_batches(self) -> digit_pb.ListBatchesResponse:
        """Returns what below the data folder is named as batches are."""
        return await self._ask(self._stubs.digits.ListBatches, digit_pb.ListBatchesRequest())

    async def status(self) -> status_pb2.GetStatusResponse:
        """Returns how the service's parts are, asked now."""
        return await self._ask(self._stubs.status.GetStatus, status_pb2.GetStatusRequest())

    async def serving(self, timeout_seconds: float = 5.0) -> bool:
        """Whether the server says that it can classify (grpc.health.v1)."""
        answer = await self._ask(self._stubs.health.Check, health_pb2.HealthCheckRequest(), timeout_seconds)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def _ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Reply],
        request: Request,
        timeout_seconds: float | None = None,
    ) -> Reply:
        with remote_errors():
            return await method(
                request, timeout=timeout_seconds or self._timeout_seconds, metadata=self._metadata
            )

    def _stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Reply],
        request: Request,
        timeout_seconds: float | None,
    ) -> AsyncIterator[Reply]:
        return _answers(method(request, timeout=timeout_seconds, metadata=self._metadata))


async def _messages(
    batches: Iterable[Sequence[digit_pb.ClassifyRequest]] | AsyncIterable[Sequence[digit_pb.ClassifyRequest]],
) -> AsyncIterator[digit_pb.ClassifyStreamRequest]:
    if isinstance(batches, AsyncIterable):
        async for batch in batches:
            yield digit_pb.ClassifyStreamRequest(requests=batch)
    else:
        for batch in batches:
            yield digit_pb.ClassifyStreamRequest(requests=batch)


async def _answers(call: Any) -> AsyncIterator[Any]:
    try:
        with remote_errors():
            async for answer in call:
                yield answer
    finally:
        call.cancel()
