"""Train on a warm service against a bare `model.fit` of the same network, in turn, in one run.

python -m benchmarks.training --rounds 3 --recipe fast
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from benchmarks.service import running_service
from digits.client.client import Client
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


def main() -> None:
    """Prints each round, then median and spread of both arms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1, help="of model.fit")
    parser.add_argument("--alone", action="store_true", help="leave model.fit out")
    options = parser.parse_args()
    seconds, accuracies = [], []
    with running_service() as service, Client(service.server) as client:
        for seed in range(options.rounds):
            took, heard = train(client, options.recipe, seed)
            accuracy = heard[-1][1].accuracy
            seconds.append(took)
            accuracies.append(accuracy)
            off = ", ".join(f"{error:+.0%}" for error in eta_errors(heard))
            print(
                f"Train {options.recipe}, seed {seed}: {took:.1f} s, {accuracy:.2%}; eta off by {off}",
                flush=True,
            )
            if not options.alone:
                model_fit = [sys.executable, "-m", "benchmarks.model_fit", "--recipe", options.recipe]
                subprocess.run([*model_fit, "--epochs", str(options.epochs)], check=True)
    print(
        f"Train {options.recipe}: "
        f"{min(seconds):.1f} / {statistics.median(seconds):.1f} / {max(seconds):.1f} s "
        f"(lowest, median, highest of {options.rounds}); accuracy mean {statistics.mean(accuracies):.2%}, "
        f"lowest {min(accuracies):.2%}"
    )


if __name__ == "__main__":
    main()
