"""Processes that are killed, stopped for a while, and asked to end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from random import Random

import psutil

from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord
from tests.chaos.faults import SECONDS, Fault
from tests.service import Service

# What Spark starts itself: its name here, the parts that it is below, and a word of its command.
_OF_SPARK = {
    "Spark's driver": (("train-worker",), "org.apache.spark.deploy.SparkSubmit"),
    "a Python worker of Spark's": (("train-worker", "spark-worker"), "pyspark.daemon"),
    "an executor": (("spark-worker",), "CoarseGrainedExecutorBackend"),
}


class Processes:
    """See Kind. `what` is "kill", "stall" or "end"."""

    def __init__(self, service: Service, what: str) -> None:
        self._service, self._what = service, what
        self._parts = parts_of(service)

    def draw(self, random_: Random) -> Fault:
        """See Kind."""
        part = random_.choice(self._parts)
        seconds = random_.choice(SECONDS) if self._what == "stall" else 0.0
        act: dict[str, Callable[[psutil.Process], None]] = {
            "kill": psutil.Process.kill,
            "end": psutil.Process.terminate,
            "stall": partial(_stall, seconds=seconds),
        }
        return Fault(self._what, part, partial(_inflict, self._service, part, act[self._what]), seconds)


def parts_of(service: Service) -> list[str]:
    """Everything that may be hit: each process that is supervised, and what Spark starts itself."""
    record = RunRecord.read(StateFolder.at(service.var_dir))
    assert record, "the service does not run"
    supervised = [part.name for part in record.processes]
    return [
        *supervised,
        *(part for part, (above, _) in _OF_SPARK.items() if not set(above).isdisjoint(supervised)),
    ]


def find(service: Service, part: str) -> psutil.Process | None:
    """A part's process; None if there is none just now."""
    with contextlib.suppress(psutil.NoSuchProcess, StopIteration):
        if part not in _OF_SPARK:
            return _server_in(service.process(part))
        above, word = _OF_SPARK[part]
        return next(process for process in _below(service, above) if _is_called(process, word))
    return None


def _is_called(process: psutil.Process, word: str) -> bool:
    """By its command; one that has ended, and whose parent did not notice yet, hides no other."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return word in " ".join(process.cmdline())
    return False


def _server_in(process: psutil.Process) -> psutil.Process:
    """The process itself, or what its shell runs: a shell that stands still stops no RabbitMQ."""
    if process.name() != "sh":
        return process
    return next(each for each in process.children(recursive=True) if each.name().startswith("beam"))


def _below(service: Service, above: tuple[str, ...]) -> list[psutil.Process]:
    """What these parts started, the newest first: the children of Spark's Python daemon are its workers."""
    found: list[psutil.Process] = []
    for part in above:
        with contextlib.suppress(psutil.NoSuchProcess, StopIteration):
            found += service.process(part).children(recursive=True)
    return found[::-1]


def _inflict(service: Service, part: str, act: Callable[[psutil.Process], None]) -> bool:
    process = find(service, part)
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        act(process)
        return True
    return False


def _stall(process: psutil.Process, seconds: float) -> None:
    """The fault itself, and no wait for something."""
    process.suspend()
    try:
        time.sleep(seconds)
    finally:
        process.resume()
