"""What a recipe reaches on MNIST: processes side by side, states averaged after each micro-batch.

It runs the executors' own code on packed blocks, without Spark:

    python -m benchmarks.recipes --recipe fast --seeds 5 [--images 500]

With --validate it trains on 55,000 of the training images and measures on the other 5,000, always the same:
that is what recipes are chosen by. --calibrate fits the temperature on them. --keep FOLDER writes each
network and its manifest, for `benchmarks.pictures --model` and docs/. --partitions sets how many there are,
and --outer 0.5 0.7 gives what they agree on a momentum, and a rate, of its own (DiLoCo, arXiv 2311.08105).
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import hashlib
import json
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

import digits
from benchmarks.measures import print_measures
from benchmarks.outer_momentum import Outer
from digits.datasets.shards import Images
from digits.models.evaluation import evaluate
from digits.models.onnx_graph import to_onnx
from digits.models.predictor import Predictor
from digits.training import architecture, blocks, recipes
from digits.training.local_sgd import PartitionResult, merge
from digits.training.partitioning import Means, choose
from digits.training.recipes import Recipe
from digits.v1 import artifacts_pb2 as pb
from spark_jobs import partition_trainer
from spark_jobs.partition_trainer import MicroBatch
from spark_jobs.plan import Plan

Row = tuple[int, int, bytes]
_VALIDATION_IMAGES = 5_000
_SPLIT_SEED = 99


def main() -> None:
    """Prints the accuracy and the seconds for each seed, then their means."""
    options = _options()
    recipe = dataclasses.replace(recipes.find(options.recipe), **dict(options.set))
    if options.calibrate:
        recipe = dataclasses.replace(recipe, temperature=1.0)
    data = np.load(options.data)
    train, held_out = _images(data, "train"), _images(data, "test")
    if options.validate or options.calibrate:
        train, held_out = _validation_split(train)
    chosen = choose(Means(options.processes, options.images or len(train), 4 << 30)).count
    partitions = options.partitions or chosen
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pools = [ProcessPoolExecutor(1, mp_context=spawn) for _ in range(partitions)]
        workers = [stack.enter_context(pool) for pool in pools]
        for warming in [worker.submit(_warm, recipe) for worker in workers]:
            warming.result()
        runs = [
            _run(workers, recipe, seed, (_chosen(train, options.images, seed), held_out), options)
            for seed in range(options.first_seed, options.first_seed + options.seeds)
        ]
    accuracies, seconds = np.array(runs).T
    print(
        f"{recipe.name}: mean {accuracies.mean():.2%}, deviation {accuracies.std():.2%}, "
        f"lowest {accuracies.min():.2%}, {seconds.mean():.1f} s",
        flush=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write networks and manifests there")
    parser.add_argument("--images", type=int, default=0, help="train on so many, others for each seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--partitions", type=int, default=0)
    parser.add_argument("--outer", type=float, nargs=2, metavar=("MOMENTUM", "RATE"))
    parser.add_argument("--data", default="data/mnist.npz")
    parser.add_argument("--validate", action="store_true", help="measure on held-out training images")
    parser.add_argument("--calibrate", action="store_true", help="fit the temperature on them")
    parser.add_argument("--set", nargs="*", default=[], type=_change, metavar="FIELD=VALUE")
    return parser.parse_args()


def _change(assignment: str) -> tuple[str, object]:
    field, value = assignment.split("=")
    return field, ast.literal_eval(value)


def _images(data: np.lib.npyio.NpzFile, part: str) -> Images:
    return Images(data[f"x_{part}"].reshape(-1, 784), data[f"y_{part}"])


def _chosen(images: Images, count: int, seed: int) -> Images:
    """So many of the images, drawn at random; all of them in their order for 0."""
    if not count:
        return images
    places = np.random.default_rng(seed).permutation(len(images))[:count]
    return Images(images.pixels[places], images.labels[places])


def _validation_split(images: Images) -> tuple[Images, Images]:
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    train, validation = order[:-_VALIDATION_IMAGES], order[-_VALIDATION_IMAGES:]
    return (
        Images(images.pixels[train], images.labels[train]),
        Images(images.pixels[validation], images.labels[validation]),
    )


def _rows(images: Images, partitions: int) -> list[Row]:
    packed = enumerate(blocks.blocks([images]))
    return [(number % partitions, number // partitions, block) for number, block in packed]


def _run(
    workers: Sequence[ProcessPoolExecutor],
    recipe: Recipe,
    seed: int,
    images: tuple[Images, Images],
    options: argparse.Namespace,
) -> tuple[float, float]:
    train, test = images
    start = time.perf_counter()
    state, spent = architecture.initial_state(recipe, seed), 0.0
    outer = Outer(*options.outer) if options.outer else None
    plan, done = Plan(recipe, len(train), len(workers)), 0
    for micro_batch in _micro_batches(plan, _rows(train, len(workers))):
        work = MicroBatch(recipe, state, seed, done, plan.total_images, len(workers), plan.passes)
        results, cpu_seconds = _micro_batch(workers, work, micro_batch)
        merged, spent = merge(results), spent + cpu_seconds
        state = outer.step(state, merged) if outer else merged
        done += sum(result.image_count for result in results)
        if recipe.epochs > 1:
            _print_progress(results, done / len(train), spent, time.perf_counter() - start)
    seconds = time.perf_counter() - start
    onnx = to_onnx(recipe, state)
    predictor = Predictor(onnx)
    metrics = evaluate(predictor, test)
    print(
        f"seed {seed}: {metrics.accuracy:.2%}, loss {metrics.loss:.4f}, {seconds:.1f} s, "
        f"{done / seconds:,.0f} images/s, {done / spent:,.0f} per second of processor time",
        flush=True,
    )
    print_measures(predictor, test, options.calibrate)
    if options.keep:
        run = {"accuracy": metrics.accuracy, "seconds": seconds, "processor_seconds": spent}
        _keep(options.keep, recipe, seed, onnx, {"images": len(train), "partitions": len(workers), **run})
    return metrics.accuracy, seconds


def _print_progress(results: Sequence[PartitionResult], epochs: float, spent: float, seconds: float) -> None:
    images = sum(result.image_count for result in results)
    loss = sum(result.loss_sum for result in results) / images
    right = sum(result.correct_count for result in results) / images
    print(
        f"  epoch {epochs:5.2f}: loss {loss:.4f}, right {right:.2%}, "
        f"{spent:.0f} s of processor time, {seconds:.0f} s",
        flush=True,
    )


def _keep(folder: Path, recipe: Recipe, seed: int, onnx: bytes, run: Mapping[str, object]) -> None:
    """Writes the network, and how it came about."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{recipe.name}-{seed}.onnx").write_bytes(onnx)
    manifest = {
        "code_version": digits.__version__,
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        **run,
        "onnx_sha256": hashlib.sha256(onnx).hexdigest(),
    }
    (folder / f"{recipe.name}-{seed}.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _micro_batches(plan: Plan, rows: list[Row]) -> Iterator[list[Row]]:
    for _ in range(plan.epochs):
        for start in range(0, len(rows), plan.max_blocks):
            yield rows[start : start + plan.max_blocks]


def _micro_batch(
    workers: Sequence[ProcessPoolExecutor], work: MicroBatch, rows: list[Row]
) -> tuple[list[PartitionResult], float]:
    calls = [
        worker.submit(_train, work, [row for row in rows if row[0] == partition])
        for partition, worker in enumerate(workers)
    ]
    reports, seconds = zip(*(call.result() for call in calls), strict=True)
    return [PartitionResult.from_proto(pb.PartitionReport.FromString(r)) for r in reports], sum(seconds)


def _train(work: MicroBatch, rows: list[Row]) -> tuple[bytes, float]:
    """One partition in a worker process: its report, and its seconds of processor time."""
    start = time.process_time()
    columns = dict(zip(partition_trainer.COLUMNS, zip(*rows, strict=True), strict=True))
    (row,) = partition_trainer.train_partitions(work)(iter([pa.RecordBatch.from_pydict(columns)]))
    return row["report"][0].as_py(), time.process_time() - start


def _warm(recipe: Recipe) -> None:
    list(partition_trainer.warm(recipe)(iter([])))


if __name__ == "__main__":
    main()
