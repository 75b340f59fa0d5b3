"""Breaks a service of its own under steady load, by a seed.

`python -m tests.chaos.run --faults 500 --seed 1`.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.client.client import Client
from tests.chaos import clock, lines
from tests.chaos.disks import FullDisks, own_disks
from tests.chaos.faults import Kind
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.processes import Processes
from tests.chaos.reckoning import reckon
from tests.conftest import data_folder, started
from tests.ports import free_port
from tests.service import Service

ROOT = Path(__file__).parents[2]
_MAX_SECONDS_TO_END = 600.0
_MAX_SECONDS_WITHOUT_ANSWER = 300.0


@dataclass(frozen=True)
class Subject:
    """A service of its own, since nothing of it stays whole, and the disks of its stores."""

    service: Service
    disks: list[Path]


@contextlib.contextmanager
def subject(
    folder: Path, mnist: dict[str, np.ndarray], stack: str = "embedded", clock_ahead_seconds: float = 3600.0
) -> Iterator[Subject]:
    """One that is up. Its workers' clock is ahead."""
    var, data = folder / "var", data_folder(folder, mnist)
    # A day's worth of trainings: each has to be there to be reckoned with, and not pruned.
    more = {**clock.ahead(clock_ahead_seconds), "DIGITS_KEEP_MODELS": "100000", "DIGITS_KEEP_JOBS": "100000"}
    with own_disks(var, stack) as disks:
        service = Service(var, data, free_port(), free_port(), stack, more)
        with contextlib.contextmanager(started)(service):
            yield Subject(service, disks)


def kinds_of(subject: Subject, ledger: Ledger, kills_only: bool = False) -> list[Kind]:
    """What may go wrong here. More kills than anything else."""
    if kills_only:
        return [Processes(subject.service, "kill")]
    found: list[Kind] = [Processes(subject.service, what) for what in ("kill", "kill", "stall", "end")]
    if subject.disks:
        found.append(FullDisks(subject.disks, ledger))
    if problem := lines.why_not():
        print(f"no lines that carry nothing: {problem}")
    else:
        found += [lines.Partitions(subject.service), lines.HalfOpen(subject.service)]
    return found


def run(
    subject: Subject,
    mnist: dict[str, np.ndarray],
    count: int,
    seed: int,
    pause_seconds: float,
    *,
    kills_only: bool = False,
) -> tuple[Ledger, Counter[str]]:
    """Inflicts so many faults on a service, `pause_seconds` apart on average.

    Returns what callers were told and what of the promises was broken, and how often each fault came.
    """
    service, ledger, random_ = subject.service, Ledger(), random.Random(seed)  # noqa: S311
    load = Load(service.grpc_address, mnist, ledger, good_versions(service))
    begin, kinds, hits = time.monotonic(), kinds_of(subject, ledger, kills_only), Counter[str]()
    ledger.answered_at = time.monotonic()
    load.start()
    try:
        while hits.total() < count and not _is_down(ledger, hits.total()):
            # The faults themselves, in time: nothing is waited for.
            time.sleep(random_.uniform(0.5, 1.5) * pause_seconds)
            fault = random_.choice(kinds).draw(random_)
            at = time.monotonic() - begin
            if fault.inflict():
                hits[fault.what] += 1
                print(f"{at:7.1f} s  {fault}", flush=True)
    finally:
        load.stop()
    reckon(service, ledger, _MAX_SECONDS_TO_END)
    for what, times in (hits + ledger.calls).items():
        print(f"{times:8,}  {what}")
    print(f"{len(ledger.accepted):8,}  trainings accepted")
    print(f"{ledger.slowest_seconds:8.1f}  s the slowest answer took")
    for violation in ledger.violations:
        print(f"BROKEN: {violation}")
    return ledger, hits


def _is_down(ledger: Ledger, faults: int) -> bool:
    """Whether more faults would be given to what answers nobody, which shows nothing."""
    silence = time.monotonic() - ledger.answered_at
    if silence > _MAX_SECONDS_WITHOUT_ANSWER:
        ledger.violate(f"nobody was told a digit for {silence:.0f} s after {faults} faults")
        return True
    return False


def good_versions(service: Service) -> list[str]:
    """Two versions that read well, of which the second serves."""
    versions = []
    with Client(service.grpc_address) as client:
        for seed in (1, 2):
            *_, last = client.train(images_batch_path="slice.npz", promotion="ALWAYS", seed=seed)
            versions.append(last.model_version)
    return versions


def main(arguments: Sequence[str]) -> int:
    """Returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=8.0, help="seconds between faults, on average")
    parser.add_argument("--stack", choices=("embedded", "real"), default="embedded")
    parser.add_argument("--clock-ahead", type=float, default=3600.0, help="seconds, of both workers' clock")
    parser.add_argument("--kills-only", action="store_true", help="only kill processes")
    options = parser.parse_args(arguments)
    # Whoever ends it ends the service too, its disks, and what drops packets.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its end"))
    with np.load(ROOT / "data" / "mnist.npz") as arrays:
        mnist = dict(arrays)
    with (
        tempfile.TemporaryDirectory() as folder,
        subject(Path(folder), mnist, options.stack, options.clock_ahead) as broken,
    ):
        ledger, _ = run(
            broken, mnist, options.faults, options.seed, options.pause, kills_only=options.kills_only
        )
    return 1 if ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
