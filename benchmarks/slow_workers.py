"""Spark's Python workers on a machine that is slower than it was, or stands still."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from benchmarks.beside import beside

_TURN_SECONDS = 0.05


@contextmanager
def slowed(times: float, *workers: psutil.Process) -> Iterator[None]:
    """Has each have one turn in so many, until this is left."""

    def hold_back(over: threading.Event) -> None:
        while not over.is_set():
            with stopped(*workers):
                over.wait(_TURN_SECONDS * (times - 1))
            over.wait(_TURN_SECONDS)

    with beside(hold_back):
        yield


@contextmanager
def stopped(*workers: psutil.Process) -> Iterator[None]:
    """Has them stand still until this is left."""
    for worker in workers:
        with suppress(psutil.Error):
            worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            with suppress(psutil.Error):
                worker.resume()


def workers_below(above: int) -> list[psutil.Process]:
    """Those that a process started, the newest last."""
    below = psutil.Process(above).children(recursive=True)
    daemon = next(process for process in below if "pyspark.daemon" in _command(process))
    return sorted(daemon.children(), key=lambda child: child.create_time())


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
