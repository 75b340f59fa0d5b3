from __future__ import annotations

import pytest

from digits.training.recipes import FAST, STANDARD
from spark_jobs.plan import Plan


@pytest.mark.parametrize("recipe", [FAST, STANDARD])
@pytest.mark.parametrize("partitions", [1, 2, 3])
@pytest.mark.parametrize("train_count", [1, 64, 2_048, 12_000, 60_000])
def test_micro_batches_share_an_epoch_evenly_among_the_partitions(
    recipe: object, partitions: int, train_count: int
) -> None:
    plan = Plan(recipe, train_count, partitions)  # type: ignore[arg-type]
    assert plan.max_blocks % partitions == 0
    rounds = -(-plan.total_blocks // plan.max_blocks)
    assert rounds * plan.max_blocks - plan.total_blocks < rounds * partitions


def test_a_short_training_still_averages_four_times() -> None:
    plan = Plan(FAST, 12_000, 2)
    assert -(-plan.total_blocks // plan.max_blocks) == 4


def test_the_last_block_of_an_epoch_may_hold_fewer_images() -> None:
    plan = Plan(FAST, 100, 1)
    assert (plan.total_blocks, plan.images(1), plan.images(2)) == (2, 64, 100)
