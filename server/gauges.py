"""Values that a server has anyway and that are read only when somebody looks at its metrics."""

from __future__ import annotations

from digits.jobs.reconciler import Reconciler
from digits.serving.batcher import Batcher
from digits.serving.breaker import Breaker
from digits.signals.metrics import elected, serving


def follow(batcher: Batcher, breaker: Breaker, reconciler: Reconciler) -> None:
    """Has the gauges ask these for their values."""
    serving.WAITING_PICTURES.set_function(batcher.waiting_pictures)
    serving.OLDEST_WAIT_SECONDS.set_function(batcher.oldest_wait_seconds)
    serving.BREAKER_OPEN.set_function(breaker.is_open)
    elected.LEADER.set_function(reconciler.leads)
