"""Jobs and their leases, over a coordinator in memory."""

from __future__ import annotations

import pytest

from digits.errors import Cancelled, Corrupt, InvalidInput, LeaseLost, NotFound, QueueUnavailable
from digits.jobs.states import advance
from digits.ports import Create
from digits.v1 import training_pb2 as pb
from tests.unit.job_bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_submitted_job_is_recorded_and_queued(bench: Bench) -> None:
    job = bench.submit()
    assert bench.jobs.get(job.job_id).state == pb.QUEUED
    assert bench.queue.job_ids == [job.job_id]


def test_a_job_is_accepted_while_the_queue_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(job_id: str) -> None:
        raise QueueUnavailable("away")

    monkeypatch.setattr(bench.queue, "enqueue", away)
    assert bench.jobs.get(bench.submit().job_id).state == pb.QUEUED


@pytest.mark.parametrize("name", ["", "nothing", "../requests", "a/lease", "x" * 100, "j\u00f6b"])
def test_a_job_that_is_not_there_is_not_found(bench: Bench, name: str) -> None:
    with pytest.raises(NotFound):
        bench.jobs.get(name)


def test_lists_are_newest_first_and_go_on_behind_a_job(bench: Bench) -> None:
    names = [bench.submit().job_id for _ in range(3)]
    names.sort(reverse=True)
    assert [job.job_id for job in bench.jobs.newest(2)] == names[:2]
    assert [job.job_id for job in bench.jobs.newest(2, before=names[1])] == names[2:]


def test_a_list_of_jobs_goes_on_from_what_may_be_a_job_only(bench: Bench) -> None:
    bench.submit()
    pruned = "20200101-000000000-000000"
    assert bench.jobs.newest(2, before=pruned) == []
    with pytest.raises(InvalidInput, match="page_token"):
        bench.jobs.newest(2, before="wat")


def test_a_queued_job_is_cancelled_at_once(bench: Bench) -> None:
    job = bench.submit()
    assert bench.jobs.cancel(job.job_id).state == pb.CANCELLED
    assert bench.lease(job.job_id) is None


def test_a_running_job_hears_of_its_cancellation_at_its_next_change(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.edit(lambda job: advance(job, pb.TRAINING))
    assert bench.jobs.cancel(job.job_id).state == pb.TRAINING
    with pytest.raises(Cancelled):
        lease.edit(lambda job: None)


@pytest.mark.parametrize("state", [pb.CANCELLED, pb.FAILED, pb.SUCCEEDED, pb.INGESTING])
def test_a_job_that_is_not_trained_has_no_time_left(bench: Bench, state: pb.JobState) -> None:
    job, lease = bench.leased()
    lease.edit(lambda job: job.progress.eta.FromSeconds(60))
    lease.edit(lambda job: advance(job, pb.TRAINING))
    assert bench.jobs.get(job.job_id).progress.eta.seconds == 60
    lease.edit(lambda job: advance(job, state))
    assert not bench.jobs.get(job.job_id).progress.HasField("eta")


def test_a_final_job_is_left_as_it_is(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    assert bench.jobs.cancel(job.job_id).state == pb.SUCCEEDED
    assert not bench.jobs.get(job.job_id).cancel_requested


def test_a_job_has_one_trainer(bench: Bench) -> None:
    job, _ = bench.leased()
    assert bench.lease(job.job_id) is None


def test_a_trainer_that_was_paused_past_its_session_stands_down(bench: Bench) -> None:
    job = bench.submit()
    paused = bench.trainer()
    first = bench.lease(job.job_id, paused)
    assert first
    paused.close()
    second = bench.lease(job.job_id)
    assert second and second.number > first.number
    with pytest.raises(LeaseLost):
        first.edit(lambda job: advance(job, pb.SUCCEEDED))
    second.edit(lambda job: advance(job, pb.TRAINING))


def test_the_fence_holds_before_the_old_trainer_notices_its_end(bench: Bench) -> None:
    job, lease = bench.leased()
    bench.jobs.edit(job.job_id, lambda job: setattr(job, "lease_id", lease.number + 1))
    with pytest.raises(LeaseLost):
        lease.edit(lambda job: None)


def test_a_record_that_cannot_be_read_is_corrupt_and_named(bench: Bench) -> None:
    bench.spoil("/jobs/junk")
    with pytest.raises(Corrupt, match="/jobs/junk"):
        bench.jobs.get("junk")
    assert bench.lease("junk") is None


def test_lists_leave_out_what_cannot_be_read_and_are_as_long_as_asked_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    names = sorted(bench.submit().job_id for _ in range(3))
    bench.spoil("/jobs/99999999-junk")
    bench.spoil(f"/open/{names[0]}")
    bench.coordinator.commit(Create("/open/99999999-junk", b""))
    for _ in range(2):
        assert [job.job_id for job in bench.jobs.newest(2)] == names[:0:-1]
        assert [job.job_id for job in bench.jobs.unfinished()] == names
    assert bench.jobs.unreadable_count() == 1
    assert caplog.text.count("/jobs/99999999-junk") == 1


def test_a_page_reads_the_jobs_that_it_shows_and_no_others(bench: Bench) -> None:
    for _ in range(20):
        bench.submit()
    read = bench.count_reads()
    bench.jobs.newest(5)
    assert read() == 1 + 5


def test_a_job_of_a_version_without_an_index_gets_into_it(bench: Bench) -> None:
    unfinished, final = bench.submit(), bench.submit()
    bench.jobs.cancel(final.job_id)
    bench.tree.nodes = {path: node for path, node in bench.tree.nodes.items() if "/open" not in path}
    bench.jobs.mend_index()
    assert bench.open_jobs() == [unfinished.job_id]


def test_handing_back_does_not_count_as_an_attempt(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.hand_back()
    assert bench.jobs.get(job.job_id).attempt_count == 0
    assert not bench.jobs.is_leased(job.job_id)


def test_a_watch_tells_every_state_up_to_the_last(bench: Bench) -> None:
    job, lease = bench.leased()
    seen: list[int] = []
    end = bench.jobs.watch(job.job_id, lambda job: seen.append(job.state))
    lease.edit(lambda job: advance(job, pb.TRAINING))
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    end()
    assert seen == [pb.QUEUED, pb.TRAINING, pb.SUCCEEDED]


def test_watching_a_final_job_tells_it_once_and_sets_no_watch(bench: Bench) -> None:
    job, lease = bench.leased()
    lease.end(lambda job: advance(job, pb.SUCCEEDED))
    seen: list[int] = []
    for _ in range(3):
        bench.jobs.watch(job.job_id, lambda job: seen.append(job.state))
    assert seen == [pb.SUCCEEDED] * 3
    assert not any(bench.tree.watchers.values())
