"""The embedded and the real stack, in turn in one run; then what Kafka and HDFS cost by themselves.

python -m benchmarks.stacks --rounds 5
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.classify import load
from benchmarks.service import running_service
from benchmarks.training import train
from digits import bootstrap
from digits.client.client import Client
from digits.datasets.dataset import open_dataset
from digits.datasets.matching import plain
from digits.settings import Settings
from digits.training import architecture, blocks, recipes
from digits.training.checkpoints import Checkpoints
from digits.training.ingest import BlockFilling, Ingest
from digits.training.window import IngestWindow
from spark_jobs.training_state import TrainingState

IMAGES = 60_000
COMMITS = 50


def commit_seconds(settings: Settings) -> list[float]:
    """Commits checkpoints of the default recipe's size to the store, as a training does."""
    checkpoints = Checkpoints(bootstrap.store(settings), "benchmark")
    state = TrainingState(architecture.initial_state(recipes.find(""), 0))
    took = []
    for sequence in range(COMMITS):
        checkpoint = state.to_proto("benchmark", 1)
        checkpoint.sequence = sequence
        started = time.monotonic()
        checkpoints.commit(checkpoint)
        took.append(time.monotonic() - started)
    checkpoints.delete()
    return took


def ingest_rate(settings: Settings, round_: int) -> float:
    """Images a second from mnist.npz into the log, with a window that never closes."""
    log, job_id = bootstrap.log(settings), f"benchmark-{round_}"
    batch = open_dataset(
        plain(Path("data/mnist.npz").resolve()), "images_batch_path", settings.max_dataset_bytes
    )
    log.create(job_id, 2)
    total = -(-batch.train_count // blocks.IMAGES_PER_BLOCK)
    window = IngestWindow(2 * total, 0, 0)
    started = time.monotonic()
    with Ingest(
        job_id, BlockFilling(log, job_id, blocks.blocks(batch.train(round_))), window, lambda: None
    ) as ingest:
        while window.appended() < total:
            ingest.check()
            time.sleep(0.005)
        took = time.monotonic() - started
    log.delete(job_id)
    return batch.train_count / took


def main() -> None:
    """Prints the median and the spread of each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with np.load("data/mnist.npz") as data:
        pictures = [image.tobytes() for image in data["x_test"][:1000]]
    with ExitStack() as stack:
        started = time.monotonic()
        real = stack.enter_context(running_service("real"))
        print(f"real stack ready after {time.monotonic() - started:.1f} s", flush=True)
        arms = {"embedded": stack.enter_context(running_service()), "real": real}
        _compare_training(arms, options.rounds)
        _compare_classifying(arms, options.rounds, pictures)
        _print("checkpoint commit to HDFS: seconds", commit_seconds(real))
        _print("ingest into Kafka: images/s", [ingest_rate(real, n) for n in range(options.rounds)])


def _compare_training(arms: dict[str, Settings], rounds: int) -> None:
    """The first job of each stack is cold and does not count."""
    rates: dict[str, list[float]] = {name: [] for name in arms}
    for seed in range(rounds + 1):
        for name, settings in arms.items():
            with Client(settings.server) as client:
                took, accuracy = train(client, "fast", seed)
            print(f"{name}: fast, seed {seed}: {took:.1f} s, {accuracy:.2%}", flush=True)
            rates[name].append(IMAGES / took)
    for name in arms:
        _print(f"Train, {name}: images/s from call to SUCCEEDED", rates[name][1:])
    medians = {name: statistics.median(rates[name][1:]) for name in arms}
    print(f"Train: real / embedded = {medians['real'] / medians['embedded']:.1%}", flush=True)


def _compare_classifying(arms: dict[str, Settings], rounds: int, pictures: list[bytes]) -> None:
    p50s: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, settings in arms.items():
            p50s[name].append(asyncio.run(load(settings.server, 1, 5.0, pictures)).p50)
    for name in arms:
        _print(f"Classify, one client, {name}: p50 in ms", p50s[name])


def _print(what: str, values: Sequence[float]) -> None:
    median = statistics.median(values)
    print(f"{what}: median {median:.4g} ({min(values):.4g} to {max(values):.4g})", flush=True)


if __name__ == "__main__":
    main()
