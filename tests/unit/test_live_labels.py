"""How right versions are by what people said, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from digits.errors import CoordinatorUnavailable
from digits.feedback.labels import Labels
from digits.feedback.live_accuracy import clearly_worse, live_accuracies, live_accuracy, wilson
from digits.models.live_labels import LiveLabels
from digits.models.promotion import Promotion
from digits.v1 import models_pb2 as pb
from tests.unit.feedback_bench import labelled
from tests.unit.serving_bench import Bench


def test_the_interval_is_wilsons() -> None:
    # Values of R's prop.test(x, n, correct = FALSE).
    assert wilson(8, 10, 1.96) == pytest.approx((0.4901625, 0.9433178), abs=1e-4)
    assert wilson(0, 10, 1.96) == pytest.approx((0.0, 0.2775328), abs=1e-4)
    assert wilson(0, 0, 1.96) == (0.0, 1.0)


def test_each_version_is_held_to_the_labels_of_its_own_answers() -> None:
    images = [labelled("a", 5, 5), labelled("b", 3, 5), labelled("c", 1, 1, version="v2")]
    live = live_accuracies(images)
    assert (live["v1"].label_count, live["v1"].right_count) == (2, 1)
    assert (live["v2"].label_count, live["v2"].right_count) == (1, 1)


@pytest.mark.parametrize(
    ("serving", "before", "worse"),
    [
        ((60, 100), (95, 100), True),
        ((90, 100), (95, 100), False),
        ((95, 100), (60, 100), False),
        ((0, 2), (2, 2), False),
        ((0, 8), (8, 8), True),
        ((0, 0), (100, 100), False),
        ((0, 100), (0, 0), False),
    ],
)
def test_only_a_clear_difference_says_that_what_serves_is_worse(
    serving: tuple[int, int], before: tuple[int, int], worse: bool
) -> None:
    assert clearly_worse(live_accuracy(*serving), live_accuracy(*before)) is worse


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    for seed in (1, 2):
        bench.publish(seed=seed)
    yield bench
    bench.close()


def live_labels(bench: Bench, rollback: bool) -> LiveLabels:
    promotion = Promotion(bench.registry, bench.store, bench.coordinator)
    return LiveLabels(Labels(bench.store, 1000), bench.registry, promotion, rollback=rollback)


def rollbacks() -> float:
    return REGISTRY.get_sample_value("digits_live_label_rollbacks_total") or 0


def report_many(labels: LiveLabels) -> pb.LiveAccuracy:
    """v1 is right ten times of ten, and v2 never."""
    for number in range(10):
        labels.report(labelled(f"old {number}", version="v1"))
        live = labels.report(labelled(f"new {number}", label=3, version="v2"))
    return live


def test_whoever_reports_hears_how_right_the_version_is(bench: Bench) -> None:
    live = report_many(live_labels(bench, rollback=False))
    assert (live.label_count, live.right_count, live.low) == (10, 0, 0)


def test_unless_asked_for_no_label_moves_the_alias(bench: Bench) -> None:
    report_many(live_labels(bench, rollback=False))
    assert bench.registry.alias().serving.version == "v2"


def test_what_live_labels_show_to_be_worse_is_rolled_back_and_the_history_says_why(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    before = rollbacks()
    with caplog.at_level("INFO", "digits.audit"):
        report_many(live_labels(bench, rollback=True))
    assert "rolled back by live labels v2 to v1" in caplog.text
    assert rollbacks() == before + 1
    serving = bench.registry.alias().serving
    assert serving.version == "v1"
    (newest,) = [change for change in serving.history if change.reason == pb.ServingChange.LIVE_LABELS]
    assert (newest.previous_version, newest.version, newest.caller) == ("v2", "v1", "live labels")
    assert bench.registry.alias().version_before() == ""


def test_a_label_is_kept_though_the_alias_cannot_be_moved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = live_labels(bench, rollback=True)

    def away(*_: object) -> None:
        raise CoordinatorUnavailable("ZooKeeper does not answer")

    monkeypatch.setattr(bench.registry, "alias", away)
    assert report_many(labels).label_count == 10
