"""Holds a node and says all the time whether it is alive: `python -m tests.conformance.holder URL PATH`.

A line of its standard output is when it asked (CLOCK_MONOTONIC, seconds) and "alive" or "over".
"""

from __future__ import annotations

import sys
import time

from digits.adapters.zookeeper import ZooKeeperCoordinator


def main(url: str, path: str) -> None:
    """Runs until it is killed."""
    node = ZooKeeperCoordinator(url, session_seconds=4).create_ephemeral(path, b"holder")
    assert node
    while True:
        asked = time.monotonic()
        print(f"{asked:.6f}", "alive" if node.alive() else "over", flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
