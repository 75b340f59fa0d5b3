"""Messages as they come in: what cannot be right is refused before it is parsed.

A message of nothing but empty parts takes forty times its bytes once it is parsed, and 63 MB of them come
packed in 64 KB.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from digits.errors import DigitsError, InvalidInput
from digits.pixels import PIXELS_PER_IMAGE
from server import wire_format
from server.freed_memory import FreedMemory
from server.inference_request import MAX_PICTURES

Message = TypeVar("Message")
Parse = Callable[[bytes], Message]

MAX_IN_MESSAGE = 1024
"""Pictures in one message of ClassifyStream."""

_CLASSIFY_STREAM = "/digits.v1.DigitService/ClassifyStream"
# What carries pictures or batches has gRPC's own limit, DIGITS_MAX_REQUEST_BYTES.
_WITH_FILES = frozenset(
    {
        _CLASSIFY_STREAM,
        "/digits.v1.DigitService/Classify",
        "/digits.v1.DigitService/Train",
        "/digits.v1.DigitService/TrainUpload",
    }
)
_MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
# Pixels above 127 take two bytes in uint_contents; names and shape take little.
_MAX_INFER_BYTES = 2 * MAX_PICTURES * PIXELS_PER_IMAGE + (64 << 10)
_INFERRED = f": 1 to {MAX_PICTURES} pictures of {PIXELS_PER_IMAGE} pixels, UINT8"
# Enough for every other call; and whatever so few bytes are, it takes 20 MB at most.
_FEW_BYTES = 256 << 10
# A picture from a camera has less.
_LARGE_BYTES = 1 << 20


@dataclass(frozen=True)
class Unread:
    """Stands for a message that was refused: whoever gets it raises `error`."""

    error: DigitsError


def parser(method: str, parse: Parse[Message], freed: FreedMemory) -> Parse[Message | Unread]:
    """What parses a method's messages, or says why not; it never raises."""

    def read(message: bytes) -> Message | Unread:
        if len(message) > _LARGE_BYTES:
            freed.give_back_soon()
        if len(message) > _FEW_BYTES and (problem := _problem(method, message)):
            return Unread(problem)
        try:
            return parse(message)
        except DecodeError:
            return Unread(_no_message(method.rpartition("/")[2]))

    return read


def require_read(message: Message | Unread) -> Message:
    """The message; raises what it was refused for."""
    if isinstance(message, Unread):
        raise message.error
    return message


async def all_read(messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """A stream's messages; raises what one was refused for."""
    async for message in messages:
        yield require_read(message)


def too_many_pictures() -> InvalidInput:
    """Of a message of ClassifyStream."""
    return InvalidInput("requests", f"1 to {MAX_IN_MESSAGE} pictures a message")


def _problem(method: str, message: bytes) -> InvalidInput | None:
    name = method.rpartition("/")[2]
    if method in _WITH_FILES:
        if not wire_format.has_more_fields(message, MAX_IN_MESSAGE):
            return None
        return too_many_pictures() if method == _CLASSIFY_STREAM else _no_message(name)
    max_bytes, holding = (_MAX_INFER_BYTES, _INFERRED) if method == _MODEL_INFER else (_FEW_BYTES, "")
    if len(message) <= max_bytes:
        return None
    return InvalidInput("request", f"has {len(message):,} bytes; {name} takes at most {max_bytes:,}{holding}")


def _no_message(name: str) -> InvalidInput:
    return InvalidInput("request", f"is no message that {name} takes")
