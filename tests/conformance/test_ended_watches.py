"""Watches that were ended are gone: no thread, no listener and no memory of them is left."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import closing
from pathlib import Path

from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.ports import Create, Replace, Stored
from tests.ports import free_port
from tests.servers import zookeeper_server
from tests.waiting import wait_until

WATCHES = 5_000


class Follower:
    """Hears a value, and can be seen to be forgotten."""

    def __init__(self) -> None:
        self.seen: Stored | None = None

    def hear(self, stored: Stored | None) -> None:
        self.seen = stored


def test_five_thousand_watches_that_ended_leave_threads_and_memory_as_before_also_after_a_restart(
    tmp_path: Path,
) -> None:
    port = free_port()
    with zookeeper_server(tmp_path, port):
        coordinator = ZooKeeperCoordinator(f"zookeeper://127.0.0.1:{port}/digits", session_seconds=20)
        wait_until(coordinator.connected, what="a session")
        coordinator.commit(Create("/jobs/a", b"1"))
        threads = threading.active_count()
        forgotten = _watched_and_ended(coordinator)
        staying = Follower()
        coordinator.watch("/jobs/a", staying.hear)
        wait_until(lambda: staying.seen == Stored(b"1", 0))
    with closing(coordinator), zookeeper_server(tmp_path, port):
        wait_until(coordinator.connected)
        coordinator.commit(Replace("/jobs/a", b"2", 0))
        wait_until(lambda: staying.seen == Stored(b"2", 1), what="news after the restart")
        assert threading.active_count() == threads
        gc.collect()
        assert [follower() for follower in forgotten if follower()] == []


def _watched_and_ended(coordinator: ZooKeeperCoordinator) -> list[weakref.ref[Follower]]:
    followers = [Follower() for _ in range(WATCHES)]
    ends = [coordinator.watch("/jobs/a", follower.hear) for follower in followers]
    wait_until(lambda: all(follower.seen for follower in followers), seconds=60, what="the value everywhere")
    for end in ends:
        end()
    return [weakref.ref(follower) for follower in followers]
