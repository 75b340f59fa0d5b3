"""How long finished jobs and versions that never served are kept, over parts in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digits import envelope
from digits.errors import NotFound
from digits.jobs.retention import JobRetention, Limits
from digits.jobs.states import advance
from digits.models.registry import Registry
from digits.models.retention import ModelRetention
from digits.ports import Create, Replace
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from tests.unit.job_bench import Bench

DAY = 86400.0
EVERYTHING = Limits(max_age_seconds=0, max_count=0)
FOREVER = Limits(max_age_seconds=float("inf"), max_count=1 << 40)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def jobs(bench: Bench) -> JobRetention:
    return JobRetention(bench.jobs, bench.coordinator)


class Versions:
    """A registry, and what it keeps."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.registry = bench, Registry(bench.coordinator)
        self.retention = ModelRetention(self.registry, bench.jobs, bench.store, bench.coordinator)

    def publish(self, promoted: bool = False, age_days: float = 0.0) -> str:
        version = self.registry.new_version()
        path = f"models/{version}.bundle"
        model = models_pb2.Model(version=version, store_path=path)
        model.create_time.FromDatetime(datetime.now(UTC) - timedelta(days=age_days))
        self.bench.store.publish(path, b"bundle")
        operations: list[Create | Replace] = [self.registry.registration(model, promoted)]
        if promoted:
            operations.append(self.registry.alias().moved_to(version, models_pb2.ServingChange.GATE, "ann"))
        self.bench.coordinator.commit(*operations)
        return version

    def there(self) -> list[str]:
        bundles = [
            name.removeprefix("models/").removesuffix(".bundle") for name in self.bench.store.names("models")
        ]
        registered = [model.version for model in self.registry.oldest_first()]
        assert sorted(bundles) == sorted(registered)
        return registered


@pytest.fixture
def versions(bench: Bench) -> Versions:
    return Versions(bench)


def finished(bench: Bench, job_id: str = "", **fields: str) -> str:
    """A job that is over; with an id, as old as that says."""
    job = bench.submit(**fields) if not job_id else pb.Job(job_id=job_id, spec=pb.TrainSpec(**fields))
    if job_id:
        bench.jobs.add(job)
    bench.jobs.edit(job.job_id, lambda job: advance(job, pb.SUCCEEDED))
    bench.cleanup.end(job.job_id)
    return job.job_id


def days_ago(days: float) -> str:
    moment = datetime.now(UTC) - timedelta(days=days)
    return moment.strftime("%Y%m%d-%H%M%S") + "000-0123ab"


def test_finished_jobs_go_by_age(bench: Bench, jobs: JobRetention) -> None:
    old, young = finished(bench, days_ago(31)), finished(bench, days_ago(29))
    assert jobs.prune(Limits(30 * DAY, 100)) == [old]
    assert bench.jobs.names() == [young]


def test_finished_jobs_go_by_number_the_oldest_first(bench: Bench, jobs: JobRetention) -> None:
    names = [finished(bench, days_ago(days)) for days in (4, 3, 2, 1)]
    assert jobs.prune(Limits(30 * DAY, 1)) == names[:3]
    assert bench.jobs.names() == names[3:]


def test_jobs_that_are_open_are_not_counted_and_stay(bench: Bench, jobs: JobRetention) -> None:
    waiting = bench.submit()
    untidied = bench.submit()
    bench.jobs.cancel(untidied.job_id)
    over = finished(bench)
    assert jobs.prune(Limits(30 * DAY, 1)) == []
    assert jobs.prune(EVERYTHING) == [over]
    assert bench.jobs.names() == sorted([waiting.job_id, untidied.job_id])


def test_a_dry_run_removes_nothing(bench: Bench, jobs: JobRetention) -> None:
    name = finished(bench)
    assert jobs.prune(EVERYTHING, dry_run=True) == [name]
    assert bench.jobs.names() == [name]


def test_the_request_id_of_a_pruned_job_is_free_again(bench: Bench, jobs: JobRetention) -> None:
    finished(bench, request_id="r", caller="ann")
    jobs.prune(EVERYTHING)
    assert bench.coordinator.children("/requests") == []
    assert bench.submit(request_id="r", caller="ann")


def test_a_record_that_cannot_be_read_is_left_and_keeps_nobody_from_going(
    bench: Bench, jobs: JobRetention
) -> None:
    junk, over = finished(bench, days_ago(2)), finished(bench, days_ago(1))
    bench.spoil(f"/jobs/{junk}")
    assert jobs.prune(EVERYTHING) == [over]
    assert bench.jobs.names() == [junk]


def test_pruning_within_the_limits_reads_no_record(bench: Bench, jobs: JobRetention) -> None:
    for _ in range(20):
        finished(bench)
    read = bench.count_reads()
    jobs.prune(Limits(30 * DAY, 100))
    assert read() == 2


def test_versions_that_never_served_go_by_age_and_by_number(versions: Versions) -> None:
    old, older = versions.publish(age_days=91), versions.publish(age_days=100)
    young = [versions.publish(age_days=days) for days in (3, 2, 1)]
    assert versions.retention.prune(Limits(90 * DAY, 100)) == [old, older]
    assert versions.retention.prune(Limits(90 * DAY, 2)) == young[:1]
    assert versions.there() == young[1:]


def test_what_serves_or_served_before_or_is_pinned_never_goes(versions: Versions) -> None:
    served, serving = versions.publish(promoted=True), versions.publish(promoted=True)
    pinned, other = versions.publish(), versions.publish()
    versions.registry.pin(pinned, True)
    assert versions.retention.prune(EVERYTHING) == [other]
    assert versions.there() == [served, serving, pinned]
    versions.registry.pin(pinned, False)
    assert versions.retention.prune(EVERYTHING) == [pinned]


def test_a_version_that_served_longer_ago_than_the_history_tells_stays(versions: Versions) -> None:
    first = versions.publish(promoted=True)
    for _ in range(120):
        versions.publish(promoted=True)
    assert first not in versions.registry.alias().served_versions()
    assert versions.retention.prune(EVERYTHING) == []


def test_a_version_from_before_this_was_noted_may_have_served_and_stays(
    bench: Bench, versions: Versions
) -> None:
    model = models_pb2.Model(version="v1")
    bench.coordinator.commit(Create("/models/v1", model.SerializeToString()))
    assert versions.retention.prune(EVERYTHING) == []


def test_a_version_that_is_promoted_while_it_is_pruned_stays(
    bench: Bench, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions.publish(promoted=True)
    version = versions.publish()
    commit = bench.coordinator.commit

    def promote_first(*operations: object) -> None:
        monkeypatch.undo()
        commit(versions.registry.alias().moved_to(version, models_pb2.ServingChange.PROMOTE, "ann"))
        commit(*operations)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.coordinator, "commit", promote_first)
    assert versions.retention.prune(EVERYTHING) == []
    assert version in versions.there()


def test_models_that_cannot_be_read_keep_nobody_from_being_listed(bench: Bench, versions: Versions) -> None:
    names = [versions.publish() for _ in range(3)]
    bench.spoil(f"/models/{names[1]}")
    bench.coordinator.commit(Create("/models/junk", b""))
    assert [model.version for model in versions.registry.newest(2)] == [names[2], names[0]]
    assert versions.registry.unreadable_count() == 1


def test_a_page_of_models_reads_the_alias_once_and_the_models_that_it_shows(
    bench: Bench, versions: Versions
) -> None:
    for _ in range(20):
        versions.publish()
    read = bench.count_reads()
    versions.registry.newest(5)
    assert read() == 1 + 1 + 5


@pytest.mark.parametrize(
    ("state", "known", "goes"),
    [(pb.FAILED, True, True), (pb.PUBLISHING, True, False), (pb.FAILED, False, False)],
)
def test_the_bundle_of_a_failed_publication_goes_once_its_job_is_known_to_be_over(
    bench: Bench, versions: Versions, state: pb.JobState, known: bool, goes: bool
) -> None:
    kept = versions.publish()
    job = bench.submit()
    bench.jobs.edit(job.job_id, lambda job: advance(job, state))
    made = artifacts_pb2.ModelBundle(version="v2")
    made.provenance.job_id = job.job_id if known else "of-another-coordinator"
    bench.store.publish("models/v2.bundle", envelope.seal(made))
    versions.retention.sweep()
    left = [] if goes else ["models/v2.bundle"]
    assert bench.store.names("models") == [f"models/{kept}.bundle", *left]


def test_pinning_a_version_that_is_not_there_is_not_found(versions: Versions) -> None:
    with pytest.raises(NotFound):
        versions.registry.pin("v9", True)
