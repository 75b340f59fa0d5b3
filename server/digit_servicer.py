"""digits.v1.DigitService: train and classify."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc

from digits.datasets.listing import found_batches
from digits.errors import InvalidInput
from digits.feedback.predictions import Predictions
from digits.jobs.admission import Admission
from digits.jobs.train_request import Upload
from digits.security.tokens import Role
from digits.serving.classifier import Classifier
from digits.settings import Settings
from digits.signals.context import JOB_ID
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc, training_pb2
from server import wire
from server.access import Access
from server.blocking import reading, storing
from server.bulk import MAX_PIECES, pieces
from server.pictures.pictures import Pictures
from server.progress_stream import ProgressStreams
from server.receiving import MAX_IN_MESSAGE, require_read, too_many_pictures
from server.uploads import Uploads

# Messages of one bulk stream that are worked on at once: one out, one waiting, so that the queue stays fed.
_MESSAGES_IN_FLIGHT = 2


class DigitServicer(digit_service_pb2_grpc.DigitServiceServicer):
    """Translates, calls the core, returns."""

    def __init__(
        self,
        admission: Admission,
        progress_streams: ProgressStreams,
        classifier: Classifier,
        pictures: Pictures,
        predictions: Predictions,
        *,
        access: Access,
        settings: Settings,
    ) -> None:
        self._uploads = Uploads(
            settings.var_dir / "incoming" / f"server-{settings.grpc_port}", settings.max_upload_bytes
        )
        self._admission, self._progress_streams, self._classifier = admission, progress_streams, classifier
        self._predictions = predictions
        self._access, self._settings, self._pictures = access, settings, pictures
        self._bulk_room = asyncio.Semaphore(MAX_PIECES)
        self._piece_readings = max(1, settings.classify_max_batch // MAX_PIECES)

    async def Train(  # type: ignore[override]
        self, requests: AsyncIterator[pb.TrainRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[training_pb2.TrainProgress]:
        """Accepts a job and streams its progress; what the caller does with the stream changes nothing.

        Its one request is read here (generic_handlers.py) and not by way of `requests`, which would keep it.
        """
        job = await self._admitted(await _received(context), context)
        async for progress in self._progress_streams.follow(job.job_id):
            yield progress

    async def TrainUpload(
        self, requests: AsyncIterator[pb.TrainUploadRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[training_pb2.TrainProgress]:
        """The same for a batch that comes in pieces; what the header is refused for is, before the rest."""
        header = await self._uploads.header(requests)
        self._check_promotion(header, context)
        caller = self._access.caller(context)
        await storing(self._admission.check_header, header, caller)
        async with self._uploads.file(requests, caller) as upload:
            job = await self._admitted(header, context, upload)
        async for progress in self._progress_streams.follow(job.job_id):
            yield progress

    async def _admitted(
        self, request: pb.TrainRequest, context: grpc.aio.ServicerContext, upload: Upload | None = None
    ) -> training_pb2.Job:
        self._check_promotion(request, context)
        job = await storing(self._admission.admit, request, self._access.caller(context), upload)
        JOB_ID.set(job.job_id)
        return job

    def _check_promotion(self, request: pb.TrainRequest, context: grpc.aio.ServicerContext) -> None:
        if request.promotion == training_pb2.ALWAYS:
            self._access.require(Role.ADMIN, context, "promotion ALWAYS")

    async def ListBatches(
        self, request: pb.ListBatchesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListBatchesResponse:
        """Returns what below the data folder is named as batches are."""
        found = await reading(found_batches, self._settings.data_dir)
        batches = (pb.Batch(path=b.path, total_bytes=b.total_bytes, folder=b.folder) for b in found)
        return pb.ListBatchesResponse(batches=batches)

    async def Classify(
        self, request: pb.ClassifyRequest, context: grpc.aio.ServicerContext
    ) -> pb.ClassifyResponse:
        """Returns the digit in one picture."""
        return (await self._answers([request], context, bulk=False))[0]

    async def ClassifyStream(
        self, requests: AsyncIterator[pb.ClassifyStreamRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ClassifyStreamResponse]:
        """Answers in order, with a bounded number of messages at work."""
        at_work: asyncio.Queue[asyncio.Task[pb.ClassifyStreamResponse] | None] = asyncio.Queue()
        room = asyncio.Semaphore(_MESSAGES_IN_FLIGHT)

        async def read() -> None:
            try:
                async for request in requests:
                    await room.acquire()
                    at_work.put_nowait(asyncio.create_task(self._classify_many(request, context)))
            finally:
                at_work.put_nowait(None)

        reading = asyncio.create_task(read())
        try:
            while task := await at_work.get():
                yield await task
                room.release()
            await reading
        finally:
            reading.cancel()
            while not at_work.empty():
                if task := at_work.get_nowait():
                    task.cancel()

    async def _classify_many(
        self, message: pb.ClassifyStreamRequest, context: grpc.aio.ServicerContext
    ) -> pb.ClassifyStreamResponse:
        if not 0 < len(message.requests) <= MAX_IN_MESSAGE:
            raise too_many_pictures()
        for field in ("model_version", "minimum_version"):
            if len({getattr(request, field) for request in message.requests}) > 1:
                raise InvalidInput(field, "the same for all pictures of a message")
        response = pb.ClassifyStreamResponse()
        for piece in pieces(message.requests, self._piece_readings):
            async with self._bulk_room:
                response.responses.extend(await self._answers(piece, context, bulk=True))
        return response

    async def _answers(
        self, requests: Sequence[pb.ClassifyRequest], context: grpc.aio.ServicerContext, *, bulk: bool
    ) -> list[pb.ClassifyResponse]:
        """Of pictures that one version is asked for."""
        pictures = [await self._pictures.candidates(request) for request in requests]
        answer = await self._classifier.classify(
            wire.stacked(pictures),
            requests[0].model_version,
            requests[0].minimum_version,
            context.time_remaining(),
            bulk=bulk,
        )
        return wire.classify_responses(answer, pictures, requests, self._predictions)


async def _received(context: grpc.aio.ServicerContext) -> pb.TrainRequest:
    request: Any = await context.read()
    if request is grpc.aio.EOF:
        raise InvalidInput("request", "none came; Train takes one")
    train: pb.TrainRequest = require_read(request)
    return train
