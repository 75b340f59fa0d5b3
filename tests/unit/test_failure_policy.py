from __future__ import annotations

import pytest

from digits import errors
from workers.failure_policy import Verdict, problem, verdict

# As Spark 4.2 words what its workers raise.
TRACE = """Traceback (most recent call last):
  File "worker.py", line 3622, in main
    process()
ValueError: a bad shard
"""
OF_PYTHON = f"An exception was thrown from the Python worker:\n{TRACE}"
_STAGE = """An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed 1 times, \
most recent failure: Lost task 0.0 in stage 1.0 (TID 1) (localhost executor driver): """
_JAVA_TRACE = (
    "\n\tat org.apache.spark.scheduler.Task.run(Task.scala:147)\n\t... 22 more\n\nDriver stacktrace:"
)
OF_JAVA = (
    f"{_STAGE}org.apache.spark.SparkException: Python worker exited unexpectedly (crashed).{_JAVA_TRACE}"
)
OF_PYTHON_IN_JAVA = f"{_STAGE}org.apache.spark.api.python.PythonException: {TRACE}{_JAVA_TRACE}"
IN_FULL = "Spark: An error occurred while calling o132.collectToPython"


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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.LogUnavailable("Kafka does not answer"), "Kafka does not answer"),
        (errors.StoreUnavailable(), "StoreUnavailable"),
        (ValueError("invalid literal for int()"), "ValueError: invalid literal for int()"),
        (RuntimeError("first line\nand a stack trace"), "RuntimeError: first line"),
        (MemoryError(), "MemoryError"),
        (RuntimeError(OF_JAVA), "Spark: Python worker exited unexpectedly (crashed)."),
        (RuntimeError(OF_PYTHON_IN_JAVA), "Spark: ValueError: a bad shard"),
        (RuntimeError(OF_PYTHON), "Spark: ValueError: a bad shard"),
        (RuntimeError("An error occurred while calling o132.collectToPython"), IN_FULL),
    ],
)
def test_no_problem_is_without_a_word(error: Exception, said: str) -> None:
    assert problem(error) == said
