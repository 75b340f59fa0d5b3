"""From an installed tree to a ready service, and from there to the first `True`.

python -m benchmarks.startup --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import time

import requests

from benchmarks.service import running_service
from digits.settings import Settings


def first_true(service: Settings) -> float:
    """Seconds of the documented train call."""
    url = f"http://127.0.0.1:{service.rest_port}/digits/train"
    started = time.monotonic()
    answer = requests.post(url, json={"images_batch_path": "mnist.npz"}, timeout=300)
    assert answer.text == "True"
    return time.monotonic() - started


def main() -> None:
    """Prints each round, then the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    starts, trues = [], []
    for _ in range(options.rounds):
        started = time.monotonic()
        with running_service() as service:
            starts.append(time.monotonic() - started)
            trues.append(first_true(service))
        print(f"ready after {starts[-1]:.1f} s, True {trues[-1]:.1f} s after the call", flush=True)
    print(f"ready: median {statistics.median(starts):.1f} s, highest {max(starts):.1f} s")
    print(f"first True: median {statistics.median(trues):.1f} s, highest {max(trues):.1f} s")


if __name__ == "__main__":
    main()
