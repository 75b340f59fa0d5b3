"""What every coordinator does."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryTree
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import CoordinatorUnavailable, LeaseLost, StaleWrite
from digits.ports import Check, Coordinator, Create, Replace, Stored
from tests.ports import free_port
from tests.waiting import wait_until

Connect = Callable[[], Coordinator]


@pytest.fixture(params=["memory", "zookeeper"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes sessions on one tree."""
    sessions: list[Coordinator] = []
    tree, root = MemoryTree(), f"/{uuid.uuid4().hex}/digits"

    def session() -> Coordinator:
        if request.param == "memory":
            sessions.append(MemoryCoordinator(tree))
        else:
            url = f"zookeeper://{request.getfixturevalue('zookeeper')}{root}"
            sessions.append(ZooKeeperCoordinator(url, session_seconds=4))
        return sessions[-1]

    yield session
    for opened in sessions:
        opened.close()


def test_a_created_node_reads_back(connect: Connect) -> None:
    coordinator = connect()
    coordinator.commit(Create("/jobs/a", b"1"))
    assert coordinator.get("/jobs/a") == Stored(b"1", 0)
    assert coordinator.get("/jobs/b") is None


def test_children_are_the_names_below_sorted(connect: Connect) -> None:
    coordinator = connect()
    for path in ("/jobs/b", "/jobs/a", "/models/v1"):
        coordinator.commit(Create(path, b""))
    assert coordinator.children("/jobs") == ["a", "b"]
    assert coordinator.children("/nothing") == []


def test_a_replacement_of_an_old_version_is_stale(connect: Connect) -> None:
    coordinator = connect()
    coordinator.commit(Create("/a", b"0"))
    coordinator.commit(Replace("/a", b"1", 0))
    with pytest.raises(StaleWrite):
        coordinator.commit(Replace("/a", b"2", 0))
    assert coordinator.get("/a") == Stored(b"1", 1)


def test_a_node_is_created_once(connect: Connect) -> None:
    coordinator = connect()
    coordinator.commit(Create("/a", b"first"))
    with pytest.raises(StaleWrite):
        coordinator.commit(Create("/a", b"second"))


@pytest.mark.parametrize("failing", [Create("/there", b""), Check("/there", 7), Replace("/missing", b"", 0)])
def test_a_commit_does_all_or_nothing(connect: Connect, failing: Create | Check | Replace) -> None:
    coordinator = connect()
    coordinator.commit(Create("/there", b"0"))
    with pytest.raises(StaleWrite):
        coordinator.commit(Create("/new", b""), Replace("/there", b"1", 0), failing)
    assert (coordinator.get("/new"), coordinator.get("/there")) == (None, Stored(b"0", 0))


def test_of_many_counters_none_is_lost(connect: Connect) -> None:
    coordinators = [connect() for _ in range(3)]
    coordinators[0].commit(Create("/count", b"0"))

    def count(coordinator: Coordinator) -> None:
        for _ in range(10):
            while True:
                stored = coordinator.get("/count")
                assert stored
                try:
                    coordinator.commit(Replace("/count", str(int(stored.value) + 1).encode(), stored.version))
                except StaleWrite:
                    continue
                break

    threads = [threading.Thread(target=count, args=(coordinator,)) for coordinator in coordinators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert coordinators[0].get("/count") == Stored(b"30", 30)


def test_a_path_is_held_by_one_session_until_it_lets_go(connect: Connect) -> None:
    one, other = connect(), connect()
    hold = one.create_ephemeral("/jobs/a/lease", b"one")
    assert hold and hold.alive()
    assert other.create_ephemeral("/jobs/a/lease", b"other") is None
    hold.release()
    assert other.create_ephemeral("/jobs/a/lease", b"other") is not None


def test_the_end_of_a_session_frees_what_it_held(connect: Connect) -> None:
    one, other = connect(), connect()
    one.create_ephemeral("/lease", b"one")
    one.close()
    wait_until(lambda: other.get("/lease") is None, what="the end of the lease")


def test_a_later_hold_has_a_greater_number(connect: Connect) -> None:
    one, other = connect(), connect()
    first = one.create_ephemeral("/a", b"")
    assert first
    first.release()
    second, third = other.create_ephemeral("/a", b""), one.create_ephemeral("/b", b"")
    assert second and third and first.number < second.number < third.number


def test_a_held_value_changes_until_it_is_released(connect: Connect) -> None:
    coordinator = connect()
    hold = coordinator.create_ephemeral("/workers/a", b"idle")
    assert hold
    hold.update(b"busy")
    stored = coordinator.get("/workers/a")
    assert stored and stored.value == b"busy"
    hold.release()
    hold.release()
    with pytest.raises(LeaseLost):
        hold.update(b"idle")


def test_a_watch_tells_the_value_now_and_after_each_change(connect: Connect) -> None:
    one, other = connect(), connect()
    seen: list[bytes | None] = []
    end = one.watch("/a", lambda stored: seen.append(stored.value if stored else None))
    wait_until(lambda: seen == [None])
    other.commit(Create("/a", b"0"))
    wait_until(lambda: seen[-1] == b"0")
    other.commit(Replace("/a", b"1", 0))
    wait_until(lambda: seen[-1] == b"1")
    end()
    other.commit(Replace("/a", b"2", 1))
    other.commit(Create("/b", b""))
    assert seen[-1] == b"1"


def test_a_zookeeper_that_is_away_is_said_to_be() -> None:
    url = f"zookeeper://127.0.0.1:{free_port()}/digits"
    coordinator = ZooKeeperCoordinator(url, session_seconds=4, connect_seconds=0.1)
    try:
        assert not coordinator.connected()
        with pytest.raises(CoordinatorUnavailable):
            coordinator.get("/a")
    finally:
        coordinator.close()
