"""Whether a network learned anything, and whether it may serve."""

from __future__ import annotations

import pytest

from digits.errors import NotLearned
from digits.models.gate import Decision, Limits, check_learned, decide
from digits.v1 import models_pb2
from digits.v1 import training_pb2 as pb

LIMITS = Limits(max_reference_loss_points=0.5, min_reference_accuracy=0.8)


def metrics(held_out: float, reference: float | None, suspicion: str = "") -> models_pb2.Metrics:
    """Accuracies on the held-out images and on the reference set, None if there is none."""
    found = models_pb2.Metrics(accuracy=held_out, held_out_image_count=100, suspicion=suspicion)
    if reference is not None:
        found.reference_accuracy, found.reference_sha256 = reference, "r"
    return found


def serving(held_out: float, reference: float | None) -> models_pb2.Model:
    return models_pb2.Model(version="v6", metrics=metrics(held_out, reference))


@pytest.mark.parametrize(
    ("candidate", "before", "expected"),
    [
        (metrics(0.98, 0.98), serving(0.98, 0.98), Decision(True, "at least as good as v6")),
        (metrics(0.99, 0.99), serving(0.98, 0.98), Decision(True, "at least as good as v6")),
        (
            metrics(0.99, 0.975),
            serving(0.98, 0.98),
            Decision(
                True,
                "at least as good as v6 on the held-out images, 0.50 points worse on the reference set",
            ),
        ),
        (
            metrics(0.99, 0.974),
            serving(0.98, 0.98),
            Decision(False, "0.60 points worse than v6 on the reference set, where 0.5 are allowed"),
        ),
        (
            metrics(0.97, 0.99),
            serving(0.98, 0.98),
            Decision(False, "v6 reads 98.00% of the same 100 held-out images"),
        ),
        (
            metrics(0.979, 0.241, "looks like white background"),
            serving(0.2, 0.991),
            Decision(
                False,
                "looks like white background: "
                "75.00 points worse than v6 on the reference set, where 0.5 are allowed",
            ),
        ),
        (metrics(0.98, None), serving(0.98, None), Decision(True, "at least as good as v6")),
        (
            metrics(0.97, None),
            serving(0.98, None),
            Decision(False, "v6 reads 98.00% of the same 100 held-out images"),
        ),
        (metrics(0.5, 0.8), None, Decision(True, "nothing else serves")),
        (
            metrics(0.99, 0.79),
            None,
            Decision(False, "below the 80.0% of the reference set that a first model needs"),
        ),
        (metrics(0.5, None), None, Decision(True, "nothing else serves")),
    ],
)
def test_a_model_serves_if_it_is_no_worse_on_either_set(
    candidate: models_pb2.Metrics, before: models_pb2.Model | None, expected: Decision
) -> None:
    for promotion in (pb.PROMOTION_UNSPECIFIED, pb.IF_BETTER):
        assert decide(promotion, candidate, before, LIMITS) == expected


def test_the_caller_overrules_both_sets() -> None:
    best, worst = metrics(1.0, 1.0), metrics(0.0, 0.0)
    assert decide(pb.ALWAYS, worst, serving(1.0, 1.0), LIMITS) == Decision(True, "the caller said ALWAYS")
    assert decide(pb.NEVER, best, None, LIMITS) == Decision(False, "the caller said NEVER")


def test_half_a_point_of_a_hundred_is_allowed_whatever_floats_make_of_it() -> None:
    for right in range(5, 1_001):
        candidate = metrics(1.0, (right - 5) / 1_000)
        assert decide(pb.IF_BETTER, candidate, serving(1.0, right / 1_000), LIMITS).promoted, right


def test_a_decision_without_the_reference_set_says_so() -> None:
    decision = decide(pb.IF_BETTER, metrics(0.9, None), None, LIMITS, "without a reference set: no file")
    assert decision == Decision(True, "nothing else serves; without a reference set: no file")


@pytest.mark.parametrize(
    ("accuracy", "chance", "count"),
    [
        (0.101, 0.1, 10_000),
        # One answer whatever the picture, in a set where that is right half of the time.
        (0.5, 0.5, 1_000),
        # What 1,000 images taught in one epoch.
        (0.13, 0.105, 10_000),
        (0.18, 0.12, 91),
        (0.25, 0.25, 4),
    ],
)
def test_a_network_no_better_than_chance_has_learned_nothing(
    accuracy: float, chance: float, count: int
) -> None:
    found = models_pb2.Metrics(accuracy=accuracy, chance_accuracy=chance, held_out_image_count=count)
    with pytest.raises(NotLearned, match=f"{accuracy:.1%} of {count:,} held-out images"):
        check_learned(found)


@pytest.mark.parametrize(
    ("accuracy", "chance", "count"),
    [
        (0.24, 0.1, 10_000),
        (0.98, 0.1, 512),
        # Nine of ten images bear one label, and half of the others are found all the same.
        (0.95, 0.865, 200),
        (0.75, 0.25, 4),
        (1.0, 0.5, 2),
        # Held-out images of one label: it cannot be told.
        (0.4, 0.0, 100),
    ],
)
def test_a_network_that_has_learned_something_is_believed(accuracy: float, chance: float, count: int) -> None:
    check_learned(models_pb2.Metrics(accuracy=accuracy, chance_accuracy=chance, held_out_image_count=count))
