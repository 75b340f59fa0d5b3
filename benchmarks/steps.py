"""What the closed loop does when its trainer is suddenly ten times slower, and when it stands still.

`python -m benchmarks.steps`: one training by a service of its own; its Spark workers are held back and
stopped for a while. Prints, every two seconds or so, how many images wait in the log, how many may, and what
is held, and a picture of it for docs/scaling.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import shards
from benchmarks.beside import beside
from benchmarks.held_memory import Held, looking, part_ids
from benchmarks.service import running_service
from benchmarks.slow_workers import slowed, stopped, workers_below
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import training_pb2

_TIMES = 10.0
_CHART_SECONDS = 3
# Each phase, and for how many seconds of a trainer that is in the midst of its work.
_PHASES = (("as it is", 10.0), ("ten times slower", 30.0), ("as it is", 15.0), ("stands still", 20.0))


@dataclass(frozen=True)
class Look:
    """One message of the job's progress."""

    seconds: float
    phase: str
    progress: training_pb2.TrainProgress
    held_bytes: int


def main() -> None:
    """Prints a line for each look, and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=480_000)
    options = parser.parse_args()
    os.environ["DIGITS_MAX_DATASET_BYTES"] = str(1 << 40)
    with tempfile.TemporaryDirectory() as folder:
        shards.write(Path(folder) / "shards", options.images)
        with running_service("embedded", Path(folder)) as settings, Client(settings.server) as client:
            for _ in client.train(images_batch_path="shards/part-0000.npz", promotion=training_pb2.ALWAYS):
                pass
            looks = _looks(settings, client)
    for look in looks:
        progress = look.progress
        print(
            f"{look.seconds:6.1f} s  {look.phase:16}  micro-batch {progress.micro_batch:3}, "
            f"{progress.images_per_second:7,.0f} images/s, {progress.backlog_images:7,} wait of "
            f"{progress.window_images:7,} that may, {look.held_bytes / 1e6:6,.0f} MB"
        )
    print(_picture(looks))


def _looks(settings: Settings, client: Client) -> list[Look]:
    looks, phase = [], [_PHASES[0][0]]
    with looking(settings) as held, _steps(workers_below(part_ids(settings)["train-worker"]), phase):
        started = time.monotonic()
        for progress in client.train(images_batch_path="shards", promotion=training_pb2.ALWAYS):
            looks.append(Look(time.monotonic() - started, phase[0], progress, _of_trainer(held)))
    return looks


@contextmanager
def _steps(workers: list[psutil.Process], phase: list[str]) -> Iterator[None]:
    """Goes through the phases, and says which one it is."""

    def step(over: threading.Event) -> None:
        for name, seconds in _PHASES:
            phase[0] = name
            if name == "as it is":
                over.wait(seconds)
                continue
            with stopped(*workers) if name == "stands still" else slowed(_TIMES, *workers):
                over.wait(seconds)
        phase[0] = _PHASES[0][0]

    with beside(step):
        yield


def _of_trainer(held: Held) -> int:
    """What the train worker and all that it started hold."""
    return sum(sizes[-1] for name, sizes in held.items() if name.startswith("train-worker") and sizes)


def _picture(looks: list[Look]) -> str:
    """A chart for mermaid: the window, and what waits in it."""
    times = range(_CHART_SECONDS, int(looks[-1].seconds), _CHART_SECONDS)
    some = [next(look for look in reversed(looks) if look.seconds <= time).progress for time in times]
    window, waiting = (
        ", ".join(f"{images / 1e3:.0f}" for images in line)
        for line in zip(*((each.window_images, each.backlog_images) for each in some), strict=True)
    )
    return (
        "xychart-beta\n"
        f'  x-axis "seconds from the call" {times[0]} --> {times[-1]}\n'
        '  y-axis "thousand images"\n'
        f"  line [{window}]\n"
        f"  line [{waiting}]"
    )


if __name__ == "__main__":
    main()
