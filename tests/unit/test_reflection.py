"""What clients by reflection ask for, as grpcurl and ghz do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2 as pb

from server import reflection

SERVICES = ["digits.v1.DigitService"]


async def answer(*requests: pb.ServerReflectionRequest) -> list[pb.ServerReflectionResponse]:
    """A real server's answers, by the name v1."""
    server = grpc.aio.server()
    reflection.enable(server, SERVICES, lambda servicer: servicer)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream(
            f"/{reflection.V1}/ServerReflectionInfo",
            request_serializer=pb.ServerReflectionRequest.SerializeToString,
            response_deserializer=pb.ServerReflectionResponse.FromString,
        )
        answers = [each async for each in call(iter(requests))]
    await server.stop(0)
    return answers


def files(response: pb.ServerReflectionResponse) -> Iterator[descriptor_pb2.FileDescriptorProto]:
    for serialized in response.file_descriptor_response.file_descriptor_proto:
        yield descriptor_pb2.FileDescriptorProto.FromString(serialized)


@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        ("digits.v1.DigitService", "digits/v1/digit_service.proto"),
        ("digits.v1.DigitService.Classify", "digits/v1/digit_service.proto"),
        (".digits.v1.DigitService.Classify", "digits/v1/digit_service.proto"),
        ("digits.v1.QUEUED", "digits/v1/training.proto"),
        ("digits.v1.JobState.QUEUED", "digits/v1/training.proto"),
        ("digits.v1.Model.SERVING", "digits/v1/models.proto"),
        ("digits.v1.Model.State.SERVING", "digits/v1/models.proto"),
        ("grpc.reflection.v1.ServerReflection", "grpc_reflection/v1/reflection.proto"),
        ("grpc.reflection.v1.ServerReflection.ServerReflectionInfo", "grpc_reflection/v1/reflection.proto"),
        ("grpc.reflection.v1.ServerReflectionRequest", "grpc_reflection/v1/reflection.proto"),
    ],
)
def test_a_symbol_is_found_in_its_file(symbol: str, file: str) -> None:
    (response,) = asyncio.run(answer(pb.ServerReflectionRequest(file_containing_symbol=symbol)))
    assert file in {found.name for found in files(response)}


@pytest.mark.parametrize("symbol", ["digits.v1.DigitService.Guess", "digits.v1.JobState.LOST", "digits", ""])
def test_a_symbol_that_is_not_there_is_not_found(symbol: str) -> None:
    (response,) = asyncio.run(answer(pb.ServerReflectionRequest(file_containing_symbol=symbol)))
    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_what_is_listed_is_described() -> None:
    (listed,) = asyncio.run(answer(pb.ServerReflectionRequest(list_services="")))
    names = [service.name for service in listed.list_services_response.service]
    assert "grpc.reflection.v1.ServerReflection" in names
    asked = [pb.ServerReflectionRequest(file_containing_symbol=name) for name in names]
    assert all(list(files(response)) for response in asyncio.run(answer(*asked)))
