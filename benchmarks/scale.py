"""One training over so many images: their rate from call to end, and what each process holds meanwhile.

`python -m benchmarks.scale 60000 600000 2400000`: images are MNIST's, shifted, turned and stretched, in
shards of 60,000, and a service is started for each size. Prints the figures of docs/scaling.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import psutil

from benchmarks.service import running_service
from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import training_pb2

_SHARD = 60_000
_LOOK_SECONDS = 1.0

Heard = list[tuple[float, training_pb2.TrainProgress]]

Held = dict[str, list[int]]
"""Bytes of each part's processes, by its name, one look after the other."""


def main() -> None:
    """Prints a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=int, nargs="+")
    parser.add_argument("--stack", default="embedded", choices=("embedded", "real"))
    parser.add_argument("--recipe", default="fast")
    options = parser.parse_args()
    os.environ["DIGITS_MAX_DATASET_BYTES"] = str(1 << 40)
    for count in options.images:
        with tempfile.TemporaryDirectory() as folder:
            _write(Path(folder) / "shards", count)
            service = running_service(options.stack, Path(folder))
            with service as settings, Client(settings.server) as client:
                # In a service that is in use the recipe is compiled, and its workers are warm.
                _train(client, "shards/part-0000.npz", options.recipe)
                with _looking(settings) as held:
                    _print(count, _train(client, "shards", options.recipe), held)


def _write(folder: Path, count: int) -> None:
    folder.mkdir()
    with np.load("data/mnist.npz") as arrays:
        pixels, labels = arrays["x_train"], arrays["y_train"]
    for number, first in enumerate(range(0, count, _SHARD)):
        some = min(_SHARD, count - first)
        random = np.random.default_rng(number)
        moved = pixels[:some] if number == 0 else np.stack([_moved(one, random) for one in pixels[:some]])
        np.savez(folder / f"part-{number:04d}.npz", x_train=moved, y_train=labels[:some])


def _moved(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((13.5, 13.5), random.uniform(-12, 12), random.uniform(0.9, 1.1))
    matrix[:, 2] += random.uniform(-2, 2, 2)
    return np.asarray(cv2.warpAffine(picture, matrix, (28, 28)))


def _train(client: Client, path: str, recipe: str) -> Heard:
    """Every message, and how many seconds after the call it came."""
    started = time.monotonic()
    stream = client.train(images_batch_path=path, recipe=recipe, promotion=training_pb2.ALWAYS)
    return [(time.monotonic() - started, progress) for progress in stream]


@contextmanager
def _looking(settings: Settings) -> Iterator[Held]:
    record = RunRecord.read(StateFolder.at(settings.var_dir))
    assert record
    pids = {part.name: part.pid for part in record.processes if part.pid}
    held: Held = defaultdict(list)
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_SECONDS):
            for name, pid in pids.items():
                with suppress(psutil.Error):
                    held[name].append(_bytes(psutil.Process(pid)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield held
    finally:
        stop.set()
        thread.join()


def _bytes(process: psutil.Process) -> int:
    """Of a process and those that it started; a page that several have counts once."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            total += each.memory_full_info().pss
    return total


def _print(count: int, heard: Heard, held: Held) -> None:
    seconds, last = heard[-1]
    messages = [each for _, each in heard[:-1]]
    by_micro_batch = {each.micro_batch: each.images_per_second for each in messages if each.micro_batch}
    inside = statistics.median(by_micro_batch.values())
    rate = last.images_trained / seconds
    print(f"{count:,} images, {last.epochs} epochs: {seconds:.1f} s, {rate:,.0f} images/s from call to end,")
    print(f"  {inside:,.0f} in a micro-batch (median of {len(by_micro_batch)}): {rate / inside:.0%}")
    print(f"  held-out accuracy {last.accuracy:.2%}", flush=True)
    entered = {}
    for at, each in heard:
        entered.setdefault(training_pb2.JobState.Name(each.state).lower(), at)
    print("  " + ", ".join(f"{state} at {at:.1f} s" for state, at in entered.items()), flush=True)
    for name, looks in sorted(held.items()):
        third = max(1, len(looks) // 3)
        thirds = f"first third {max(looks[:third]) / 1e6:,.0f}, last {max(looks[-third:]) / 1e6:,.0f}"
        print(f"  {name}: most {max(looks) / 1e6:,.0f} MB; {thirds}", flush=True)


if __name__ == "__main__":
    main()
