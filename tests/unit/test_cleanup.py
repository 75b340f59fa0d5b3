"""The end of a job: what it owned goes, over parts in memory."""

from __future__ import annotations

import pytest

from digits.errors import LogUnavailable
from digits.jobs.states import advance
from digits.v1 import training_pb2 as pb
from tests.unit.job_bench import ATTEMPTS, Bench, raising


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_job_that_is_over_is_tidied_up_whoever_ended_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, given_up = bench.submit(), bench.submit()
    for job in (cancelled, given_up):
        bench.leave_things(job.job_id)
    bench.jobs.cancel(cancelled.job_id)
    for _ in range(ATTEMPTS):
        lease = bench.lease(given_up.job_id)
        assert lease
        lease.release()
    bench.pass_last_words(monkeypatch)
    bench.cleanup.end_all()
    assert bench.jobs.get(given_up.job_id).state == pb.FAILED
    assert (bench.things(), bench.open_jobs()) == ([], [])


def test_a_final_job_that_its_trainer_still_holds_is_left_to_it(bench: Bench) -> None:
    job, lease = bench.leased()
    bench.leave_things(job.job_id)
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    bench.cleanup.end_all()
    assert bench.open_jobs() == [job.job_id]
    lease.release()
    bench.cleanup.end_all()
    assert (bench.things(), bench.open_jobs()) == ([], [])


def test_what_could_not_be_removed_while_the_store_was_away_is_removed_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.submit()
    bench.leave_things(job.job_id)
    bench.jobs.cancel(job.job_id)
    with monkeypatch.context() as away:
        away.setattr(bench.log, "delete", raising(LogUnavailable("away")))
        with pytest.raises(LogUnavailable):
            bench.cleanup.end_all()
    assert bench.open_jobs() == [job.job_id]
    bench.cleanup.end_all()
    assert (bench.things(), bench.open_jobs()) == ([], [])


def test_a_job_that_is_not_over_is_left_alone(bench: Bench) -> None:
    job = bench.submit()
    bench.leave_things(job.job_id)
    bench.cleanup.end(job.job_id)
    bench.cleanup.end_all()
    assert (len(bench.things()), bench.open_jobs()) == (3, [job.job_id])


def test_the_end_of_a_job_may_be_repeated(bench: Bench) -> None:
    job = bench.submit()
    bench.leave_things(job.job_id)
    bench.jobs.cancel(job.job_id)
    for _ in range(2):
        bench.cleanup.end(job.job_id)
    assert (bench.things(), bench.open_jobs()) == ([], [])
