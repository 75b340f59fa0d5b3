"""Workers whose clock is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_STARTS = Path(__file__).with_name("clock_ahead")


def ahead(seconds: float) -> Mapping[str, str]:
    """Variables by which both workers' clocks are so far ahead of everybody else's.

    It is the clock of their Python that is: Spark's JVM has the machine's. Each Python runs sitecustomize
    at its start, if it finds one.
    """
    others = os.environ.get("PYTHONPATH", "")
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_STARTS), others))),
        "CHAOS_CLOCK_AHEAD_SECONDS": str(seconds),
    }
