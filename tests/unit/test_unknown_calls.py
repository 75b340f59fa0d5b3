"""Calls of the inference protocol's extensions, as tritonclient makes them."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from server.unknown_calls import UnknownCalls


async def refusal(method: str) -> tuple[grpc.StatusCode, str | None]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((UnknownCalls(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary(method)(b"")
    await server.stop(0)
    return refused.value.code(), refused.value.details()


@pytest.mark.parametrize(
    ("method", "instead"),
    [
        ("ModelConfig", "ModelMetadata describes the model's input and output"),
        ("RepositoryModelLoad", "digits.v1.ModelService/PromoteModel makes a version serve"),
        ("SystemSharedMemoryStatus", "the open inference protocol's own calls are here, not its extensions"),
    ],
)
def test_a_call_that_is_not_offered_says_so_and_what_to_call(method: str, instead: str) -> None:
    code, sentence = asyncio.run(refusal(f"/inference.GRPCInferenceService/{method}"))
    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert sentence == f"{method} is not offered: {instead}"


def test_another_services_method_is_left_to_others() -> None:
    code, sentence = asyncio.run(refusal("/digits.v1.DigitService/Guess"))
    assert (code, sentence) == (grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
