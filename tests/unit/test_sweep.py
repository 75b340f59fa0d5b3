"""What no job owns goes, over parts in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from digits.jobs import ids, sweep
from digits.jobs.states import advance
from digits.jobs.sweep import Sweep
from digits.v1 import training_pb2 as pb
from tests.unit.job_bench import Bench

OLD = "20200101-000000000-0123ab"


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def broom(bench: Bench) -> Sweep:
    return Sweep(bench.jobs, bench.store, bench.log)


@pytest.fixture
def look_twice(broom: Sweep, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Two looks, with two minutes between them."""
    now = 0.0

    def look() -> None:
        nonlocal now
        broom.run()
        now += 120.0
        broom.run()

    monkeypatch.setattr(sweep, "time", SimpleNamespace(monotonic=lambda: now))
    return look


def leave(bench: Bench, job_id: str) -> None:
    """Leaves what a job would own."""
    bench.store.publish(f"uploads/{job_id}.npz", b"")
    bench.store.publish(f"checkpoints/{job_id}/1.checkpoint", b"")
    bench.log.create(job_id, 1)


def test_what_no_job_owns_goes_once_it_is_a_day_old(bench: Bench, look_twice: Callable[[], None]) -> None:
    fresh = ids.new_job_id()
    leave(bench, OLD)
    leave(bench, fresh)
    look_twice()
    assert bench.things() == [f"uploads/{fresh}.npz", f"checkpoints/{fresh}", fresh]


def test_what_a_server_brought_that_was_stopped_for_hours_stays_until_its_job_is_recorded(
    bench: Bench, look_twice: Callable[[], None]
) -> None:
    brought = f"{datetime.now(UTC) - timedelta(hours=20):%Y%m%d-%H%M%S}000-0123ab"
    leave(bench, brought)
    look_twice()
    assert len(bench.things()) == 3


def test_what_a_server_whose_clock_is_late_just_brought_stays_until_its_job_is_recorded(
    bench: Bench, broom: Sweep, look_twice: Callable[[], None]
) -> None:
    look_twice()
    leave(bench, OLD)
    broom.run()
    bench.jobs.add(pb.Job(job_id=OLD, state=pb.TRAINING))
    look_twice()
    assert len(bench.things()) == 3


def test_what_an_open_job_owns_stays_whatever_its_age(bench: Bench, look_twice: Callable[[], None]) -> None:
    job = pb.Job(job_id=OLD, state=pb.TRAINING)
    bench.jobs.add(job)
    leave(bench, OLD)
    look_twice()
    assert len(bench.things()) == 3
    bench.jobs.edit(OLD, lambda job: advance(job, pb.FAILED))
    bench.jobs.index.close(OLD)
    look_twice()
    assert bench.things() == []


def test_what_a_job_that_cannot_be_read_owns_stays(bench: Bench, look_twice: Callable[[], None]) -> None:
    bench.jobs.add(pb.Job(job_id=OLD, state=pb.TRAINING))
    leave(bench, OLD)
    bench.spoil(f"/jobs/{OLD}")
    look_twice()
    assert len(bench.things()) == 3


def test_an_upload_named_by_an_older_version_goes_a_day_after_it_was_first_seen_unless_a_job_has_it(
    bench: Bench, look_twice: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.submit(upload="uploads/0123.npz")
    bench.store.publish("uploads/0123.npz", b"")
    bench.store.publish("uploads/4567.npz", b"")
    look_twice()
    assert bench.things() == ["uploads/0123.npz", "uploads/4567.npz"]
    monkeypatch.setattr(sweep, "MIN_AGE_SECONDS", -1.0)
    look_twice()
    assert bench.things() == ["uploads/0123.npz"]
    bench.jobs.cancel(job.job_id)
    bench.cleanup.end(job.job_id)
    assert bench.things() == []


def test_logs_that_are_not_named_as_jobs_are_belong_to_others(
    bench: Bench, look_twice: Callable[[], None]
) -> None:
    bench.log.create("of-another-program", 1)
    look_twice()
    assert bench.log.jobs() == ["of-another-program"]
