"""Every error as a problem: the one place where a canonical code becomes HTTP."""

from __future__ import annotations

import math

import grpc
from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from digits.client.errors import RemoteError
from digits.errors import Unauthenticated
from digits.signals import refusals
from rest_bridge.operations import operation_of
from rest_bridge.problems import BadRequest, Problem, response_of

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

# What gunicorn says of a body while it is read: a chunk's size that is no number, or that ends early.
_BROKEN_BODY = (ParseException, NoMoreData)

# FAILED_PRECONDITION says "no model serves yet", which passes by itself; here it says that the
# registry is not in the state that the caller thinks, and a retry does not help.
_STATE_CHANGES = frozenset({"models.promote_model", "models.rollback_model"})


def install(app: Flask) -> None:
    """Makes problem_of the application's only error handler."""
    app.register_error_handler(Exception, _answer)


def problem_of(error: Exception, endpoint: str | None = None) -> Problem:
    """Translates any error; what nobody expected gives away nothing but that it happened."""
    if isinstance(error, BadRequest):
        return error.problem
    if isinstance(error, RemoteError):
        return _of_remote(error, endpoint)
    if isinstance(error, Unauthenticated):
        return Problem(status=401, detail=str(error), code="UNAUTHENTICATED")
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, _BROKEN_BODY):
        return Problem(status=400, detail=f"the body is not what HTTP allows: {error}"[:200])
    return Problem(status=500, detail="internal error; the bridge's log says more", code="INTERNAL")


def _of_http(error: HTTPException) -> Problem:
    """What Flask says of a request before one of our functions has it."""
    if isinstance(error, RequestEntityTooLarge):
        return Problem(status=413, detail=_too_large())
    if isinstance(error, NotFound):
        return Problem(status=404, detail="there is no such address here; /openapi.json lists them")
    if isinstance(error, MethodNotAllowed):
        allow = ", ".join(sorted(error.valid_methods or ()))
        return Problem(status=405, detail=f"this address takes {allow}", allow=allow)
    return Problem(status=error.code or 500, detail=error.description or "")


def _answer(error: Exception) -> Response:
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        return Response(status=error.code, headers=[("Location", request.path)])
    problem = problem_of(error, request.endpoint)
    if isinstance(error, Unauthenticated):
        refusals.tell(error, request.remote_addr or "")
    if not isinstance(error, (HTTPException, RemoteError, BadRequest, Unauthenticated, *_BROKEN_BODY)):
        current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return response_of(problem.model_copy(update={"instance": g.get("job_location", "")}))


def _of_remote(error: RemoteError, endpoint: str | None) -> Problem:
    status = HTTP_OF.get(error.code, 500)
    if error.code is grpc.StatusCode.FAILED_PRECONDITION and endpoint in _STATE_CHANGES:
        status = 409
    retry = max(1, math.ceil(error.retry_after_seconds or 0)) if status in (429, 503) else None
    return Problem(
        status=status,
        detail=_detail(error),
        field=error.field,
        code=error.code.name,
        retry_after_seconds=retry,
    )


def _too_large() -> str:
    limit = request.max_content_length
    return f"the body is too large; at most {limit:,} bytes are allowed{_way_of_a_large_body(limit)}"


def _way_of_a_large_body(limit: int | None) -> str:
    """How a body over the limit can be sent, if the call knows a way."""
    view = current_app.view_functions.get(request.endpoint or "")
    forms = operation_of(view).body if view else None
    if forms is None:
        return ""
    if limit != current_app.config["MAX_CONTENT_LENGTH"]:
        return ": send a file as a form"
    if forms.json.path_field == "image_path":
        return " here, and fewer for a picture (DIGITS_MAX_IMAGE_BYTES): save it smaller, as PNG or JPEG"
    path = f"put the file below the service's data folder, and send its {forms.json.path_field}"
    return f" (DIGITS_MAX_UPLOAD_BYTES): {path}"


def _detail(error: RemoteError) -> str:
    """The server's own sentences pass; gRPC's, which name addresses and exceptions, do not."""
    if error.unanswered:
        return "the digit service does not answer; try again"
    if error.code is grpc.StatusCode.UNKNOWN:
        return "internal error; the server's log says more"
    return error.message
