"""What is replaced in the code under test while it is simulated.

Threads, time, chance, Spark and ONNX Runtime.
"""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from datetime import datetime, tzinfo
from types import SimpleNamespace

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from digits.training.partitioning import Choice
from tests.simulation import spark
from tests.simulation.scheduler import Clock
from tests.simulation.threads import threading_of

_TIMED = (
    "spark_jobs.progress",
    "spark_jobs.micro_batches",
    "spark_jobs.feed",
    "workers.outage",
    "digits.jobs.ages",
    "digits.jobs.sweep",
    "digits.jobs.housekeeping",
    "digits.clock",
)
_THREADED = (
    "digits.training.ingest",
    "digits.training.window",
    "digits.serving.serving_model",
    "spark_jobs.progress",
)


def install(patches: pytest.MonkeyPatch, clock: Clock) -> None:
    """Has everything else be the real code."""
    threads = threading_of(clock)
    for module in _TIMED:
        patches.setattr(f"{module}.time", SimpleNamespace(monotonic=clock.monotonic, time=clock.time))
    for module in _THREADED:
        patches.setattr(f"{module}.threading", threads)
    patches.setattr("digits.clock.now", lambda: _stamp(clock))
    _install_names(patches, clock)
    _install_spark(patches)


def _install_names(patches: pytest.MonkeyPatch, clock: Clock) -> None:
    """Jobs' names come from the clock and from chance."""
    numbers = itertools.count(1)

    class Datetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Datetime:
            return cls.fromtimestamp(clock.time(), tz)

    patches.setattr("digits.jobs.ids.datetime", Datetime)
    patches.setattr("digits.jobs.ids.secrets", SimpleNamespace(token_hex=lambda _: f"{next(numbers):06x}"))
    patches.setattr("digits.jobs.membership.os", SimpleNamespace(getpid=lambda: 1000 + next(numbers)))


def _install_spark(patches: pytest.MonkeyPatch) -> None:
    warm = SimpleNamespace(warm=lambda *_: "{}")
    patches.setattr("spark_jobs.training.session", warm)
    patches.setattr("spark_jobs.training.EpochQuery", spark.SimQuery)
    patches.setattr("spark_jobs.training.scratch_folder", lambda _: nullcontext())
    patches.setattr("spark_jobs.training.check_orientation", lambda *_: None)
    patches.setattr("spark_jobs.log_cut.choose", lambda means: Choice(means.cores, "", means))
    patches.setattr("spark_jobs.training.recipes", SimpleNamespace(find=lambda _: spark.RECIPE))
    patches.setattr("spark_jobs.training.architecture", SimpleNamespace(initial_state=spark.initial_state))
    patches.setattr("spark_jobs.training.candidate.evaluated", spark.evaluated)
    patches.setattr("spark_jobs.micro_batches.MicroBatches._train_partitions", spark.train_partitions)
    patches.setattr("digits.training.blocks.IMAGES_PER_BLOCK", spark.IMAGES_PER_BLOCK)
    patches.setattr("digits.models.bundle.Predictor", spark.SimPredictor)
    patches.setattr("digits.jobs.train_request.open_batch", lambda *_: spark.dataset())


def _stamp(clock: Clock) -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(int(clock.time() * 1e9))
    return stamp
