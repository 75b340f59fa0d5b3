"""Everything that can go wrong, as callers see it.

DigitsError
├── InvalidInput            the request is wrong; names the field
│   └── RequestConflict     the same request_id came with another body
├── Unauthenticated         no token, or one that is not known
├── Forbidden               the token is not for this call
├── NotFound                no such job, version or file
│   └── LogLost             a job's log is gone, or not whole; it can be made again
├── NotReady                no model serves yet, or the one that should cannot
├── Overloaded              the queue is full; the same call may succeed later
├── DeadlinePassed          the caller's time ran out
├── Cancelled               somebody asked the job to stop
├── Unavailable             a part of the system is away
│   ├── Stopping            this server stops; another goes on
│   ├── StoreUnavailable
│   │   └── StoreFull       it answers, and takes nothing
│   ├── LogUnavailable
│   │   └── LogFull         it answers, and takes nothing
│   ├── BatchUnavailable    where a batch is does not answer
│   ├── CoordinatorUnavailable
│   └── QueueUnavailable
├── Corrupt                 an artifact is damaged or not what it says it is
├── Diverged                the training ran into NaN or infinity
├── NotLearned              the trained network is no better than chance
├── GaveUp                  a job took its worker down too often
├── TookTooLong             a job was not done in the longest time that one may take
├── AlreadyPublished        an artifact's name was used before
├── StaleWrite              somebody else wrote first
├── Misconfigured           the settings, or a file that they name, are invalid
├── LeaseLost               another trainer has the job
└── HandedOver              this worker stops; the job goes on in another

Transports turn these into their own status: digits/status_codes.py for gRPC, rest_bridge/error_mapping.py for
HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence


class DigitsError(Exception):
    """The root: its text is one sentence that a caller may read."""

    def __reduce__(self) -> tuple[object, ...]:
        """As it is: from a process to another, none is made of its text again."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[DigitsError], args: tuple[object, ...], state: dict[str, object]) -> DigitsError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInput(DigitsError):
    """The request is wrong: `field` names where, `problem` says what is wrong and what is allowed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class WrongPageToken(InvalidInput):
    """A list was asked to go on from where no list ended."""

    def __init__(self, token: str) -> None:
        super().__init__("page_token", f"the next_page_token of an earlier answer, not {token[:40]!r}")


class RequestConflict(InvalidInput):
    """The same request_id came with another body."""


class Unauthenticated(DigitsError):
    """No token came, or one that is not known."""


class Forbidden(DigitsError):
    """The caller's token is not for this call."""


class NotFound(DigitsError):
    """There is no `kind` of that `name`; `nearby` is one that there is, and that may be meant, and `others`
    are what else there is."""

    def __init__(self, kind: str, name: str, nearby: str = "", others: Sequence[str] = ()) -> None:
        listed = f"; there is {', '.join(others)[:400]}" if others else ""
        hint = f"; did you mean {nearby[:200]!r}?" if nearby else listed
        super().__init__(f"no {kind} {name[:200]!r}{hint}")
        self.kind = kind
        self.name = name


class LogLost(NotFound):
    """A job's log is gone, lost some of its blocks, or holds what is none.

    It can be made again from the batch.
    """

    def __init__(self, job_id: str, problem: str = "is gone") -> None:
        super().__init__("log", job_id)
        self.args = (f"the log of {job_id} {problem}",)


class NotReady(DigitsError):
    """No model serves yet, there is nothing to roll back to, or what should serve cannot be loaded."""


class Overloaded(DigitsError):
    """Too much is waiting already; `retry_after_seconds` says when to come again."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlinePassed(DigitsError):
    """The caller's time ran out before there was an answer."""


class Cancelled(DigitsError):
    """Somebody asked the job to stop."""


class Unavailable(DigitsError):
    """A part of the system is away; the same call may succeed later."""


class Stopping(Unavailable):
    """This server was told to stop; another goes on, or this one after its restart."""


class StoreUnavailable(Unavailable):
    """The artifact store does not answer, or has no room."""


class StoreFull(StoreUnavailable):
    """The artifact store has no room, or may only be read."""


class LogUnavailable(Unavailable):
    """The log of image blocks does not answer, or has no room."""


class LogFull(LogUnavailable):
    """The log of image blocks has no room, or may only be read."""


class BatchUnavailable(Unavailable):
    """A batch's file cannot be read at the moment, for a reason that is not the file's."""


class CoordinatorUnavailable(Unavailable):
    """ZooKeeper does not answer."""


class QueueUnavailable(Unavailable):
    """The task queue does not answer."""


class Corrupt(DigitsError):
    """An artifact is damaged or not what it says it is."""


class Diverged(DigitsError):
    """The training ran into NaN or infinity; the same images and seed would again."""


class NotLearned(DigitsError):
    """The trained network is no better than chance; the same images and seed would end so again."""


class GaveUp(DigitsError):
    """A job took its worker down too often."""


class TookTooLong(DigitsError):
    """A job was not done in the longest time that one may take."""


class AlreadyPublished(DigitsError):
    """An artifact's name was used before; published artifacts never change."""


class StaleWrite(DigitsError):
    """Somebody else wrote first: read again and decide again."""


class Misconfigured(DigitsError):
    """The settings, or a file that they name, are invalid."""


class LeaseLost(DigitsError):
    """Another trainer has the job, or the lease's session is over."""


class HandedOver(DigitsError):
    """This worker stops; the job goes on in another, from its newest checkpoint."""
