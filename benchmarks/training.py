"""Train on a warm service against a bare `model.fit` of the same network, in turn, in one run.

`python -m benchmarks.training --rounds 3 --recipe fast --epochs 1 1.5 2`: model.fit for each number of
epochs, and in which time it would reach what Train does, on a line between the two that are nearest.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.service import running_service
from digits.client.client import Client
from digits.training import recipes
from digits.v1 import training_pb2

Heard = list[tuple[float, training_pb2.TrainProgress]]


def train(client: Client, recipe: str, seed: int) -> tuple[float, Heard]:
    """Returns the seconds from the call to SUCCEEDED, and each message with the seconds until it came."""
    started = time.monotonic()
    stream = client.train(
        images_batch_path="mnist.npz", recipe=recipe, seed=seed, promotion=training_pb2.ALWAYS
    )
    heard = [(time.monotonic() - started, progress) for progress in stream]
    return time.monotonic() - started, heard


def eta_errors(heard: Heard) -> list[float]:
    """By which share each estimate after the first third was off the time until training ended."""
    end = next(at for at, progress in heard if progress.images_trained == progress.images_total > 0)
    errors, last = [], 0
    for at, progress in heard:
        late = progress.images_total / 3 <= progress.images_trained < progress.images_total
        if late and progress.micro_batch != last:
            last = progress.micro_batch
            errors.append(progress.eta.ToMilliseconds() / 1000 / (end - at) - 1)
    return errors


@dataclass(frozen=True)
class Fit:
    """What model.fit took and reached, on the test images and on them as people's pens draw."""

    seconds: float
    accuracy: float
    redrawn_accuracy: float


def fit(recipe: str, epochs: float, seed: int) -> Fit:
    """What model.fit does, in a process of its own, whose TensorFlow goes with it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_fit, recipe, epochs, seed).result()


def _fit(recipe: str, epochs: float, seed: int) -> Fit:
    from benchmarks import model_fit  # noqa: PLC0415

    found = model_fit.fit(recipes.find(recipe), epochs, np.load("data/mnist.npz"), seed)
    return Fit(found.seconds, found.accuracy, found.redrawn_accuracy)


def seconds_to(accuracy: float, runs: Mapping[float, Sequence[Fit]]) -> float | None:
    """In which time model.fit reaches it; None if it does within less, or not within more, than was tried."""
    means = [
        (statistics.median(run.seconds for run in some), statistics.mean(run.accuracy for run in some))
        for _, some in sorted(runs.items())
    ]
    for (before, lower), (after, upper) in pairwise(means):
        if lower <= accuracy < upper:
            return before + (after - before) * (accuracy - lower) / (upper - lower)
    return None


def main() -> None:
    """Prints each round, then median and spread of each arm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=float, nargs="*", default=[1.0], help="of model.fit")
    options = parser.parse_args()
    seconds, accuracies = [], []
    fitted: dict[float, list[Fit]] = defaultdict(list)
    with running_service() as service, Client(service.server) as client:
        for seed in range(options.rounds):
            took, heard = train(client, options.recipe, seed)
            accuracy = heard[-1][1].accuracy
            seconds.append(took)
            accuracies.append(accuracy)
            off = ", ".join(f"{error:+.0%}" for error in eta_errors(heard))
            print(
                f"Train {options.recipe}, seed {seed}: {took:.1f} s, {accuracy:.2%}, "
                f"redrawn {heard[-1][1].metrics.robustness:.1%}; eta off by {off}",
                flush=True,
            )
            for epochs in options.epochs:
                run = fit(options.recipe, epochs, seed)
                fitted[epochs].append(run)
                print(
                    f"model.fit, {epochs:g} epochs: {run.seconds:.1f} s, {run.accuracy:.2%}, "
                    f"redrawn {run.redrawn_accuracy:.1%}",
                    flush=True,
                )
    reached = statistics.mean(accuracies)
    _print(f"Train {options.recipe}", seconds, accuracies)
    for epochs, runs in fitted.items():
        _print(f"model.fit, {epochs:g} epochs", [run.seconds for run in runs], [run.accuracy for run in runs])
    if wanted := seconds_to(reached, fitted):
        share = statistics.median(seconds) / wanted
        print(f"model.fit reaches {reached:.2%} in {wanted:.1f} s: Train takes {share:.2f} of it")


def _print(name: str, seconds: Sequence[float], accuracies: Sequence[float]) -> None:
    print(
        f"{name}: {min(seconds):.1f} / {statistics.median(seconds):.1f} / {max(seconds):.1f} s "
        f"(lowest, median, highest of {len(seconds)}); accuracy mean {statistics.mean(accuracies):.2%}, "
        f"lowest {min(accuracies):.2%}"
    )


if __name__ == "__main__":
    main()
