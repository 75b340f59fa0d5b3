"""The time that a training still takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from digits.training.eta import Eta

TOTAL, EPOCHS, IMAGES = 360_000, 6, 15_000
# As a training of MNIST by `standard` had them: training itself, what lies between, and an epoch's start.
TRAINING, BETWEEN, EPOCH = 2.6, 0.6, 0.5


def commits() -> Iterator[tuple[float, int]]:
    """When each micro-batch was committed, and how many images were trained by then."""
    now = 3.5
    for number in range(TOTAL // IMAGES):
        now += TRAINING + BETWEEN + (EPOCH if number % (TOTAL // IMAGES // EPOCHS) == 0 else 0)
        yield now, (number + 1) * IMAGES


def estimates(slow: float = 1.0) -> Iterator[tuple[float, float, int]]:
    """The estimate after each micro-batch, what was left in truth, and the images trained."""
    done = [(now * slow, images) for now, images in commits()]
    eta = Eta(TOTAL)
    eta.started(0.0, 0)
    for now, images in done:
        yield eta.committed(now, images), done[-1][0] - now, images


@pytest.mark.parametrize("slow", [0.5, 1.0, 3.0])
def test_after_the_first_third_it_is_right_within_fifteen_percent(slow: float) -> None:
    late = [(guess, truth) for guess, truth, images in estimates(slow) if TOTAL / 3 <= images < TOTAL]
    assert len(late) == 16
    # An epoch's start may lie in the last micro-batch or not: half a second is no error of the estimate.
    assert all(abs(guess - truth) <= max(0.15 * truth, EPOCH) for guess, truth in late)


def test_the_first_estimate_counts_from_the_start() -> None:
    eta = Eta(300)
    eta.started(10.0, 0)
    assert eta.committed(20.0, 100) == pytest.approx(20)


def test_a_slow_first_micro_batch_is_forgotten_with_the_second() -> None:
    eta = Eta(300)
    eta.started(0.0, 0)
    eta.committed(60.0, 100)
    assert eta.committed(62.0, 200) == pytest.approx(2)


def test_a_training_that_goes_on_counts_from_where_it_is() -> None:
    eta = Eta(300)
    eta.started(0.0, 200)
    assert eta.committed(5.0, 250) == pytest.approx(5)


def test_a_machine_that_gets_slower_is_noticed_within_eight_micro_batches() -> None:
    eta = Eta(10_000)
    eta.started(0.0, 0)
    for number in range(20):
        eta.committed(float(number + 1), 100 * (number + 1))
    for number in range(8):
        left = eta.committed(20.0 + 3 * (number + 1), 2000 + 100 * (number + 1))
    assert left == pytest.approx((10_000 - 2800) * 3 / 100)
