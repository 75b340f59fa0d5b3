"""Which release a process is of."""

from __future__ import annotations

from prometheus_client import Gauge

import digits

BUILD = Gauge(
    "digits_build_info", "1; the label is the release that runs.", ["version"], multiprocess_mode="livemax"
)
BUILD.labels(digits.__version__).set(1)
