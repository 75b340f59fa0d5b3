"""Tries schedules until its time is up, or until one fails.

`python -m tests.simulation.search SECONDS [SEED]`.
"""

from __future__ import annotations

import itertools
import logging
import sys
import time

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Schedule

_SCHEDULES_PER_SEED = 10
_STEPS = 80
_PHASES = (Phase.generate, Phase.shrink)


def search(seconds: float, first_seed: int, phases: tuple[Phase, ...] = _PHASES) -> int:
    """Returns how many schedules held.

    Prints the seed and the shrunk schedule of one that fails, and raises.
    """
    end, tried = time.monotonic() + seconds, 0
    how = settings(
        max_examples=_SCHEDULES_PER_SEED,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.normal,
    )
    for number in itertools.count(first_seed):
        logging.disable(logging.CRITICAL)
        try:
            run_state_machine_as_test(seed(number)(type("Schedule", (Schedule,), {})), settings=how)
        except BaseException:
            print(f"seed {number}: python -m tests.simulation.search 1 {number}", file=sys.stderr)
            raise
        finally:
            logging.disable(logging.NOTSET)
        tried += _SCHEDULES_PER_SEED
        if time.monotonic() > end:
            return tried
    raise RuntimeError("seeds have no end")


if __name__ == "__main__":
    seconds, first_seed = (sys.argv[1:] + ["120", "1"][len(sys.argv) - 1 :])[:2]
    print(f"{search(float(seconds), int(first_seed)):,} schedules held")
