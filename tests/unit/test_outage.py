from __future__ import annotations

import threading
from collections.abc import Callable

from digits.errors import NotFound, StoreUnavailable
from workers.outage import wait_for_recovery


class Going(threading.Event):
    """A worker that goes on, and for which no time passes while it waits."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def away(times: int) -> Callable[[], None]:
    left = iter(range(times))

    def ask() -> None:
        for _ in left:
            raise StoreUnavailable("away")

    return ask


def test_a_system_that_comes_back_was_waited_out() -> None:
    assert wait_for_recovery(away(3), Going(), 60)


def test_where_nothing_was_away_the_job_is_to_blame() -> None:
    assert not wait_for_recovery(away(0), Going(), 60)


def test_an_outage_that_lasts_too_long_is_no_fault_of_the_job() -> None:
    assert wait_for_recovery(away(3), Going(), 0)


def test_a_worker_that_stops_waits_no_longer_and_does_not_blame_the_job() -> None:
    stopping = Going()
    stopping.set()
    assert wait_for_recovery(away(3), stopping, 60)


def test_a_missing_log_is_no_outage() -> None:
    def missing() -> None:
        raise NotFound("log", "job")

    assert not wait_for_recovery(missing, Going(), 60)
