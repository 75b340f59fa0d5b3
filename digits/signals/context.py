"""By what the logs know the call, and the job, that an event belongs to."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
JOB_ID: ContextVar[str] = ContextVar("job_id", default="")

# The name of the header, and of the gRPC metadata.
REQUEST_ID_HEADER = "x-request-id"
# What callers name must not write lines of its own into a log.
_FIT_TO_LOG = re.compile(r"[\w.:@/+=-]{1,64}", re.ASCII)
# A batch has up to hundreds of callers.
_NAMED_OF_A_BATCH = 4


def begin(given_request_id: str, job_id: str = "") -> str:
    """A call begins: keeps the id that its caller gave if it is fit to be logged, or else makes one."""
    is_fit = _FIT_TO_LOG.fullmatch(given_request_id)
    # No secret, so not from the system's generator, which takes a call ten times as long.
    request_id = given_request_id if is_fit else f"{random.getrandbits(64):016x}"
    REQUEST_ID.set(request_id)
    JOB_ID.set(job_id if job_id and _FIT_TO_LOG.fullmatch(job_id) else "")
    return request_id


def end() -> None:
    """A call is over, on a thread that has others after it."""
    REQUEST_ID.set("")
    JOB_ID.set("")


@contextmanager
def of(request_id: str, job_id: str = "") -> Iterator[None]:
    """What is done inside belongs to that call and to that job."""
    request, job = REQUEST_ID.set(request_id), JOB_ID.set(job_id)
    try:
        yield
    finally:
        REQUEST_ID.reset(request)
        JOB_ID.reset(job)


def joined(request_ids: Sequence[str]) -> str:
    """One id for a batch: those of its first calls, and how many more there are."""
    named = [request_id for request_id in request_ids[:_NAMED_OF_A_BATCH] if request_id]
    more = len(request_ids) - _NAMED_OF_A_BATCH
    return ",".join([*named, f"+{more}"] if more > 0 else named)
