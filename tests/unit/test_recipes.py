from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from digits.errors import InvalidInput
from digits.training import recipes


@pytest.mark.parametrize(
    ("name", "expected"), [("", "fast"), ("fast", "fast"), ("standard", "standard"), ("best", "best")]
)
def test_a_recipe_is_found_by_name_and_fast_is_the_default(name: str, expected: str) -> None:
    assert recipes.find(name).name == expected


@pytest.mark.parametrize("name", ["slow", "FAST", " fast", "x" * 1_000_000])
def test_an_unknown_recipe_names_the_field_and_lists_what_is_allowed(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        recipes.find(name)
    assert refused.value.field == "recipe"
    assert "fast, standard, best" in refused.value.problem
    assert len(refused.value.problem) < 200


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=str)
def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing(recipe: recipes.Recipe) -> None:
    rates = recipe.learning_rates(np.array([0, recipe.warm_up, 1]))
    np.testing.assert_allclose(rates, [0, recipe.peak_learning_rate, 0], atol=1e-9)
    assert rates.dtype == np.float32


def test_the_learning_rate_is_never_negative_where_more_images_come_than_announced() -> None:
    assert recipes.FAST.learning_rates(np.array([1.01, 2.0])).tolist() == [0, 0]


def test_few_images_make_smaller_batches_so_that_a_training_has_steps_enough() -> None:
    sizes = [recipes.FAST.partition_batch_size(1, images) for images in (60_000, 20_000, 12_000, 4_800)]
    assert sizes == [128, 100, 60, 32]


def test_more_partitions_make_smaller_batches_but_never_tiny_ones() -> None:
    sizes = [recipes.FAST.partition_batch_size(count, 60_000) for count in (0, 1, 2, 4, 8, 100)]
    assert sizes == [128, 128, 128, 64, 32, 32]


def test_pictures_are_redrawn_less_and_less_from_the_first_share_to_the_last() -> None:
    recipe = dataclasses.replace(recipes.FAST, redrawn_share=0.5, last_redrawn_share=0.1)
    schedule = recipe.schedule(np.array([0, 0.5, 1, 1.2]))
    np.testing.assert_allclose(schedule.redrawn_shares, [0.5, 0.3, 0.1, 0.1])
    assert schedule.redrawn_shares.dtype == schedule.learning_rates.dtype == np.float32


def test_a_training_that_goes_on_begins_low_and_falls_to_nothing() -> None:
    progress = np.array([0, 0.5, 1, 1.2])
    rates = recipes.FAST.schedule(progress, continued=True).learning_rates
    start = recipes.CONTINUED_SHARE * recipes.FAST.peak_learning_rate
    assert rates.tolist() == pytest.approx([start, start / 2, 0, 0])
    assert rates.dtype == np.float32
