"""Plain Classify while others ask for old versions by name: latency with and without them, in turn.

python -m benchmarks.cold_versions --rounds 3
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import uvloop

from benchmarks.beside import beside
from benchmarks.classify import Load, load
from benchmarks.service import running_service
from benchmarks.training import train
from benchmarks.versions import copies_of_what_serves
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.settings import Settings
from tests.plain_pixels import SOME_PIXELS

CLIENTS = 16
COLD_CALLS_A_SECOND = 4
# More than a server keeps, so that each call finds its version cold.
VERSIONS = 12
SLOW_READ_SECONDS = 0.3


@contextlib.contextmanager
def asking(server: str, versions: Sequence[str]) -> Iterator[None]:
    """Asks for one version after the other by name, some times a second, whether they come or not."""
    names = itertools.cycle(versions)
    threads = []

    def ask(client: Client, version: str) -> None:
        with contextlib.suppress(RemoteError):
            client.classify(pixels=SOME_PIXELS, model_version=version, timeout_seconds=15)

    def run(over: threading.Event) -> None:
        with Client(server) as client:
            while not over.wait(1 / COLD_CALLS_A_SECOND):
                threads.append(threading.Thread(target=ask, args=(client, next(names)), daemon=True))
                threads[-1].start()
            for thread in threads:
                thread.join()

    with beside(run):
        yield


@contextlib.contextmanager
def slow_reads(settings: Settings, versions: Sequence[str], seconds: float | None) -> Iterator[None]:
    """Has each read of these bundles take that long; None: it never returns."""
    folder = Path(urlsplit(settings.store).path) / "models"
    stop = threading.Event()

    def feed(path: Path, data: bytes) -> None:
        while not stop.is_set():
            with path.open("wb") as pipe:
                time.sleep(seconds or 0)
                with contextlib.suppress(BrokenPipeError):
                    pipe.write(data if not stop.is_set() else b"")
            # The reader has to see the end before the next one may come.
            time.sleep(0.01)

    paths = [folder / f"{version}.bundle" for version in versions]
    whole = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
        os.mkfifo(path)
        if seconds is not None:
            threading.Thread(target=feed, args=(path, whole[path]), daemon=True).start()
    try:
        yield
    finally:
        stop.set()
        for path, data in whole.items():
            pipe = path.rename(path.with_suffix(".pipe"))
            path.write_bytes(data)
            # Whoever waits for the other end of it is let go.
            os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
            pipe.unlink()


def main() -> None:
    """Prints the median and the spread of each arm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with np.load("data/mnist.npz") as data:
        pictures = [image.tobytes() for image in data["x_test"][:1000]]
    with running_service() as service:
        with Client(service.server) as client:
            train(client, "fast", seed=0)
        versions = copies_of_what_serves(service, VERSIONS)
        arms: dict[str, list[Load]] = {
            name: [] for name in ("alone", "cold versions", "reads of 0.3 s", "reads that hang")
        }
        uvloop.run(load(service.server, CLIENTS, 2.0, pictures))

        def measure(arm: str) -> None:
            arms[arm].append(uvloop.run(load(service.server, CLIENTS, options.seconds, pictures)))

        for _ in range(options.rounds):
            measure("alone")
            with asking(service.server, versions):
                measure("cold versions")
            for arm, seconds in (("reads of 0.3 s", SLOW_READ_SECONDS), ("reads that hang", None)):
                with slow_reads(service, versions, seconds), asking(service.server, versions):
                    measure(arm)
        for arm, rounds in arms.items():
            _print(arm, rounds)


def _print(arm: str, rounds: list[Load]) -> None:
    p50s, p99s = [load.p50 for load in rounds], [load.p99 for load in rounds]
    print(
        f"{arm:16} {CLIENTS} clients: p50 {statistics.median(p50s):.2f} ms, "
        f"p99 {statistics.median(p99s):.1f} ms ({min(p99s):.1f} to {max(p99s):.1f}), "
        f"{min(load.by_worker for load in rounds):.1%} by the worker",
        flush=True,
    )


if __name__ == "__main__":
    main()
