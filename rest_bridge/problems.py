"""What a caller reads of an error: application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
import operator
from http import HTTPStatus
from typing import Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, computed_field

_CODES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 421: "PERMISSION_DENIED"}

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong (RFC 9457); `field` names the request's field, `instance` the job that it is about."""

    model_config = ConfigDict(frozen=True)

    type: Literal["about:blank"] = "about:blank"
    status: int
    detail: str
    field: str = Field("", exclude_if=operator.not_)
    code: str = Field("", exclude_if=operator.not_)
    instance: str = Field("", exclude_if=operator.not_)
    # These two are headers of the response; None if no retry helps.
    retry_after_seconds: int | None = Field(None, exclude=True)
    allow: str = Field("", exclude=True)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def title(self) -> str:
        """The status in HTTP's words."""
        return HTTPStatus(self.status).phrase


class BadRequest(Exception):
    """The bridge itself refuses a request: `detail` says what is allowed, `field` names the field, if any."""

    def __init__(self, detail: str, field: str = "", status: int = 400) -> None:
        super().__init__(detail)
        self.problem = Problem(status=status, detail=detail, field=field, code=_CODES.get(status, ""))


def response_of(problem: Problem) -> Response:
    """The problem as an HTTP response."""
    response = Response(json.dumps(problem.model_dump()), problem.status, mimetype=MEDIA_TYPE)
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.allow:
        response.headers["Allow"] = problem.allow
    if problem.instance:
        response.headers["Location"] = problem.instance
    return response
