"""What a coordinator does on several ZooKeepers while they are killed."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator

import pytest

from deploy.native.errors import CannotStart
from deploy.native.servers.java import find_java
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import CoordinatorUnavailable, StaleWrite
from digits.ports import Coordinator, Create, Replace
from tests.conftest import missing
from tests.ensemble import Ensemble, zookeeper_ensemble
from tests.waiting import wait_until

SESSION_SECONDS = 4


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ensemble]:
    try:
        find_java()
    except CannotStart as error:
        missing(str(error))
    with zookeeper_ensemble(tmp_path_factory.mktemp("ensemble")) as ensemble:
        yield ensemble


@pytest.fixture
def url(ensemble: Ensemble) -> str:
    ensemble.wait_until_whole()
    return f"zookeeper://{ensemble.address}/{uuid.uuid4().hex}/digits"


def test_killing_each_server_the_leader_first_costs_no_lease_no_watch_and_no_write(
    ensemble: Ensemble, url: str
) -> None:
    with _session(url) as one, _session(url) as other:
        hold = one.create_ephemeral("/jobs/a/lease", b"one")
        assert hold
        other.commit(Create("/serving", b"0"))
        seen: list[bytes | None] = []
        one.watch("/serving", lambda stored: seen.append(stored.value if stored else None))
        wait_until(lambda: seen == [b"0"])
        leader = ensemble.leader()
        # Wherever the sessions are: each of the servers is away once.
        for number in (leader, (leader + 1) % 3, (leader + 2) % 3):
            ensemble.kill(number)
            killed, value = time.monotonic(), f"without {number}".encode()
            wait_until(lambda value=value: _writes(other, "/serving", value), seconds=15, what="a write")
            wait_until(lambda value=value: seen[-1] == value, what="news of it")
            if number == leader:
                # By then a session that no other server took up would be over.
                over = killed + 2 * SESSION_SECONDS
                wait_until(lambda over=over: time.monotonic() > over)
            assert hold.alive()
            assert other.create_ephemeral("/jobs/a/lease", b"other") is None
            hold.update(value)
            ensemble.start(number)
            ensemble.wait_until_whole()
        stored = other.get("/jobs/a/lease")
        assert stored and stored.value == value


def test_one_server_of_three_takes_nothing_and_is_said_to_be_away(ensemble: Ensemble, url: str) -> None:
    with _session(url) as session:
        session.commit(Create("/a", b"0"))
        first, second = ensemble.leader(), (ensemble.leader() + 1) % 3
        ensemble.kill(first)
        ensemble.kill(second)
        started = time.monotonic()
        with pytest.raises(CoordinatorUnavailable):
            session.commit(Replace("/a", b"1", 0))
        assert time.monotonic() - started < 10
        ensemble.start(first)
        wait_until(lambda: _writes(session, "/a", b"2"), what="a write with a majority")
        ensemble.start(second)


@contextlib.contextmanager
def _session(url: str) -> Iterator[ZooKeeperCoordinator]:
    session = ZooKeeperCoordinator(url, session_seconds=SESSION_SECONDS)
    yield session
    session.close()


def _writes(coordinator: Coordinator, path: str, value: bytes) -> bool:
    """Whether the value is there; one that was taken although the answer was lost counts."""
    with contextlib.suppress(CoordinatorUnavailable, StaleWrite):
        stored = coordinator.get(path)
        assert stored
        if stored.value != value:
            coordinator.commit(Replace(path, value, stored.version))
        return True
    return False
