"""What a call ends with when the server refuses it or is away: one exception, read from the call's status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class RemoteError(Exception):
    """The server's refusal: a canonical code, a sentence, and what google.rpc details there were.

    `field` names the request's field at fault, "" if none is.
    `retry_after_seconds` is None unless the server said that a retry helps.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        field: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds

    @property
    def unanswered(self) -> bool:
        """Whether no server said this: the sentence is gRPC's own, about a connection that failed.

        A server that is away for a while says with each UNAVAILABLE when to come again.
        """
        return self.code is grpc.StatusCode.UNAVAILABLE and self.retry_after_seconds is None

    @classmethod
    def of(cls, error: grpc.RpcError) -> Self:
        """Reads a failed call's status; details that do not parse are left out."""
        message, field, retry = _with_way_out(error.details() or ""), "", None
        for detail in _details(error):
            violations, delay = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
            if detail.Unpack(violations) and violations.field_violations:
                field = violations.field_violations[0].field
            elif detail.Unpack(delay):
                retry = delay.retry_delay.ToTimedelta().total_seconds()
        return cls(error.code(), message, field, retry)


@contextmanager
def remote_errors() -> Iterator[None]:
    """Turns gRPC's errors into RemoteError."""
    try:
        yield
    except grpc.RpcError as error:
        raise RemoteError.of(error) from error


def _with_way_out(message: str) -> str:
    """What gRPC itself says knows neither who did not answer nor the setting nor another way."""
    if message == "Deadline Exceeded":
        return "the server did not answer in time"
    if "message larger than max" in message:
        return f"{message}: DIGITS_MAX_REQUEST_BYTES; a batch may come in pieces, by TrainUpload"
    return message


def _details(error: Any) -> Sequence[Any]:
    try:
        status = rpc_status.from_call(error)
    except (ValueError, DecodeError):
        return ()
    return status.details if status is not None else ()
