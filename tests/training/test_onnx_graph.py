from __future__ import annotations

import dataclasses

import numpy as np
import onnxruntime
import pytest

from digits.models.onnx_graph import to_onnx
from digits.training import architecture
from digits.training.recipes import FAST, RECIPES, Convolution, Recipe
from digits.training.tensors import State

SMALL = dataclasses.replace(
    FAST,
    branches=(
        (Convolution(3, 5, pooled=True), Convolution(5, 3, padded=True), Convolution(4, 3, pooled=True)),
    ),
)
# Branches of other kernels and depths.
TWO = dataclasses.replace(SMALL, name="two", branches=(*SMALL.branches, (Convolution(6, 3, pooled=True),)))


def trained_state(recipe: Recipe, seed: int) -> State:
    """A state whose every tensor differs from the first one, as after training."""
    generator = np.random.default_rng(seed)
    state = architecture.initial_state(recipe, seed)
    for name, tensor in state.items():
        if name.endswith("moving_variance"):
            state[name] = generator.uniform(0.01, 4, tensor.shape).astype(np.float32)
        elif not name.endswith("kernel"):
            state[name] = generator.normal(0, 0.5, tensor.shape).astype(np.float32)
    return state


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def session(recipe: Recipe, state: State) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(to_onnx(recipe, state), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("recipe", [SMALL, TWO, *RECIPES.values()], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_graph_answers_as_keras_does(recipe: Recipe, seed: int) -> None:
    state = trained_state(recipe, seed)
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 784), np.uint8)
    model = architecture.build(recipe)
    architecture.load(model, state)
    logits = np.asarray(model(pixels), np.float64)
    logits[:, 10] -= recipe.no_digit_offset
    expected, all_eleven = softmax(logits[:, :10] / recipe.temperature), softmax(logits / recipe.temperature)
    outputs = ["probabilities", "not_a_digit"]
    found, none = session(recipe, state).run(outputs, {"pixels": pixels})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(none, all_eleven[:, 10:], atol=1e-5)
    assert len(set(expected.argmax(axis=1))) > 1 or expected.std(axis=0).max() > 1e-3


def test_a_batch_may_have_any_size() -> None:
    loaded = session(SMALL, trained_state(SMALL, 0))
    pixels = np.random.default_rng(2).integers(0, 256, (300, 784), np.uint8)
    together = loaded.run(None, {"pixels": pixels})
    for size in (1, 7):
        some = loaded.run(None, {"pixels": pixels[:size]})
        for part, whole in zip(some, together, strict=True):
            assert whole.dtype == np.float32
            np.testing.assert_allclose(part, whole[:size], atol=1e-6)


def test_the_graph_takes_bytes_and_gives_floats_under_fixed_names() -> None:
    loaded = session(SMALL, trained_state(SMALL, 0))
    (taken,), (given, none) = loaded.get_inputs(), loaded.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("pixels", "tensor(uint8)", ["N", 784])
    assert (given.name, given.type, given.shape) == ("probabilities", "tensor(float)", ["N", 10])
    assert (none.name, none.type, none.shape) == ("not_a_digit", "tensor(float)", ["N", 1])
