"""What is refused before it is parsed, where it would take forty times its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.errors import InvalidInput
from digits.inference import inference_pb2
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import models_pb2
from server.error_mapping import ErrorMapping
from server.observed import Observed
from server.receiving import Unread, parser
from server.wire_format import has_more_fields

STREAM = "/digits.v1.DigitService/ClassifyStream"
INFER = "/inference.GRPCInferenceService/ModelInfer"
UPLOAD = "/digits.v1.DigitService/TrainUpload"
PROMOTE = "/digits.v1.ModelService/PromoteModel"


FREED: Any = Mock()


def unparsed(message: bytes) -> Any:
    raise AssertionError("parsed")


@pytest.mark.parametrize(
    ("method", "message", "field", "says"),
    [
        (STREAM, b"\x0a\x00" * (5 << 20), "requests", "1 to 1024 pictures"),
        # After a group, which protobuf passes over.
        (STREAM, b"\x13\x14" + b"\x0a\x00" * (5 << 20), "requests", "1 to 1024 pictures"),
        # A header and a chunk in turn: each header is made anew.
        (UPLOAD, b"\x0a\x00\x12\x00" * (5 << 20), "request", "is no message that TrainUpload takes"),
        (
            INFER,
            b"\x2a\x00" * (5 << 20),
            "request",
            "ModelInfer takes at most 1,671,168: 1 to 1024 pictures",
        ),
        (PROMOTE, bytes(300 << 10), "request", "PromoteModel takes at most 262,144"),
    ],
)
def test_what_cannot_be_right_is_not_parsed(method: str, message: bytes, field: str, says: str) -> None:
    refused = parser(method, unparsed, FREED)(message)
    assert isinstance(refused, Unread) and isinstance(refused.error, InvalidInput)
    assert refused.error.field == field
    assert says in refused.error.problem


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (STREAM, pb.ClassifyStreamRequest(requests=[pb.ClassifyRequest(image=bytes(10_000))] * 1_024)),
        (INFER, inference_pb2.ModelInferRequest(raw_input_contents=[bytes(1_024 * 784)])),
        ("/digits.v1.DigitService/Classify", pb.ClassifyRequest(image=bytes(9 << 20))),
        (PROMOTE, models_pb2.PromoteModelRequest(version="v1")),
    ],
)
def test_what_may_be_right_is_parsed(method: str, message: Any) -> None:
    assert parser(method, type(message).FromString, FREED)(message.SerializeToString()) == message


def test_the_most_numbers_that_the_inference_protocol_takes_are_parsed() -> None:
    request = inference_pb2.ModelInferRequest()
    request.inputs.add().contents.uint_contents.extend([255] * 1_024 * 784)
    assert parser(INFER, type(request).FromString, FREED)(request.SerializeToString()) == request


def test_what_is_no_message_is_refused_in_words() -> None:
    refused = parser(PROMOTE, models_pb2.PromoteModelRequest.FromString, FREED)(b"\xff\xff")
    assert isinstance(refused, Unread)
    assert str(refused.error) == "request: is no message that PromoteModel takes"


@pytest.mark.parametrize(("max_fields", "more"), [(2, True), (3, False)])
def test_fields_are_counted_and_not_what_is_inside(max_fields: int, more: bool) -> None:
    inner = pb.ClassifyRequest(image=b"\x0a\x00" * 100, model_version="v1")
    message = pb.ClassifyStreamRequest(requests=[inner] * 3).SerializeToString()
    assert has_more_fields(message, max_fields) is more


def test_fields_of_every_kind_are_passed_over() -> None:
    varint, eight, four = b"\x08\xff\x01", b"\x11" + bytes(8), b"\x1d" + bytes(4)
    assert not has_more_fields(varint + eight + four, 3)
    assert has_more_fields(varint + eight + four, 2)


@given(st.binary(max_size=200), st.integers(0, 20))
def test_nothing_makes_the_count_fail_or_go_on_for_ever(message: bytes, max_fields: int) -> None:
    assert has_more_fields(message, max_fields) in (True, False)


class Context:
    """Keeps what a call ended with."""

    status: Any = None

    def invocation_metadata(self) -> None:
        """None came."""

    async def abort_with_status(self, status: Any) -> None:
        self.status = status
        raise RuntimeError


class Servicer:
    """Would answer whatever comes."""

    async def unary(self, request: Any, context: Context) -> str:
        return "answered"

    async def streaming(self, requests: Any, context: Context) -> AsyncIterator[Any]:
        async for request in requests:
            yield request


def guarded() -> Any:
    return ErrorMapping(Observed(Servicer()))


UNREAD = Unread(InvalidInput("request", "is none"))


def test_a_call_whose_message_was_refused_ends_with_that() -> None:
    context = Context()
    with pytest.raises(RuntimeError):
        asyncio.run(guarded().unary(UNREAD, context))
    assert context.status.details == "request: is none"


def test_a_stream_ends_at_the_message_that_was_refused() -> None:
    context, answered = Context(), []

    async def come() -> AsyncIterator[Any]:
        yield "first"
        yield UNREAD

    async def follow() -> None:
        async for each in guarded().streaming(come(), context):
            answered.append(each)

    with pytest.raises(RuntimeError):
        asyncio.run(follow())
    assert (answered, context.status.details) == (["first"], "request: is none")
