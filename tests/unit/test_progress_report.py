"""What callers see of a running job is written seldom, and is true soon after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digits.jobs.history import Took
from spark_jobs.progress import ProgressReport
from spark_jobs.training import TrainingRun
from tests.unit.job_bench import Bench


class Told:
    """A job's report on a clock that a test moves, and what its record says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench, self.seconds, self.images = Bench(), 100.0, 0
        monkeypatch.setattr("spark_jobs.progress.time", SimpleNamespace(monotonic=lambda: self.seconds))
        self.job, lease = self.bench.leased()
        self.report = ProgressReport(lease)

    def ingest(self, images: int) -> None:
        self.images = images
        self.report.ingested(lambda: {"images_ingested": self.images})

    def images_ingested(self) -> int:
        return self.bench.jobs.get(self.job.job_id).progress.images_ingested


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(monkeypatch)


def test_how_far_the_ingest_came_at_last_is_told_though_much_came_at_once(told: Told) -> None:
    for images in (10, 20, 30):
        told.ingest(images)
        told.report.catch_up()
    assert told.images_ingested() == 10
    told.seconds += 0.25
    told.report.catch_up()
    assert told.images_ingested() == 30


def test_what_waits_to_be_told_is_told_as_it_is_by_then(told: Told) -> None:
    told.ingest(10)
    told.ingest(20)
    told.images = 30
    told.report.trained(1.0, Took(1.0, 0.1, 0.1), 0, images_ingested=30, micro_batch=1)
    told.seconds += 1.0
    told.report.catch_up()
    assert told.images_ingested() == 30


def test_a_long_micro_batch_is_no_reason_to_wait(
    told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Query:
        """One in the midst of a micro-batch."""

        def __init__(self, *_: object) -> None:
            pass

        def idle_seconds(self) -> float:
            return 0.0

        def run(self, _: Path, check: Callable[[], None], check_seconds: float) -> None:
            told.ingest(10)
            told.ingest(20)
            told.seconds += check_seconds
            check()

    monkeypatch.setattr("spark_jobs.training.EpochQuery", Query)
    run: Any = TrainingRun.__new__(TrainingRun)
    run._context = SimpleNamespace(
        settings=SimpleNamespace(var_dir=tmp_path),
        spark=None,
        stopping=SimpleNamespace(is_set=lambda: False),
    )
    run._lease = SimpleNamespace(job_id="job", check=lambda: None)
    run._feed = SimpleNamespace(check=lambda: None, require_shown=lambda _: None, source=lambda _: None)
    run._micro_batches = SimpleNamespace(state=SimpleNamespace(trained=None), train=None)
    run._report = told.report
    run._run_query()
    assert told.images_ingested() == 20
