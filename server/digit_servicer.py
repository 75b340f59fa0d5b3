"""digits.v1.DigitService: train and classify."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc

from digits.errors import InvalidInput
from digits.imaging.candidate import Candidate
from digits.jobs.admission import Admission
from digits.serving.answering import Answer
from digits.serving.classifier import Classifier
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc, training_pb2
from server import wire
from server.access import Access
from server.blocking import storing
from server.pictures import Pictures
from server.progress_stream import ProgressStreams

_MAX_IN_MESSAGE = 1024
# Messages of one bulk stream that are worked on at once: one out, one waiting, so that the queue stays fed.
_MESSAGES_IN_FLIGHT = 2


class DigitServicer(digit_service_pb2_grpc.DigitServiceServicer):
    """Translates, calls the core, returns."""

    def __init__(
        self,
        admission: Admission,
        progress_streams: ProgressStreams,
        classifier: Classifier,
        *,
        access: Access,
        settings: Settings,
    ) -> None:
        self._admission, self._progress_streams, self._classifier = admission, progress_streams, classifier
        self._access, self._pictures = access, Pictures(settings)

    async def Train(
        self, request: pb.TrainRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[training_pb2.TrainProgress]:
        """Accepts a job and streams its progress; what the caller does with the stream changes nothing."""
        caller = self._access.caller(context)
        job = await storing(self._admission.admit, request, caller)
        async for progress in self._progress_streams.follow(job.job_id):
            yield progress

    async def Classify(
        self, request: pb.ClassifyRequest, context: grpc.aio.ServicerContext
    ) -> pb.ClassifyResponse:
        """Returns the digit in one picture."""
        picture = await self._pictures.candidates(request)
        answer = await self._predict([picture], request, context)
        return wire.classify_responses(answer, [picture], [request])[0]

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
        if not 0 < len(message.requests) <= _MAX_IN_MESSAGE:
            raise InvalidInput("requests", f"1 to {_MAX_IN_MESSAGE} pictures a message")
        for field in ("model_version", "minimum_version"):
            if len({getattr(request, field) for request in message.requests}) > 1:
                raise InvalidInput(field, "the same for all pictures of a message")
        pictures = [await self._pictures.candidates(request) for request in message.requests]
        answer = await self._predict(pictures, message.requests[0], context)
        responses = wire.classify_responses(answer, pictures, message.requests)
        return pb.ClassifyStreamResponse(responses=responses)

    async def _predict(
        self,
        pictures: Sequence[Sequence[Candidate]],
        request: pb.ClassifyRequest,
        context: grpc.aio.ServicerContext,
    ) -> Answer:
        return await self._classifier.classify(
            wire.stacked(pictures), request.model_version, request.minimum_version, context.time_remaining()
        )
