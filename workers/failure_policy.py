"""What an exception means for its job."""

from __future__ import annotations

import re
from enum import Enum
from itertools import takewhile

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

_OF_SPARK = ("An error occurred while calling", "An exception was thrown from the Python worker")
_JAVA_EXCEPTION = re.compile(r"[\w.$]+(?:Exception|Error): ")


def verdict(error: Exception) -> Verdict:
    """Judges what ended a training."""
    return next((verdict for kind, verdict in _VERDICTS if isinstance(error, kind)), Verdict.TRY_AGAIN)


def problem(error: Exception) -> str:
    """What went wrong, in a sentence for the job's record, which its caller reads; never empty."""
    if isinstance(error, DigitsError):
        return sentence_of(error) or type(error).__name__
    lines = outward(str(error)).strip().splitlines()
    if not lines:
        return type(error).__name__
    if lines[0].startswith(_OF_SPARK):
        return f"Spark: {_why(lines)[:500]}"
    return f"{type(error).__name__}: {lines[0][:500]}"


def _why(lines: list[str]) -> str:
    """What Spark says at last, of a Java exception in others, or with a Python worker's own trace."""
    said = [line for line in takewhile(lambda line: not line.startswith("\tat "), lines) if line.strip()]
    if any("Traceback (most recent call last)" in line for line in said):
        return said[-1]
    return _JAVA_EXCEPTION.split(" ".join(said[1:]))[-1] or lines[0]
