"""What becomes of nodes and watches when the line to ZooKeeper breaks at the worst moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from digits.adapters.memory import MemoryTrainQueue
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import CoordinatorUnavailable, StaleWrite
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.reconciler import Reconciler
from digits.jobs.states import advance
from digits.ports import Coordinator, Create, EphemeralNode, Replace
from digits.v1 import training_pb2 as pb
from tests.conformance.line import COMMIT, CREATE, DELETE, Line, line_to
from tests.waiting import wait_until

Answer = TypeVar("Answer")
LEASE = "/jobs/a/lease"


@pytest.fixture
def root() -> str:
    return f"/{uuid.uuid4().hex}/digits"


@pytest.fixture
def line(zookeeper: str) -> Iterator[Line]:
    with line_to(zookeeper) as line:
        yield line


@pytest.fixture
def one(line: Line, root: str) -> Iterator[ZooKeeperCoordinator]:
    """A session over the line, which outlives a line that is mended at once."""
    url = f"zookeeper://127.0.0.1:{line.port}{root}"
    with closing(ZooKeeperCoordinator(url, session_seconds=20)) as coordinator:
        yield coordinator


@pytest.fixture
def brief(line: Line, root: str) -> Iterator[ZooKeeperCoordinator]:
    """A session over the line, which a longer cut ends."""
    url = f"zookeeper://127.0.0.1:{line.port}{root}"
    with closing(ZooKeeperCoordinator(url, session_seconds=4)) as coordinator:
        yield coordinator


@pytest.fixture
def other(zookeeper: str, root: str) -> Iterator[ZooKeeperCoordinator]:
    """A session without the line."""
    with closing(ZooKeeperCoordinator(f"zookeeper://{zookeeper}{root}", session_seconds=20)) as coordinator:
        yield coordinator


def test_a_create_whose_answer_was_lost_succeeds_at_the_next_try(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    node = _lost_create(line, one, other, again=True)
    assert node and node.alive()
    assert other.create_ephemeral(LEASE, b"other") is None
    later = other.create_ephemeral("/later", b"")
    assert later and node.number < later.number
    node.release()
    assert other.get(LEASE) is None


def test_a_create_whose_answer_was_lost_and_that_nobody_repeats_leaves_no_node(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    anchor = _held(one, "/anchor")
    _lost_create(line, one, other, again=False)
    wait_until(lambda: other.get(LEASE) is None, seconds=10, what="the end of the node")
    assert anchor.alive() and other.get("/anchor")


def test_a_create_that_is_done_only_after_its_caller_gave_up_leaves_no_node(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    anchor = _held(one, "/anchor")
    line.hold_from(CREATE)
    with pytest.raises(CoordinatorUnavailable):
        one.create_ephemeral(LEASE, b"lost")
    line.let_go()
    # What a session asks is done in order: from here on, the create is.
    _answered(one.sync)
    wait_until(lambda: other.get(LEASE) is None, seconds=10, what="the end of the node")
    assert anchor.alive() and other.get("/anchor")


def test_a_release_while_the_line_is_cut_raises_nothing_and_is_done_in_the_same_session(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    anchor, node = _held(one, "/anchor"), _held(one, LEASE)
    line.cut()
    node.release()
    assert not node.alive()
    assert other.get(LEASE)
    line.mend()
    wait_until(lambda: other.get(LEASE) is None, seconds=10, what="the end of the node")
    assert anchor.alive() and other.get("/anchor")


def test_a_release_whose_answer_was_lost_leaves_what_another_session_put_there(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    node = _held(one, LEASE)
    line.cut_after(DELETE)
    node.release()
    assert line.was_cut.wait(10)
    assert other.create_ephemeral(LEASE, b"other")
    line.mend()
    # A release sees to every node that is still to be removed.
    _answered(lambda: _held(one, "/second")).release()
    stored = other.get(LEASE)
    assert stored and stored.value == b"other"


def test_a_leadership_whose_answer_was_lost_leaves_no_cluster_without_a_reconciler(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    jobs, job = Jobs(other, MemoryTrainQueue()), new_job(pb.TrainSpec())
    jobs.add(job)
    job_id = job.job_id

    def orphaned(job: pb.Job) -> None:
        advance(job, pb.TRAINING)
        job.cancel_requested = True

    jobs.edit(job_id, orphaned)
    line.cut_after(CREATE)
    reconciler = Reconciler(Jobs(one, MemoryTrainQueue()), one, max_attempts=3, max_job_hours=24.0)
    reconciler.start()
    assert line.was_cut.wait(10)
    line.mend()
    wait_until(lambda: jobs.get(job_id).state == pb.CANCELLED, what="the reconciler's work")
    reconciler.stop()


def test_a_commit_whose_answer_was_lost_was_done_and_is_stale_when_repeated(
    line: Line, one: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    other.commit(Create("/a", b"0"))
    line.cut_after(COMMIT)
    with pytest.raises(CoordinatorUnavailable):
        one.commit(Replace("/a", b"1", 0))
    line.mend()
    with pytest.raises(StaleWrite):
        _answered(lambda: one.commit(Replace("/a", b"1", 0)))
    stored = _answered(lambda: one.get("/a"))
    assert stored and (stored.value, stored.version) == (b"1", 1)


def test_a_node_is_said_to_be_over_before_anybody_else_can_have_it(
    line: Line, brief: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    node = _held(brief, LEASE)
    line.cut()
    wait_until(lambda: other.create_ephemeral(LEASE, b"other") is not None, what="the end of the session")
    assert not node.alive()
    line.mend()
    wait_until(brief.connected)
    node.release()
    assert other.get(LEASE)


def test_a_node_that_was_said_to_be_over_does_not_stay_in_a_session_that_survived(
    line: Line, root: str, other: ZooKeeperCoordinator
) -> None:
    url = f"zookeeper://127.0.0.1:{line.port}{root}"
    # ZooKeeper keeps no session for less than two ticks, 4 s: longer than this one counts on.
    with closing(ZooKeeperCoordinator(url, session_seconds=2)) as doubtful:
        node = _held(doubtful, LEASE)
        _held(doubtful, "/anchor")
        line.cut()
        wait_until(lambda: not node.alive(), seconds=3, what="doubt")
        line.mend()
        wait_until(lambda: other.get(LEASE) is None, seconds=10, what="the end of the node")
        assert other.get("/anchor")
        assert _held(doubtful, LEASE).number > node.number and not node.alive()


def test_a_process_that_was_stopped_past_its_session_knows_when_it_goes_on(
    zookeeper: str, root: str, other: ZooKeeperCoordinator, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    command = [sys.executable, "-m", "tests.conformance.holder", f"zookeeper://{zookeeper}{root}", LEASE]
    with said.open("wb") as output, subprocess.Popen(command, stdout=output) as holder:
        try:
            wait_until(lambda: "alive" in said.read_text(), what="a node that is alive")
            os.kill(holder.pid, signal.SIGSTOP)
            wait_until(lambda: other.create_ephemeral(LEASE, b"other") is not None, what="the session's end")
            goes_on = time.monotonic()
            os.kill(holder.pid, signal.SIGCONT)
            wait_until(lambda: len(_said_since(said, goes_on)) > 100, what="what it says then")
        finally:
            holder.kill()
    assert set(_said_since(said, goes_on)) == {"over"}


def test_a_watch_tells_what_changed_while_the_line_was_cut_also_when_that_ended_the_session(
    line: Line, brief: ZooKeeperCoordinator, other: ZooKeeperCoordinator
) -> None:
    other.commit(Create("/a", b"0"))
    _held(brief, "/anchor")
    seen: list[bytes | None] = []
    brief.watch("/a", lambda stored: seen.append(stored.value if stored else None))
    wait_until(lambda: seen == [b"0"])
    line.cut()
    other.commit(Replace("/a", b"1", 0))
    line.mend()
    wait_until(lambda: seen == [b"0", b"1"], seconds=10, what="news after a cut")
    line.cut()
    wait_until(lambda: other.get("/anchor") is None, what="the end of the session")
    line.mend()
    wait_until(brief.connected)
    other.commit(Replace("/a", b"2", 1))
    wait_until(lambda: seen[-1] == b"2", what="news in a new session")


def _lost_create(line: Line, one: Coordinator, other: Coordinator, again: bool) -> EphemeralNode | None:
    """Creates the lease and loses the answer; tries again until there is one, if asked to."""
    line.cut_after(CREATE)
    with pytest.raises(CoordinatorUnavailable):
        one.create_ephemeral(LEASE, b"lost")
    assert line.was_cut.is_set() and other.get(LEASE)
    line.mend()
    return _answered(lambda: one.create_ephemeral(LEASE, b"one")) if again else None


def _held(coordinator: Coordinator, path: str) -> EphemeralNode:
    node = coordinator.create_ephemeral(path, b"")
    assert node
    return node


def _answered(ask: Callable[[], Answer]) -> Answer:
    """Asks until there is an answer."""
    answers: list[Answer] = []

    def answered() -> bool:
        try:
            answers.append(ask())
        except CoordinatorUnavailable:
            return False
        return True

    wait_until(answered, what="an answer")
    return answers[0]


def _said_since(said: Path, moment: float) -> list[str]:
    # The last line may be half written.
    lines = [line.split() for line in said.read_text().splitlines()[:-1]]
    return [word for asked, word in lines if float(asked) > moment]
