from __future__ import annotations

import pytest

from digits.training.blocks import images_per_block
from digits.training.recipes import FAST, STANDARD, Recipe
from spark_jobs.plan import Plan


@pytest.mark.parametrize("recipe", [FAST, STANDARD])
@pytest.mark.parametrize("partitions", [1, 2, 3])
@pytest.mark.parametrize("train_count", [1, 64, 2_048, 12_000, 60_000])
def test_micro_batches_share_an_epoch_evenly_among_the_partitions(
    recipe: Recipe, partitions: int, train_count: int
) -> None:
    plan = Plan(recipe, train_count, partitions)
    assert plan.max_blocks % partitions == 0
    rounds = -(-plan.total_blocks // plan.max_blocks)
    assert rounds * plan.max_blocks - plan.total_blocks < rounds * partitions


@pytest.mark.parametrize(
    ("recipe", "train_count", "partitions", "images", "rounds"),
    [
        (FAST, 60_000, 2, 30_080, 2),
        # Averaged as often as there are partitions at least, and one of them is not held up for longer.
        (FAST, 60_000, 3, 20_160, 3),
        (FAST, 60_000, 4, 15_104, 4),
        (FAST, 60_000, 1, 15_040, 4),
        (FAST, 120_000, 2, 30_080, 4),
        (FAST, 120_000, 8, 15_360, 8),
        (STANDARD, 60_000, 2, 15_104, 4),
        (STANDARD, 30_000, 2, 7_552, 4),
        (FAST, 245_760, 2, 30_720, 8),
        # Five seconds of each core at most.
        (FAST, 600_000, 2, 60_416, 10),
        (FAST, 2_400_000, 2, 61_440, 40),
        (FAST, 2_400_000, 16, 311_296, 8),
        (STANDARD, 2_400_000, 2, 16_384, 147),
    ],
)
def test_of_many_images_a_micro_batch_is_larger_and_its_rounds_are_no_more(
    recipe: Recipe, train_count: int, partitions: int, images: int, rounds: int
) -> None:
    size = images_per_block(train_count)
    plan = Plan(recipe, train_count, partitions, images_per_block=size)
    assert plan.max_blocks * size == images
    assert -(-plan.total_blocks // plan.max_blocks) == rounds


@pytest.mark.parametrize(
    ("seconds", "images", "rounds"),
    [(0.0001, 16_384, 147), (1.0, 16_384, 147), (5.0, 61_440, 40), (20.0, 241_664, 10), (1e6, 241_664, 10)],
)
def test_of_very_many_images_a_micro_batch_has_as_many_as_its_time_allows(
    seconds: float, images: int, rounds: int
) -> None:
    size = images_per_block(2_400_000)
    plan = Plan(FAST, 2_400_000, 2, images_per_block=size, target_seconds=seconds)
    assert plan.max_blocks * size == images
    assert -(-plan.total_blocks // plan.max_blocks) == rounds


def test_a_short_training_still_has_four_micro_batches() -> None:
    plan = Plan(FAST, 12_000, 1)
    assert -(-plan.total_blocks // plan.max_blocks) == 4


@pytest.mark.parametrize(
    ("recipe", "train_count", "passes", "epochs"),
    [
        (FAST, 1, 120, 1),
        (FAST, 40, 120, 1),
        (FAST, 500, 24, 1),
        (FAST, 5_000, 3, 1),
        (FAST, 7_000, 2, 1),
        # Twice in one micro-batch would keep a worker busy for too long.
        (FAST, 10_000, 1, 2),
        (FAST, 12_000, 1, 1),
        (FAST, 60_000, 1, 1),
        (STANDARD, 500, 4, 5),
        (STANDARD, 60_000, 1, 5),
    ],
)
def test_few_images_are_gone_through_until_enough_were_seen(
    recipe: Recipe, train_count: int, passes: int, epochs: int
) -> None:
    plan = Plan(recipe, train_count, 1)
    assert (plan.passes, plan.epochs) == (passes, epochs)
    assert plan.total_images == train_count * passes * epochs


@pytest.mark.parametrize(
    ("recipe", "train_count", "times"), [(FAST, 40, 120), (FAST, 10_000, 2), (STANDARD, 500, 20)]
)
def test_few_images_are_noted_with_how_often_each_is_seen(
    recipe: Recipe, train_count: int, times: int
) -> None:
    said = f"few images: each of the {train_count:,} to train on is passed over {times} times"
    assert Plan(recipe, train_count, 1).remark == said


@pytest.mark.parametrize("recipe", [FAST, STANDARD])
def test_many_images_are_seen_as_often_as_the_recipe_says_without_a_note(recipe: Recipe) -> None:
    assert not Plan(recipe, 60_000, 1).remark


@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("train_count", [1, 65, 500, 6_000])
def test_a_micro_batch_of_several_passes_holds_all_images(partitions: int, train_count: int) -> None:
    plan = Plan(FAST, train_count, partitions)
    assert plan.passes > 1
    assert plan.max_blocks >= plan.total_blocks


def test_the_last_block_of_an_epoch_may_hold_fewer_images() -> None:
    plan = Plan(FAST, 100, 1)
    assert (plan.total_blocks, plan.images(1), plan.images(2)) == (2, 64, 100)
