"""The Python client: one object for the gRPC services, one exception for what goes wrong.

with Client("127.0.0.1:50051") as client:
    for progress in client.train(images_batch_path="mnist.npz"):
        print(progress.images_trained)
    print(client.classify(image_path="test/data/n5.png").digit)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Self, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2

from digits.client.address import target
from digits.client.channel import Connection, Stubs
from digits.client.errors import remote_errors
from digits.client.patience import Patience
from digits.client.uploading import upload_parts
from digits.v1 import digit_service_pb2 as digit_pb
from digits.v1 import feedback_pb2, models_pb2, status_pb2, training_pb2

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class Client:
    """Calls one address; threads may share it. Every method raises RemoteError.

    `address` is HOST:PORT, or what else address.target takes. `token` is the bearer token that every call
    shows; `credentials` make the channel a TLS one, as https:// does.
    Calls without a timeout of their own end after `timeout_seconds`; progress streams have no end. A server
    that answered before and is gone may be starting again: classifications and reads, which change nothing,
    ask it again for `patience_seconds`.
    """

    def __init__(
        self,
        address: str,
        timeout_seconds: float = 30.0,
        token: str = "",
        credentials: grpc.ChannelCredentials | None = None,
        patience_seconds: float = 0.0,
    ) -> None:
        self.address, tls = target(address)
        self._patience = Patience(patience_seconds)
        self._timeout_seconds = timeout_seconds
        made = grpc.ssl_channel_credentials() if tls and credentials is None else credentials
        self._connection = Connection(self.address, made)
        self._metadata = bearer(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the channel; the next call would make another."""
        self._connection.close()

    def on_behalf_of(self, authorization: str, headers: Mapping[str, str] | None = None) -> Self:
        """The same channel with another caller's `authorization` header, "" for none, and further headers."""
        other = copy.copy(self)
        known = {"authorization": authorization, **(headers or {})}
        other._metadata = tuple((name, value) for name, value in known.items() if value)
        return other

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
    ) -> Iterator[training_pb2.TrainProgress]:
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
        call = self._stubs.digits.TrainUpload(parts, timeout=timeout_seconds, metadata=self._metadata)
        return _answers(call, call.cancel)

    def watch_job(
        self, job_id: str, timeout_seconds: float | None = None
    ) -> Iterator[training_pb2.TrainProgress]:
        """Yields a job's progress from where it is now until it is final."""
        request = training_pb2.WatchJobRequest(job_id=job_id)
        return self._stream(self._stubs.jobs.WatchJob, request, timeout_seconds)

    def get_job(self, job_id: str) -> training_pb2.Job:
        """Returns one job."""
        request = training_pb2.GetJobRequest(job_id=job_id)
        return self._patience.ask(lambda: self._ask(self._stubs.jobs.GetJob, request))

    def list_jobs(self, page_size: int = 0, page_token: str = "") -> training_pb2.ListJobsResponse:
        """Returns a page of jobs, newest first."""
        request = training_pb2.ListJobsRequest(page_size=page_size, page_token=page_token)
        return self._ask(self._stubs.jobs.ListJobs, request)

    def cancel_job(self, job_id: str) -> training_pb2.Job:
        """Asks a job to stop and returns it."""
        return self._ask(self._stubs.jobs.CancelJob, training_pb2.CancelJobRequest(job_id=job_id))

    def prune_jobs(
        self, max_age_seconds: float | None = None, max_count: int | None = None, dry_run: bool = False
    ) -> list[str]:
        """Removes records of finished jobs and returns their ids; without limits, by the service's own."""
        request = training_pb2.PruneJobsRequest(max_count=max_count, dry_run=dry_run)
        set_age(request.max_age, max_age_seconds)
        return list(self._ask(self._stubs.jobs.PruneJobs, request).job_ids)

    def classify(
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
        return self._patience.ask(lambda: self._ask(self._stubs.digits.Classify, request, timeout_seconds))

    def classify_stream(
        self, batches: Iterable[Sequence[digit_pb.ClassifyRequest]], timeout_seconds: float | None = None
    ) -> Iterator[list[digit_pb.ClassifyResponse]]:
        """Classifies batches of at most 1024 pictures; yields each batch's answers in order."""
        requests = (digit_pb.ClassifyStreamRequest(requests=batch) for batch in batches)
        call = self._stubs.digits.ClassifyStream(requests, timeout=timeout_seconds, metadata=self._metadata)
        return (list(answer.responses) for answer in _answers(call, call.cancel))

    def report_label(
        self, label: int, *, prediction_id: str | None = None, pixels: bytes | None = None
    ) -> feedback_pb2.ReportLabelResponse:
        """Says what a picture shows, 0 to 9: by its answer's prediction_id, or its preview's 784 bytes."""
        request = feedback_pb2.ReportLabelRequest(prediction_id=prediction_id, pixels=pixels, label=label)
        return self._ask(self._stubs.feedback.ReportLabel, request)

    def list_models(self, page_size: int = 0, page_token: str = "") -> models_pb2.ListModelsResponse:
        """Returns a page of registered versions, newest first."""
        request = models_pb2.ListModelsRequest(page_size=page_size, page_token=page_token)
        return self._ask(self._stubs.models.ListModels, request)

    def get_model(self, version: str) -> models_pb2.Model:
        """Returns one version; "serving" names the one that serves."""
        return self._ask(self._stubs.models.GetModel, models_pb2.GetModelRequest(version=version))

    def promote_model(self, version: str) -> models_pb2.Model:
        """Makes a registered version serve and returns it."""
        return self._ask(self._stubs.models.PromoteModel, models_pb2.PromoteModelRequest(version=version))

    def rollback_model(self, from_version: str = "") -> models_pb2.Model:
        """Makes the version serve that served before and returns it.

        If `from_version` is given and no longer serves, nothing changes, and what serves is returned.
        """
        request = models_pb2.RollbackModelRequest(from_version=from_version)
        return self._ask(self._stubs.models.RollbackModel, request)

    def list_serving_history(
        self, page_size: int = 0, page_token: str = ""
    ) -> models_pb2.ListServingHistoryResponse:
        """Returns a page of the serving alias's moves, newest first."""
        request = models_pb2.ListServingHistoryRequest(page_size=page_size, page_token=page_token)
        return self._ask(self._stubs.models.ListServingHistory, request)

    def export_model(
        self, version: str, format: models_pb2.ExportModelRequest.Format | str | int = 0
    ) -> models_pb2.ExportModelResponse:
        """Returns a version as a file: "BUNDLE" (for `train` elsewhere), "ONNX" or "KERAS"."""
        # The stub knows no plain numbers.
        request = models_pb2.ExportModelRequest(version=version, format=format)  # type: ignore[arg-type]
        return self._ask(self._stubs.models.ExportModel, request)

    def compare_models(self, first_version: str, second_version: str) -> models_pb2.CompareModelsResponse:
        """Has two versions read the service's reference set: confusions, and pictures that they differ on."""
        request = models_pb2.CompareModelsRequest(first_version=first_version, second_version=second_version)
        return self._ask(self._stubs.models.CompareModels, request)

    def pin_model(self, version: str, pinned: bool = True) -> models_pb2.Model:
        """Keeps a version from being pruned, or no longer, and returns it."""
        request = models_pb2.PinModelRequest(version=version, pinned=pinned)
        return self._ask(self._stubs.models.PinModel, request)

    def prune_models(
        self, max_age_seconds: float | None = None, max_count: int | None = None, dry_run: bool = False
    ) -> list[str]:
        """Removes versions that never served and returns them; without limits, by the service's own."""
        request = models_pb2.PruneModelsRequest(max_count=max_count, dry_run=dry_run)
        set_age(request.max_age, max_age_seconds)
        return list(self._ask(self._stubs.models.PruneModels, request).versions)

    def list_batches(self) -> digit_pb.ListBatchesResponse:
        """Returns what below the data folder is named as batches are."""
        return self._ask(self._stubs.digits.ListBatches, digit_pb.ListBatchesRequest())

    def status(self) -> status_pb2.GetStatusResponse:
        """Returns how the service's parts are, asked now."""
        return self._ask(self._stubs.status.GetStatus, status_pb2.GetStatusRequest())

    def serving(self, timeout_seconds: float = 5.0) -> bool:
        """Whether the server says that it can classify (grpc.health.v1)."""
        answer = self._ask(self._stubs.health.Check, health_pb2.HealthCheckRequest(), timeout_seconds)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    @property
    def _stubs(self) -> Stubs:
        return self._connection.stubs()

    def _ask(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Reply],
        request: Request,
        timeout_seconds: float | None = None,
    ) -> Reply:
        with remote_errors():
            return method(request, timeout=timeout_seconds or self._timeout_seconds, metadata=self._metadata)

    def _stream(
        self,
        method: grpc.UnaryStreamMultiCallable[Request, Reply],
        request: Request,
        timeout_seconds: float | None,
    ) -> Iterator[Reply]:
        call = method(request, timeout=timeout_seconds, metadata=self._metadata)
        return _answers(call, call.cancel)


def set_age(age: Duration, seconds: float | None) -> None:
    """Sets the field, also to 0; leaves it unset for None."""
    if seconds is not None:
        age.SetInParent()
        age.FromMilliseconds(round(seconds * 1000))


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata that shows a token; none for ""."""
    return (("authorization", f"Bearer {token}"),) if token else ()


def _answers(call: Iterable[Reply], cancel: Callable[[], object]) -> Iterator[Reply]:
    try:
        with remote_errors():
            yield from call
    finally:
        cancel()
