"""The yardstick of many images: one process a core, in a loop over its share of them, in memory already.

Nothing is read, spread, merged or kept: `Train` does that besides, on the same cores.

python -m benchmarks.bare_loop data/shards/*.npz
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from digits.training import architecture, recipes
from spark_jobs.partition_trainer import use_one_thread

# After so long without the others they are gone.
_MAX_SECONDS_TO_READ = 600.0


@dataclass(frozen=True)
class Share:
    """A core's part of each shard."""

    shards: Sequence[Path]
    core: int
    cores: int

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Its images, uint8 (n, 784), and their labels, uint8 (n,)."""
        pixels, labels = [], []
        for path in self.shards:
            with np.load(path) as arrays:
                pixels.append(arrays["x_train"][self.core :: self.cores].reshape(-1, 784))
                labels.append(arrays["y_train"][self.core :: self.cores].astype(np.uint8))
        return np.concatenate(pixels), np.concatenate(labels)


def rate(shards: Sequence[Path], recipe: str, cores: int) -> float:
    """Images a second of all cores together, from their common start until the last of them is done."""
    context = multiprocessing.get_context("spawn")
    together, times = context.Barrier(cores, timeout=_MAX_SECONDS_TO_READ), context.SimpleQueue()
    loops = [
        context.Process(target=_loop, args=(Share(shards, core, cores), recipe, together, times))
        for core in range(cores)
    ]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    if any(loop.exitcode for loop in loops):
        raise RuntimeError("a loop ended before its end")
    starts, ends, counts = zip(*(times.get() for _ in loops), strict=True)
    return float(sum(counts) / (max(ends) - min(starts)))


def _loop(share: Share, name: str, together: Barrier, times: SimpleQueue[tuple[float, float, int]]) -> None:
    """Trains on each of its images once, and tells when it started, when it ended, and how many they were."""
    use_one_thread()
    from spark_jobs.compiled_training import CompiledTraining  # noqa: PLC0415

    recipe = recipes.find(name)
    pixels, labels = share.read()
    batch = recipe.partition_batch_size(share.cores, len(labels) * share.cores)
    some = recipe.max_partition_images
    training, state = CompiledTraining(recipe), architecture.initial_state(recipe, 0)
    training.train(state, pixels[:batch], labels[:batch], recipe.schedule(np.zeros(1)), seed=0)
    together.wait()
    started = time.monotonic()
    for first in range(0, len(labels), some):
        images = pixels[first : first + some]
        progress = (first + np.arange(0, len(images), batch)) / len(labels)
        schedule = recipe.schedule(progress)
        state = training.train(state, images, labels[first : first + some], schedule, seed=first).state
    times.put((started, time.monotonic(), len(labels)))


def main() -> None:
    """Prints images a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path, nargs="+")
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(f"a bare loop: {rate(options.shards, options.recipe, options.cores):,.0f} images/s")


if __name__ == "__main__":
    main()
