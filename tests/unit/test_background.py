import logging
import threading
import time

import pytest

from digits import background
from digits.background import BackgroundLoop
from digits.errors import CoordinatorUnavailable
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FIRST_BACKOFF_SECONDS", 0.01)


def test_a_turn_that_raises_what_nobody_foresaw_does_not_end_the_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns: list[int] = []

    def turn() -> None:
        turns.append(1)
        if len(turns) < 3:
            raise ValueError("junk")

    loop = BackgroundLoop("looker", turn, period_seconds=0.01)
    loop.start()
    wait_until(lambda: len(turns) > 4)
    assert loop.is_alive(max_silence_seconds=5)
    loop.stop()
    assert not loop.is_alive(max_silence_seconds=5)
    assert "junk" in caplog.text


def test_each_failure_in_a_row_is_followed_by_a_longer_wait() -> None:
    waits = [background.backoff_seconds(failures) for failures in (1, 3, 5, 40)]
    assert waits == sorted(waits)
    assert waits[-1] <= background.MAX_BACKOFF_SECONDS


def test_being_woken_does_not_cut_a_backoff_short(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "_FIRST_BACKOFF_SECONDS", 60.0)
    failed = threading.Event()

    def turn() -> None:
        failed.set()
        raise CoordinatorUnavailable("ZooKeeper does not answer")

    loop = BackgroundLoop("looker", turn, period_seconds=0.01)
    with caplog.at_level(logging.WARNING):
        loop.start()
        failed.wait(5)
        for _ in range(100):
            loop.wake()
            time.sleep(0)
        loop.stop()
    assert len(caplog.records) == 1


def test_waking_brings_the_next_turn_at_once() -> None:
    turns: list[int] = []
    loop = BackgroundLoop("looker", lambda: turns.append(1), period_seconds=3600)
    loop.start()
    wait_until(lambda: len(turns) == 1)
    loop.wake()
    wait_until(lambda: len(turns) == 2)
    loop.stop()


def test_a_turn_that_never_ends_is_seen_and_does_not_hold_up_a_stop() -> None:
    free = threading.Event()
    loop = BackgroundLoop("looker", lambda: free.wait() and None, period_seconds=1)
    loop.start()
    wait_until(lambda: not loop.is_alive(max_silence_seconds=0.02))
    started = time.monotonic()
    loop.stop(timeout_seconds=0.05)
    assert time.monotonic() - started < 1
    free.set()
