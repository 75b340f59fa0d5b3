"""The asyncio client: the same calls as the other one, against a real gRPC server in this process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

import digits.client
from digits import errors
from digits.client.aio import AsyncClient
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import training_pb2
from tests.plain_pixels import SOME_PIXELS
from tests.unit.recorded_service import RecordedService, recorded_service

SAME_NETWORK_ONLY = {"on_behalf_of"}


@pytest.fixture
def service() -> Iterator[RecordedService]:
    with recorded_service() as running:
        yield running


def calls(client: type) -> dict[str, Any]:
    public = inspect.getmembers(client, inspect.isfunction)
    return {name: call for name, call in public if not name.startswith("_") and name not in SAME_NETWORK_ONLY}


def test_both_clients_have_the_same_calls_with_the_same_arguments() -> None:
    here, there = calls(AsyncClient), calls(Client)
    assert here.keys() == there.keys()
    for name, call in here.items():
        mine, others = inspect.signature(call).parameters, inspect.signature(there[name]).parameters
        assert [(p.name, p.kind, p.default) for p in mine.values()] == [
            (p.name, p.kind, p.default) for p in others.values()
        ]


def test_calls_are_awaited_and_progress_comes_as_it_is(service: RecordedService) -> None:
    service.answers["Train"] = [training_pb2.TrainProgress(job_id="j1", images_trained=n) for n in (64, 128)]

    async def talk() -> tuple[int, list[int], str, list[str]]:
        async with AsyncClient(service.address) as client:
            answer = await client.classify(pixels=SOME_PIXELS)
            trained = [p.images_trained async for p in client.train(images_batch_path="mnist.npz")]
            trained += [p.images_trained async for p in client.train(images_batch=b"npz", seed=1)]
            job = await client.get_job("j1")
            return answer.digit, trained, job.job_id, await client.prune_jobs(max_count=1)

    assert asyncio.run(talk()) == (5, [64, 128, 64, 128], "j1", ["j1"])
    assert service.requests[1].images_batch_path == "mnist.npz"
    assert service.requests[2] == pb.TrainRequest(images_batch=b"npz", seed=1)


def test_bulk_answers_come_in_order(service: RecordedService) -> None:
    def answer(messages: Any, _: grpc.ServicerContext) -> Iterator[pb.ClassifyStreamResponse]:
        for message in messages:
            yield pb.ClassifyStreamResponse(
                responses=[pb.ClassifyResponse(digit=r.pixels[0]) for r in message.requests]
            )

    service.answers["ClassifyStream"] = answer

    async def talk() -> list[list[int]]:
        batches = [[pb.ClassifyRequest(pixels=bytes([n]))] * n for n in (1, 2)]
        async with AsyncClient(service.address) as client:
            return [[each.digit for each in answers] async for answers in client.classify_stream(batches)]

    assert asyncio.run(talk()) == [[1], [2, 2]]


def test_a_refusal_is_the_same_error(service: RecordedService) -> None:
    service.answers["GetModel"] = errors.NotFound("model version", "v9")
    service.answers["WatchJob"] = [training_pb2.TrainProgress(), errors.InvalidInput("job_id", "is wrong")]

    async def talk() -> list[RemoteError]:
        refused = []
        async with AsyncClient(service.address) as client:
            with pytest.raises(RemoteError) as missing:
                await client.get_model("v9")
            refused.append(missing.value)
            with pytest.raises(RemoteError) as wrong:
                [progress async for progress in client.watch_job("j1")]
            refused.append(wrong.value)
        return refused

    missing, wrong = asyncio.run(talk())
    assert (missing.code, missing.message) == (grpc.StatusCode.NOT_FOUND, "no model version 'v9'")
    assert (wrong.code, wrong.field) == (grpc.StatusCode.INVALID_ARGUMENT, "job_id")


def test_programs_outside_the_repository_import_it_as_documented() -> None:
    assert digits.client.AsyncClient is AsyncClient
