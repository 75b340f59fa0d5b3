"""Trainings over many images: their rate from call to end, and what each process holds meanwhile.

`python -m benchmarks.scale --images 60000 600000 2400000`: MNIST's, shifted and turned, in shards of 60,000,
by a service that is started for each size. `--setting target_batch_seconds --values 0.5 1 2 5` is a curve of
one setting, its values in turn; `--slow 4` holds one of the embedded stack's partition trainers back to a
quarter of its speed, `--in-hdfs` has them read from there, and `--kill-every 20` kills each process once, one
every so many seconds. `--bare` runs a bare loop over the same images after each, and does not look at memory,
which takes 1.6 % of two cores. Prints the figures of docs/scaling.md.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import bare_loop, shards
from benchmarks.held_memory import Held, looking, part_ids
from benchmarks.kills import killing
from benchmarks.service import running_service
from benchmarks.slow_workers import slowed, workers_below
from digits.adapters.hdfs import HdfsStore
from digits.client.client import Client
from digits.client.resume import follow
from digits.settings import Settings
from digits.v1 import training_pb2

Heard = list[tuple[float, training_pb2.TrainProgress]]
"""Each message, and how many seconds after the call it came."""


@dataclass(frozen=True)
class Run:
    """One training."""

    heard: Heard
    held: Held
    job: training_pb2.Job

    @property
    def seconds(self) -> float:
        """From the call to the end."""
        return self.heard[-1][0]

    @property
    def rate(self) -> float:
        """Images a second from the call to the end."""
        return self.heard[-1][1].images_trained / self.seconds

    @property
    def rate_inside(self) -> float:
        """Images a second in a micro-batch, the median."""
        progress = [progress for _, progress in self.heard[:-1]]
        return statistics.median({each.micro_batch: each.images_per_second for each in progress}.values())

    @property
    def first_checkpoint(self) -> float:
        """Seconds from the call until the first micro-batch was committed."""
        return next(at for at, progress in self.heard if progress.micro_batch)

    @property
    def between_checkpoints(self) -> float:
        """The median of the seconds: what a kill costs at most."""
        return statistics.median(self._seconds_between or [0.0])

    @property
    def longest_between_checkpoints(self) -> float:
        """In seconds."""
        return max(self._seconds_between, default=0.0)

    @property
    def _seconds_between(self) -> list[float]:
        firsts = {progress.micro_batch: at for at, progress in reversed(self.heard) if progress.micro_batch}
        at = sorted(firsts.values())
        return [later - earlier for earlier, later in itertools.pairwise(at)]

    @property
    def partitions(self) -> int:
        """Of the log."""
        return self.job.log_partition_count

    @property
    def moved_bytes(self) -> int:
        """Of states, to the partitions and back, in all rounds: what Spark moves beside the images."""
        state = self.job.partition_decision.state_bytes
        return 2 * state * self.partitions * self.job.progress.micro_batch

    @property
    def merge(self) -> float:
        """Seconds that the driver took to average the partitions' states, the median."""
        return statistics.median(point.merge_seconds for point in self.job.history)

    @property
    def commit(self) -> float:
        """Seconds that a checkpoint took, the median."""
        return statistics.median(point.commit_seconds for point in self.job.history)

    @property
    def accuracy(self) -> float:
        """Of the batch's own held-out images."""
        return self.heard[-1][1].accuracy

    def peak(self, name: str) -> float:
        """MB that was held at most."""
        return max(self.held.get(name, []), default=0) / 1e6


@dataclass(frozen=True)
class Trouble:
    """What a training has to bear."""

    slow_times: float
    kill_every_seconds: float

    @contextmanager
    def of(self, settings: Settings) -> Iterator[list[str]]:
        """Yields which parts were killed."""
        with ExitStack() as troubles:
            if self.slow_times > 1:
                troubles.enter_context(
                    slowed(self.slow_times, workers_below(part_ids(settings)["train-worker"])[-1])
                )
            every = self.kill_every_seconds
            yield troubles.enter_context(killing(settings, every)) if every else []


def main() -> None:
    """Prints a line for each run, and one for each value of a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", required=True)
    parser.add_argument("--stack", default="embedded", choices=("embedded", "real"))
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--setting", default="target_batch_seconds")
    parser.add_argument("--values", nargs="+", default=[""])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--in-hdfs", action="store_true", help="the real stack's, not the data folder")
    parser.add_argument("--slow", type=float, default=1.0, help="how many times slower one trainer is")
    parser.add_argument("--kill-every", type=float, default=0.0, help="seconds; none is killed for 0")
    parser.add_argument("--bare", action="store_true", help="a bare loop in turn; its images are in memory")
    parser.add_argument("--data", type=Path, help="a folder in which the images stay for another time")
    options = parser.parse_args()
    os.environ["DIGITS_MAX_DATASET_BYTES"] = str(1 << 40)
    for count in options.images:
        with tempfile.TemporaryDirectory() as folder:
            data = options.data / f"{count}" if options.data else Path(folder)
            shards.write(data / "shards", count)
            runs: dict[str, list[Run]] = defaultdict(list)
            shares: dict[str, list[float]] = defaultdict(list)
            for _, value in itertools.product(range(options.rounds), options.values):
                if value:
                    os.environ[f"DIGITS_{options.setting.upper()}"] = value
                run = _run(data, options)
                runs[value].append(run)
                _print(f"{count:,} images {value}".strip(), [run])
                if options.bare:
                    shares[value].append(_share_of_bare_loop(run, data / "shards", options.recipe))
                else:
                    _print_memory(run)
        if options.rounds > 1:
            for value, some in runs.items():
                _print(f"median of {len(some)}: {value}", some)
                if value in shares:
                    of_bare = shares[value]
                    spread = f"{min(of_bare):.0%} to {max(of_bare):.0%}"
                    print(f"  {statistics.median(of_bare):.0%} of a bare loop ({spread})", flush=True)


def _run(data: Path, options: argparse.Namespace) -> Run:
    trouble = Trouble(options.slow, options.kill_every)
    with running_service(options.stack, data) as settings, Client(settings.server) as client:
        # In a service that is in use the recipe is compiled, and its workers are warm.
        _train(client, "shards/part-0000.npz", options.recipe)
        batch = _published(data / "shards", settings.batches_url) if options.in_hdfs else "shards"
        looks = nullcontext(Held()) if options.bare else looking(settings)
        with looks as held, trouble.of(settings) as killed:
            heard = _train(client, batch, options.recipe)
        if killed:
            print(f"  killed: {', '.join(killed)}", flush=True)
        return Run(heard, held, client.get_job(heard[0][1].job_id))


def _share_of_bare_loop(run: Run, folder: Path, recipe: str) -> float:
    bare = bare_loop.rate(sorted(folder.iterdir()), recipe, os.cpu_count() or 1)
    print(f"  a bare loop, images in memory: {bare:,.0f} images/s: {run.rate / bare:.0%} of it", flush=True)
    return run.rate / bare


def _published(folder: Path, url: str) -> str:
    """The folder's address in HDFS."""
    parts = urlsplit(url)
    store = HdfsStore([parts.netloc], parts.path)
    for file in sorted(folder.iterdir()):
        store.publish(f"{folder.name}/{file.name}", file)
    return f"{url}/{folder.name}"


def _train(client: Client, path: str, recipe: str) -> Heard:
    started = time.monotonic()
    stream = client.train(images_batch_path=path, recipe=recipe, promotion=training_pb2.ALWAYS)
    return [(time.monotonic() - started, progress) for progress in follow(client, stream)]


def _print(name: str, runs: Sequence[Run]) -> None:
    def middle(values: Sequence[float]) -> float:
        return statistics.median(values)

    rates = [run.rate for run in runs]
    spread = f" ({min(rates):,.0f} to {max(rates):,.0f})" if len(runs) > 1 else ""
    workers = [run.peak("train-worker: python") for run in runs]
    print(
        f"{name}: {middle(rates):,.0f} images/s from call to end{spread}, "
        f"{middle([run.rate_inside for run in runs]):,.0f} in a micro-batch; "
        f"first checkpoint after {middle([run.first_checkpoint for run in runs]):.1f} s, "
        f"then every {middle([run.between_checkpoints for run in runs]):.2f} s "
        f"(at most {max(run.longest_between_checkpoints for run in runs):.1f}), "
        f"merged in {middle([run.merge for run in runs]):.3f} and committed in "
        f"{middle([run.commit for run in runs]):.3f}; {runs[-1].partitions} partitions, "
        f"{runs[-1].moved_bytes / 1e6:,.0f} MB of states in {runs[-1].job.progress.micro_batch} rounds, "
        f"held-out {middle([run.accuracy for run in runs]):.2%}"
        + (f"; Spark's Python workers {middle(workers):,.0f} MB" if any(workers) else ""),
        flush=True,
    )


def _print_memory(run: Run) -> None:
    parts = []
    for name, looks in sorted(run.held.items()):
        third = max(1, len(looks) // 3)
        parts.append(f"{name} {max(looks[:third]) / 1e6:,.0f} to {max(looks[-third:]) / 1e6:,.0f}")
    print(f"  MB, the peaks of the first and of the last third: {', '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
