"""How bad input is refused, over gRPC and over REST."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
import requests

from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2
from tests.service import Service

INVALID, MISSING = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


def refused(call: Any, **request: Any) -> RemoteError:
    """What a call over gRPC is refused with."""
    with pytest.raises(RemoteError) as raised:
        answer = call(**request)
        if not isinstance(answer, digit_service_pb2.ClassifyResponse):
            list(answer)
    return raised.value


def assert_refused(error: RemoteError, code: grpc.StatusCode, field: str, says: str) -> None:
    """A call over gRPC was refused so."""
    assert (error.code, error.field) == (code, field)
    assert says in error.message
    assert_no_trace(error.message)


def assert_problem(reply: requests.Response, status: int, field: str | None, says: str) -> None:
    """A call over REST was refused so."""
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json()
    assert (reply.status_code, problem["status"], problem.get("field")) == (status, status, field)
    assert says in problem["detail"]
    assert_no_trace(reply.text)


def assert_no_trace(text: str) -> None:
    """A message shows nothing of the code."""
    assert not [mark for mark in ("Traceback", 'File "', ".py") if mark in text]


def post(service: Service, call: str, **request: Any) -> requests.Response:
    """A call over REST."""
    return requests.post(f"{service.rest_url}/digits/{call}", timeout=60, **request)
