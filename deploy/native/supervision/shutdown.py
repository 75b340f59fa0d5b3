"""Stops every process, in their order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from deploy.native.supervision import process_tags
from deploy.native.supervision.managed_process import ManagedProcess, Phase
from deploy.native.supervision.stop_requests import StopRequests

POLL_SECONDS = 0.05


def stop_all(processes: Sequence[ManagedProcess], root: Path, requests: StopRequests) -> None:
    """Stops lower ranks first, and ends what is left with a tag of the state folder `root`.

    A request beyond those that are counted now kills at once what has not ended yet.
    """
    asked = max(requests.count, 1)
    for rank in sorted({process.spec.stop_rank for process in processes}):
        _stop([process for process in processes if process.spec.stop_rank == rank], requests, asked)
    process_tags.end(process_tags.tagged(root), leave_seconds=0.0)


def _stop(processes: Sequence[ManagedProcess], requests: StopRequests, asked: int) -> None:
    """Ends some processes together."""
    for process in processes:
        process.terminate()
    began = time.monotonic()
    left = [process for process in processes if process.pid]
    while left:
        waited, hurry = time.monotonic() - began, requests.count > asked
        for process in [each for each in left if hurry or waited > each.spec.grace_seconds]:
            process.kill()
        for process in [each for each in left if each.exit_code() is not None]:
            process.clear(0.0 if hurry else process_tags.MAX_LEAVE_SECONDS)
            left.remove(process)
        time.sleep(POLL_SECONDS if left else 0)
    for process in processes:
        process.phase = Phase.DOWN
