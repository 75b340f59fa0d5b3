"""Breaks a service of its own under steady load, by a seed.

`python -m tests.chaos.run --faults 500 --seed 1`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits.client.client import Client
from tests.chaos import faults
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.reckoning import reckon
from tests.conftest import data_folder
from tests.ports import free_port
from tests.service import Service

ROOT = Path(__file__).parents[2]
_MAX_SECONDS_TO_END = 600.0


def run(
    service: Service, mnist: dict[str, np.ndarray], count: int, seed: int, pause_seconds: float
) -> Ledger:
    """Inflicts so many faults on a service that serves good versions, `pause_seconds` apart on average.

    Returns what callers were told, and what of the promises was broken.
    """
    ledger, random_ = Ledger(), random.Random(seed)  # noqa: S311
    load = Load(service.grpc_address, mnist, ledger, good_versions(service))
    started, parts, hits = time.monotonic(), faults.parts_of(service), Counter[str]()
    load.start()
    try:
        while hits.total() < count:
            # The faults themselves, in time: nothing is waited for.
            time.sleep(random_.uniform(0.5, 1.5) * pause_seconds)
            fault = faults.draw(random_, parts)
            if faults.inflict(service, fault):
                hits[fault.what] += 1
                print(f"{time.monotonic() - started:7.1f} s  {fault}", flush=True)
    finally:
        load.stop()
    reckon(service, ledger, _MAX_SECONDS_TO_END)
    for what, times in (hits + ledger.calls).items():
        print(f"{times:8,}  {what}")
    print(f"{len(ledger.accepted):8,}  trainings accepted")
    print(f"{ledger.slowest_seconds:8.1f}  s the slowest answer took")
    for violation in ledger.violations:
        print(f"BROKEN: {violation}")
    return ledger


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
    options = parser.parse_args(arguments)
    with np.load(ROOT / "data" / "mnist.npz") as arrays:
        mnist = dict(arrays)
    with tempfile.TemporaryDirectory() as folder:
        data = data_folder(Path(folder), mnist)
        service = Service(Path(folder) / "var", data, free_port(), free_port(), options.stack)
        service.up()
        try:
            ledger = run(service, mnist, options.faults, options.seed, options.pause)
        finally:
            service.down()
    return 1 if ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
