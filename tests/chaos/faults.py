"""What is done to the service's processes: killed, stopped for a while, asked to end."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord
from tests.service import Service

# Shorter than ZooKeeper's patience with a session (6 s), about as long, and longer.
_STALLS_SECONDS = (1.0, 5.5, 9.0)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    part: str
    what: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.part}" + (f" for {self.seconds:g} s" if self.seconds else "")


def parts_of(service: Service) -> list[str]:
    """Everything that may be hit: each process that is supervised, and what the trainer starts itself."""
    record = RunRecord.read(StateFolder.at(service.var_dir))
    assert record, "the service does not run"
    return [*(part.name for part in record.processes), "a Python worker of Spark's", "Spark's driver"]


def draw(random_: random.Random, parts: list[str]) -> Fault:
    """The next fault: half of them are kills."""
    what = random_.choice(("kill", "kill", "stall", "end"))
    seconds = random_.choice(_STALLS_SECONDS) if what == "stall" else 0.0
    return Fault(random_.choice(parts), what, seconds)


def inflict(service: Service, fault: Fault) -> bool:
    """Has it happen; returns False if the part is not there just now."""
    process = _process(service, fault.part)
    if process is None:
        return False
    act: dict[str, Callable[[], None]] = {
        "kill": process.kill,
        "end": process.terminate,
        "stall": lambda: _stall(process, fault.seconds),
    }
    with contextlib.suppress(psutil.NoSuchProcess):
        act[fault.what]()
        return True
    return False


def _process(service: Service, part: str) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess, StopIteration):
        if part == "a Python worker of Spark's":
            return next(p for p in _below_trainer(service) if "pyspark.daemon" in " ".join(p.cmdline()))
        if part == "Spark's driver":
            return next(p for p in _below_trainer(service) if p.name() == "java")
        return service.process(part)
    return None


def _below_trainer(service: Service) -> list[psutil.Process]:
    children = service.process("train-worker").children(recursive=True)
    # The newest first: the daemon's children are the workers.
    return children[::-1]


def _stall(process: psutil.Process, seconds: float) -> None:
    """The fault itself, and no wait for something."""
    process.suspend()
    try:
        time.sleep(seconds)
    finally:
        process.resume()
