"""Which canonical status each error of digits.errors is, with its google.rpc details."""

from __future__ import annotations

from urllib.parse import quote

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from digits import errors
from digits.outward import outward
from digits.v1 import training_pb2

CODES: dict[type[BaseException], int] = {
    errors.RequestConflict: code_pb2.ALREADY_EXISTS,
    errors.InvalidInput: code_pb2.INVALID_ARGUMENT,
    errors.Unauthenticated: code_pb2.UNAUTHENTICATED,
    errors.Forbidden: code_pb2.PERMISSION_DENIED,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.NotReady: code_pb2.FAILED_PRECONDITION,
    errors.Misconfigured: code_pb2.FAILED_PRECONDITION,
    errors.Overloaded: code_pb2.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: code_pb2.DEADLINE_EXCEEDED,
    errors.Cancelled: code_pb2.CANCELLED,
    errors.Unavailable: code_pb2.UNAVAILABLE,
    errors.Corrupt: code_pb2.DATA_LOSS,
    errors.Diverged: code_pb2.ABORTED,
    errors.NotLearned: code_pb2.ABORTED,
    errors.GaveUp: code_pb2.ABORTED,
    errors.TookTooLong: code_pb2.DEADLINE_EXCEEDED,
    errors.StaleWrite: code_pb2.ABORTED,
}


# A status goes as headers, of which clients take 8 KB for sure, and 16 KB at most.
_MAX_BYTES = 7_000
# So much of a sentence's end is kept in any case.
_TAIL = 300
_MAX_FIELD = 100
# gRPC's own encoding of a message leaves these.
_AS_THEY_ARE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")

# Their words may be another system's, with its addresses in them; the others' are ours and the caller's own.
_ABOUT_THE_INSIDE = (
    errors.Unavailable,
    errors.Corrupt,
    errors.NotReady,
    errors.GaveUp,
    errors.Misconfigured,
    errors.StaleWrite,
)


def sentence_of(error: errors.DigitsError) -> str:
    """What callers read of an error: without hosts and paths of the inside."""
    return _short(outward(str(error)) if isinstance(error, _ABOUT_THE_INSIDE) else str(error))


def _short(text: str) -> str:
    """Cut in its middle if it is too long: the line that mends comes last."""
    if len(text) <= _MAX_BYTES and _bytes(text) <= _MAX_BYTES:
        return text
    head, tail = text[: _MAX_BYTES // 3], text[-_TAIL:]
    while head and _bytes(f"{head} … {tail}") > _MAX_BYTES:
        head = head[: len(head) * 9 // 10]
    return f"{head} … {tail}"


def _bytes(sentence: str) -> int:
    """What it takes of the headers: once as gRPC writes it, and as UTF-8 in the status and in its details."""
    return len(quote(sentence, _AS_THEY_ARE, errors="replace")) + 2 * len(sentence.encode(errors="replace"))


def code_of(error: BaseException) -> int:
    """The canonical code of an error; INTERNAL for one that is not of the tree."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), code_pb2.INTERNAL)


def status_of(error: BaseException) -> status_pb2.Status:
    """The error as google.rpc.Status; what is not of the tree gives away nothing but that it happened."""
    if not isinstance(error, errors.DigitsError):
        return status_pb2.Status(code=code_pb2.INTERNAL, message="internal error; the server's log says more")
    return status_pb2.Status(code=code_of(error), message=sentence_of(error), details=_details(error))


def job_error(error: BaseException) -> training_pb2.JobError:
    """The error as a job's record keeps it."""
    status = status_of(error)
    field = error.field if isinstance(error, errors.InvalidInput) else ""
    return training_pb2.JobError(code=status.code, message=status.message, field=field)


def job_status(error: training_pb2.JobError) -> status_pb2.Status:
    """A failed job's error as the status that its stream ends with."""
    details = [_bad_request(error.field, error.message)] if error.field else []
    return status_pb2.Status(code=error.code, message=error.message, details=_packed(details))


def _details(error: errors.DigitsError) -> list[any_pb2.Any]:
    if isinstance(error, errors.InvalidInput):
        return _packed([_bad_request(error.field, error.problem)])
    if isinstance(error, errors.Overloaded):
        return _packed([_retry(error.retry_after_seconds)])
    if isinstance(error, errors.Unavailable):
        return _packed([_retry(1.0)])
    return []


def _bad_request(field: str, problem: str) -> error_details_pb2.BadRequest:
    violation = error_details_pb2.BadRequest.FieldViolation(
        field=field[:_MAX_FIELD], description=_short(problem)
    )
    return error_details_pb2.BadRequest(field_violations=[violation])


def _retry(seconds: float) -> error_details_pb2.RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(round(seconds * 1000))
    return error_details_pb2.RetryInfo(retry_delay=delay)


def _packed(details: list[Message]) -> list[any_pb2.Any]:
    packed = []
    for detail in details:
        message = any_pb2.Any()
        message.Pack(detail)
        packed.append(message)
    return packed
