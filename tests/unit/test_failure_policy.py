from __future__ import annotations

import pytest
from pyspark.errors import PythonException

from digits import errors
from workers.failure_policy import Verdict, problem, verdict


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Cancelled("asked"), Verdict.CANCEL),
        (errors.HandedOver("job"), Verdict.HAND_BACK),
        (errors.LeaseLost("job"), Verdict.LOST),
        (errors.InvalidInput("images_batch", "no images"), Verdict.FAIL),
        (errors.Corrupt("damaged"), Verdict.FAIL),
        (errors.Diverged("NaN"), Verdict.FAIL),
        (errors.NotLearned("chance"), Verdict.FAIL),
        (errors.StoreFull("No space left on device"), Verdict.FAIL),
        (errors.LogFull("Read-only file system"), Verdict.FAIL),
        (errors.StoreUnavailable("away"), Verdict.TRY_AGAIN),
        (errors.CoordinatorUnavailable("away"), Verdict.TRY_AGAIN),
        (errors.LogLost("job"), Verdict.TRY_AGAIN),
        (errors.BatchUnavailable("Input/output error"), Verdict.TRY_AGAIN),
        (errors.NotFound("file", "mnist.npz"), Verdict.FAIL),
        (errors.Misconfigured("three brokers, of which there is one"), Verdict.FAIL),
        (RuntimeError("a lost executor"), Verdict.TRY_AGAIN),
    ],
)
def test_an_exception_means_one_thing_for_its_job(error: Exception, expected: Verdict) -> None:
    assert verdict(error) is expected


def test_what_one_of_sparks_tasks_raised_is_said_and_not_that_one_did() -> None:
    text = "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n  File …\n"
    assert problem(PythonException(f"{text}RuntimeError: no /a/b here")) == "RuntimeError: no … here"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.LogUnavailable("Kafka does not answer"), "Kafka does not answer"),
        (errors.StoreUnavailable(), "StoreUnavailable"),
        (ValueError("invalid literal for int()"), "ValueError: invalid literal for int()"),
        (RuntimeError("first line\nand a stack trace"), "RuntimeError: first line"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_no_problem_is_without_a_word(error: Exception, said: str) -> None:
    assert problem(error) == said
