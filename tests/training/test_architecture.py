from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from digits.training import architecture
from digits.training.recipes import FAST, RECIPES, Convolution, Recipe

SMALL = dataclasses.replace(
    FAST,
    branches=(
        (Convolution(2, 5, pooled=True), Convolution(3, 3, padded=True), Convolution(4, 3, pooled=True)),
    ),
)
# Branches of other kernels and depths.
TWO = dataclasses.replace(SMALL, name="two", branches=(*SMALL.branches, (Convolution(6, 3, pooled=True),)))


@pytest.mark.parametrize("recipe", [SMALL, TWO, *RECIPES.values()], ids=lambda recipe: recipe.name)
def test_the_first_state_holds_what_the_network_and_its_optimizer_hold(recipe: Recipe) -> None:
    model, state = architecture.build(recipe), architecture.initial_state(recipe, 0)
    expected = {variable.path: tuple(variable.shape) for variable in model.weights}
    for moment in ("m", "v"):
        expected |= {f"adam/{moment}/{v.path}": tuple(v.shape) for v in model.trainable_variables}
    expected["adam/steps"] = ()
    assert {name: tensor.shape for name, tensor in state.items()} == expected
    assert {tensor.dtype for tensor in state.values()} == {np.dtype(np.float32)}


def test_the_seed_alone_decides_the_first_state() -> None:
    first, again, other = (architecture.initial_state(SMALL, seed) for seed in (-5, -5, 6))
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, again[name])
    assert not np.array_equal(first["conv1/kernel"], other["conv1/kernel"])


def test_kernels_are_drawn_as_wide_as_keras_draws_them() -> None:
    model, state = architecture.build(FAST), architecture.initial_state(FAST, 1)
    for variable in model.trainable_variables:
        if variable.path.endswith("kernel"):
            widest = np.abs(variable.numpy()).max()
            assert np.abs(state[variable.path]).max() == pytest.approx(widest, rel=0.1)


def test_bytes_become_eleven_logits() -> None:
    model = architecture.build(SMALL)
    logits = np.asarray(model(np.full((3, 784), 255, np.uint8)))
    assert logits.shape == (3, 11)
    assert logits.dtype == np.float32
    assert np.abs(logits.sum(axis=1) - 1).max() > 1e-3  # No softmax yet.


def test_a_loaded_network_has_the_states_weights() -> None:
    model, state = architecture.build(SMALL), architecture.initial_state(SMALL, 3)
    architecture.load(model, state)
    for variable in model.weights:
        np.testing.assert_array_equal(variable.numpy(), state[variable.path])


def test_the_weights_of_a_state_are_all_but_the_optimizers() -> None:
    weights = architecture.weights(architecture.initial_state(SMALL, 0))
    assert set(weights) == {variable.path for variable in architecture.build(SMALL).weights}
