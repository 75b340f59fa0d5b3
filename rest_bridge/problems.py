"""Every error as application/problem+json (RFC 9457): the one place where a canonical code becomes HTTP."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from http import HTTPStatus

import grpc
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from digits.client.errors import RemoteError
from digits.errors import Unauthenticated

HTTP_OF = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.CANCELLED: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 503,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

# FAILED_PRECONDITION says "no model serves yet", which passes by itself; here it says that the
# registry is not in the state that the caller thinks, and a retry does not help.
_STATE_CHANGES = frozenset({"models.promote", "models.rollback"})


@dataclass(frozen=True)
class Problem:
    """What a caller reads of an error; `retry_after_seconds` is whole and None where no retry helps."""

    status: int
    detail: str
    field: str = ""
    code: str = ""
    retry_after_seconds: int | None = None
    allow: str = ""


class Refused(Exception):
    """The bridge itself refuses a request: `field` names where, the text says what is allowed."""

    def __init__(self, detail: str, field: str = "", status: int = 400) -> None:
        super().__init__(detail)
        self.problem = Problem(status, detail, field, "INVALID_ARGUMENT" if status == 400 else "")


def install(app: Flask) -> None:
    """Makes problem_of the application's only error handler."""
    app.register_error_handler(Exception, _answer)


def problem_of(error: Exception, endpoint: str | None = None) -> Problem:
    """Translates any error; what nobody expected gives away nothing but that it happened."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, RemoteError):
        return _of_remote(error, endpoint)
    if isinstance(error, Unauthenticated):
        return Problem(401, str(error), code="UNAUTHENTICATED")
    if isinstance(error, RequestEntityTooLarge):
        return Problem(
            413, f"the body is too large; at most {request.max_content_length:,} bytes are allowed"
        )
    if isinstance(error, HTTPException):
        allow = ", ".join(sorted(error.valid_methods or ())) if isinstance(error, MethodNotAllowed) else ""
        return Problem(error.code or 500, error.description or "", allow=allow)
    return Problem(500, "internal error; the bridge's log says more", code="INTERNAL")


def response_of(problem: Problem, instance: str = "") -> Response:
    """The problem as an HTTP response; `instance` is the path of the job that it is about, "" for none."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "field": problem.field,
        "code": problem.code,
        "instance": instance,
    }
    present = {name: value for name, value in body.items() if value != ""}
    response = Response(json.dumps(present), problem.status, mimetype="application/problem+json")
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.allow:
        response.headers["Allow"] = problem.allow
    if instance:
        response.headers["Location"] = instance
    return response


def _answer(error: Exception) -> Response:
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        return Response(status=error.code, headers=[("Location", request.path)])
    problem = problem_of(error, request.endpoint)
    if not isinstance(error, HTTPException | RemoteError | Refused | Unauthenticated):
        current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return response_of(problem, g.get("job_location", ""))


def _of_remote(error: RemoteError, endpoint: str | None) -> Problem:
    status = HTTP_OF.get(error.code, 500)
    if error.code is grpc.StatusCode.FAILED_PRECONDITION and endpoint in _STATE_CHANGES:
        status = 409
    retry = max(1, math.ceil(error.retry_after_seconds or 0)) if status in (429, 503) else None
    return Problem(status, _detail(error), error.field, error.code.name, retry)


def _detail(error: RemoteError) -> str:
    """The server's own sentences pass; gRPC's, which name addresses and exceptions, do not."""
    if error.unanswered:
        return "the digit service does not answer; try again"
    if error.code is grpc.StatusCode.UNKNOWN:
        return "internal error; the server's log says more"
    return error.message
