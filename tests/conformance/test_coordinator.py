"""What every coordinator does."""

from __future__ import annotations

import logging
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryTree
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import CoordinatorUnavailable, LeaseLost, StaleWrite
from digits.ports import Check, Coordinator, Create, Delete, Operation, Replace, Stored
from tests.ports import free_port
from tests.secure_zookeeper import SecureZooKeeper
from tests.waiting import wait_until

Connect = Callable[[], Coordinator]


@pytest.fixture(params=["memory", "zookeeper", "zookeeper by TLS with a login"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes sessions on one tree."""
    sessions: list[Coordinator] = []
    tree, root = MemoryTree(), f"/{uuid.uuid4().hex}/digits"

    def session() -> Coordinator:
        if request.param == "memory":
            sessions.append(MemoryCoordinator(tree))
        elif request.param != "zookeeper":
            secure: SecureZooKeeper = request.getfixturevalue("secure_zookeeper")
            url, access = f"zookeeper+tls://{secure.tls_address}{root}", secure.tls_access()
            sessions.append(ZooKeeperCoordinator(url, session_seconds=4, access=access))
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


def test_many_nodes_are_read_in_the_order_asked_for_also_those_that_are_not_there(connect: Connect) -> None:
    coordinator = connect()
    coordinator.commit(*(Create(f"/jobs/{number}", str(number).encode()) for number in range(1_200)))
    paths = ["/nothing", *(f"/jobs/{number}" for number in reversed(range(1_200)))]
    expected = [None, *(Stored(str(number).encode(), 0) for number in reversed(range(1_200)))]
    assert coordinator.get_many(paths) == expected
    assert coordinator.get_many([]) == []


def test_what_was_written_before_a_sync_is_read_after_it(connect: Connect) -> None:
    one, other = connect(), connect()
    one.commit(Create("/a", b"1"))
    other.sync()
    assert other.get("/a") == Stored(b"1", 0)


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


FAILING = [
    Create("/there", b""),
    Check("/there", 7),
    Replace("/missing", b"", 0),
    Delete("/missing", 0),
    Delete("/there", 7),
    Delete("/parent", 0),
]


@pytest.mark.parametrize("failing", FAILING, ids=str)
def test_a_commit_does_all_or_nothing(connect: Connect, failing: Operation) -> None:
    coordinator = connect()
    coordinator.commit(Create("/there", b"0"), Create("/parent/child", b""))
    with pytest.raises(StaleWrite):
        coordinator.commit(Create("/new", b""), Replace("/there", b"1", 0), failing)
    assert (coordinator.get("/new"), coordinator.get("/there")) == (None, Stored(b"0", 0))


def test_a_deleted_node_is_gone_and_may_be_made_anew(connect: Connect) -> None:
    coordinator = connect()
    coordinator.commit(Create("/jobs/a", b"1"), Create("/jobs/b", b""))
    coordinator.commit(Delete("/jobs/a", 0), Create("/jobs/c", b""))
    assert (coordinator.get("/jobs/a"), coordinator.children("/jobs")) == (None, ["b", "c"])
    coordinator.commit(Create("/jobs/a", b"2"))
    assert coordinator.get("/jobs/a") == Stored(b"2", 0)


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


def test_a_session_holds_a_path_once_at_a_time(connect: Connect) -> None:
    coordinator = connect()
    first = coordinator.create_ephemeral("/lease", b"first")
    assert first
    assert coordinator.create_ephemeral("/lease", b"second") is None
    assert first.alive()
    first.release()
    second = coordinator.create_ephemeral("/lease", b"second")
    assert second and second.number > first.number and not first.alive()
    first.release()
    assert coordinator.get("/lease") == Stored(b"second", 0)


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


def test_each_follower_of_a_path_is_told_also_a_late_one_and_of_its_end(connect: Connect) -> None:
    one, other = connect(), connect()
    node = other.create_ephemeral("/a", b"0")
    assert node
    seen: dict[str, list[bytes | None]] = {"early": [], "late": []}

    def follow(name: str) -> Callable[[], None]:
        return one.watch("/a", lambda stored: seen[name].append(stored.value if stored else None))

    follow("early")
    wait_until(lambda: seen["early"] == [b"0"])
    follow("late")
    wait_until(lambda: seen["late"] == [b"0"])
    node.update(b"1")
    wait_until(lambda: seen["early"][-1] == seen["late"][-1] == b"1")
    node.release()
    wait_until(lambda: seen == {"early": [b"0", b"1", None], "late": [b"0", b"1", None]})


def test_a_follower_that_fails_costs_the_others_nothing(zookeeper: str) -> None:
    url = f"zookeeper://{zookeeper}/{uuid.uuid4().hex}"
    with closing(ZooKeeperCoordinator(url, session_seconds=4)) as coordinator:
        seen: list[Stored | None] = []
        coordinator.watch("/a", lambda stored: 1 / 0)
        coordinator.watch("/a", seen.append)
        coordinator.commit(Create("/a", b"1"))
        wait_until(lambda: seen[-1:] == [Stored(b"1", 0)])


def test_a_zookeeper_that_is_away_is_said_to_be() -> None:
    url = f"zookeeper://127.0.0.1:{free_port()}/digits"
    coordinator = ZooKeeperCoordinator(url, session_seconds=4, connect_seconds=0.1)
    try:
        assert not coordinator.connected()
        with pytest.raises(CoordinatorUnavailable):
            coordinator.get("/a")
    finally:
        coordinator.close()


def test_a_session_that_synced_reads_what_another_wrote_before(connect: Connect) -> None:
    writer, reader = connect(), connect()
    writer.commit(Create("/a", b"0"))
    for number in range(20):
        writer.commit(Replace("/a", str(number).encode(), number))
        reader.sync()
        assert reader.get("/a") == Stored(str(number).encode(), number + 1)


def test_a_zookeeper_that_is_away_costs_few_lines_of_log(caplog: pytest.LogCaptureFixture) -> None:
    attempts: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as refusing, caplog.at_level(logging.INFO):

        def refuse() -> None:
            while True:
                try:
                    connection, _ = refusing.accept()
                except OSError:
                    return
                attempts.append(1)
                connection.close()

        refuser = threading.Thread(target=refuse)
        refuser.start()
        url = f"zookeeper://127.0.0.1:{refusing.getsockname()[1]}"
        with closing(ZooKeeperCoordinator(url, session_seconds=4, connect_seconds=0.1)):
            wait_until(lambda: len(attempts) > 6, what="tries to connect")
            lines = [record.getMessage() for record in caplog.records]
        refusing.shutdown(socket.SHUT_RDWR)
        refuser.join()
    assert len(lines) <= 2, lines
