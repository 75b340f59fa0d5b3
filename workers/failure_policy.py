"""What an exception means for its job."""

from __future__ import annotations

from enum import Enum

from pyspark.errors import PythonException

from digits.errors import (
    Cancelled,
    Corrupt,
    DigitsError,
    Diverged,
    HandedOver,
    InvalidInput,
    LeaseLost,
    LogFull,
    LogLost,
    Misconfigured,
    NotFound,
    NotLearned,
    StoreFull,
)
from digits.outward import outward
from digits.status_codes import sentence_of


class Verdict(Enum):
    """What becomes of a job whose training raised something."""

    CANCEL = "somebody asked for its end"
    FAIL = "it would end the same way again"
    HAND_BACK = "it goes on elsewhere"
    LOST = "its lease is over: this worker has nothing more to say"
    TRY_AGAIN = "it may end better next time; it counts, unless a system was away"


_VERDICTS: tuple[tuple[type[DigitsError], Verdict], ...] = (
    (Cancelled, Verdict.CANCEL),
    (HandedOver, Verdict.HAND_BACK),
    (LeaseLost, Verdict.LOST),
    (InvalidInput, Verdict.FAIL),
    # The next attempt makes it again, and goes on from the newest checkpoint.
    (LogLost, Verdict.TRY_AGAIN),
    (NotFound, Verdict.FAIL),
    (Corrupt, Verdict.FAIL),
    (Misconfigured, Verdict.FAIL),
    (Diverged, Verdict.FAIL),
    (NotLearned, Verdict.FAIL),
    # The job's own checkpoints and blocks are a part of what fills a disk: they go with the job.
    (StoreFull, Verdict.FAIL),
    (LogFull, Verdict.FAIL),
)


def verdict(error: Exception) -> Verdict:
    """Judges what ended a training."""
    return next((verdict for kind, verdict in _VERDICTS if isinstance(error, kind)), Verdict.TRY_AGAIN)


def problem(error: Exception) -> str:
    """What went wrong, in a sentence for the job's record, which its caller reads; never empty."""
    if isinstance(error, DigitsError):
        return sentence_of(error) or type(error).__name__
    lines = outward(str(error)).strip().splitlines()
    if lines and isinstance(error, PythonException):
        # A traceback, as an executor wrote it.
        return lines[-1][:500]
    return f"{type(error).__name__}: {lines[0][:500]}" if lines else type(error).__name__
