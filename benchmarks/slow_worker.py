"""One of Spark's Python workers on a machine that is slower than the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

_TURN_SECONDS = 0.05


@contextmanager
def slowed(times: float, above: int) -> Iterator[None]:
    """Has the newest Python worker below a process have one turn in so many, until this is left."""
    worker = _newest_worker(above)
    stop = threading.Event()

    def hold_back() -> None:
        while not stop.is_set():
            with suppress(psutil.Error):
                worker.suspend()
                stop.wait(_TURN_SECONDS * (times - 1))
                worker.resume()
            stop.wait(_TURN_SECONDS)

    thread = threading.Thread(target=hold_back)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _newest_worker(above: int) -> psutil.Process:
    below = psutil.Process(above).children(recursive=True)
    daemon = next(process for process in below if "pyspark.daemon" in _command(process))
    return max(daemon.children(), key=lambda child: child.create_time())


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
