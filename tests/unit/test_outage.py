from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from digits.errors import NotFound, StoreUnavailable
from workers.outage import until_answered, wait_for_recovery


class Going(threading.Event):
    """A worker that goes on, and for which no time passes while it waits."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def stopped() -> Going:
    event = Going()
    event.set()
    return event


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


def test_an_outage_that_lasts_too_long_is_an_outage_all_the_same() -> None:
    asked = away(3)
    assert wait_for_recovery(asked, Going(), 0)
    with pytest.raises(StoreUnavailable):
        asked()


def test_a_worker_that_stops_waits_no_longer() -> None:
    asked = away(3)
    assert wait_for_recovery(asked, stopped(), 60)
    with pytest.raises(StoreUnavailable):
        asked()


def test_a_missing_log_is_no_outage() -> None:
    def missing() -> None:
        raise NotFound("log", "job")

    assert not wait_for_recovery(missing, Going(), 60)


def test_what_has_to_be_written_is_tried_until_it_is_taken() -> None:
    asked = away(3)

    def write() -> str:
        asked()
        return "written"

    assert until_answered(write, Going()) == "written"


def test_a_worker_that_stops_gives_up_writing() -> None:
    with pytest.raises(StoreUnavailable):
        until_answered(away(3), stopped())
