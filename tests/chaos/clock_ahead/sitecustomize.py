"""Found by every Python of a service that `tests.chaos.clock` prepared: a worker's clock goes wrong by it."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

# All that wait, do so by the monotonic clock, which stays right.
if "workers" in sys.orig_argv:
    import time_machine

    _ahead = timedelta(seconds=float(os.environ["CHAOS_CLOCK_AHEAD_SECONDS"]))
    time_machine.travel(_ahead, tick=True).start()
