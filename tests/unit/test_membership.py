"""How a worker appears, and what others read of it."""

from __future__ import annotations

import logging
import time

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryTree
from digits.jobs.membership import Membership, live_workers
from digits.ports import Create
from digits.records import RecordReader
from digits.v1 import training_pb2 as pb
from tests.unit.faults import FaultyCoordinator
from tests.waiting import wait_until


def test_a_worker_that_starts_while_the_coordinator_is_away_says_so_every_few_seconds_at_most(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digits.background._FIRST_BACKOFF_SECONDS", 0.1)
    coordinator = FaultyCoordinator(MemoryCoordinator())
    coordinator.go_away()
    membership = Membership(coordinator, "train")
    membership.start()
    wait_until(lambda: len(caplog.records) == 1)
    # The next two lines are due after a tenth and three tenths of a second at the earliest.
    end = time.monotonic() + 0.3
    wait_until(lambda: time.monotonic() > end)
    membership.update("v1", 1, "")
    assert len(caplog.records) <= 3
    coordinator.come_back()
    wait_until(lambda: [worker.model_version for worker in live_workers(coordinator, "train")] == ["v1"])
    membership.stop()
    assert live_workers(coordinator, "train") == []


def test_a_worker_says_what_is_newest_and_appears_again_after_its_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("digits.jobs.membership._CHECK_SECONDS", 0.01)
    coordinator = FaultyCoordinator(MemoryCoordinator())
    membership = Membership(coordinator, "classify")
    membership.start()
    for generation in (1, 2):
        membership.update(f"v{generation}", generation, "")
        wait_until(
            lambda new=generation: [w.generation for w in live_workers(coordinator, "classify")] == [new]
        )
    coordinator.expire_session()
    wait_until(lambda: [w.generation for w in live_workers(coordinator, "classify")] == [2])
    membership.stop()


def test_a_workers_record_that_cannot_be_read_is_skipped_said_once_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tree, reader = MemoryTree(), RecordReader(pb.WorkerStatus)
    coordinator = MemoryCoordinator(tree)
    coordinator.commit(
        Create("/workers/train/a", b"\xff\xff junk"),
        Create("/workers/train/b", pb.WorkerStatus(role="train").SerializeToString()),
    )
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert [worker.role for worker in live_workers(coordinator, "train", reader)] == ["train"]
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["/workers/train/a"]
    assert reader.unreadable_count() == 1


def test_a_train_worker_says_since_when_it_waits_for_a_job_and_when_it_does_not() -> None:
    coordinator = MemoryCoordinator()
    membership = Membership(coordinator, "train")
    membership.set_idle(True)
    membership.start()

    def idle() -> list[bool]:
        return [worker.HasField("idle_time") for worker in live_workers(coordinator, "train")]

    wait_until(lambda: idle() == [True])
    membership.set_idle(False)
    wait_until(lambda: idle() == [False])
    membership.stop()
