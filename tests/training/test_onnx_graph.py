from __future__ import annotations

import dataclasses

import numpy as np
import onnxruntime
import pytest

from digits.models.onnx_graph import to_onnx
from digits.training import architecture
from digits.training.recipes import FAST, RECIPES, Recipe
from digits.training.tensors import State
from spark_jobs import partition_trainer

SMALL = dataclasses.replace(FAST, channels=(3, 5, 4))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    partition_trainer.use_one_thread()


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


def session(recipe: Recipe, state: State) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(to_onnx(recipe, state), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("recipe", [SMALL, *RECIPES.values()], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_graph_answers_as_keras_does(recipe: Recipe, seed: int) -> None:
    state = trained_state(recipe, seed)
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 784), np.uint8)
    model = architecture.build(recipe)
    architecture.load(model, state)
    logits = np.asarray(model(pixels), np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    (found,) = session(recipe, state).run(["probabilities"], {"pixels": pixels})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(set(expected.argmax(axis=1))) > 1 or expected.std(axis=0).max() > 1e-3


def test_a_batch_may_have_any_size() -> None:
    loaded = session(SMALL, trained_state(SMALL, 0))
    pixels = np.random.default_rng(2).integers(0, 256, (300, 784), np.uint8)
    (together,) = loaded.run(None, {"pixels": pixels})
    assert together.dtype == np.float32
    for size in (1, 7):
        (some,) = loaded.run(None, {"pixels": pixels[:size]})
        np.testing.assert_allclose(some, together[:size], atol=1e-6)


def test_the_graph_takes_bytes_and_gives_floats_under_fixed_names() -> None:
    loaded = session(SMALL, trained_state(SMALL, 0))
    (taken,), (given,) = loaded.get_inputs(), loaded.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("pixels", "tensor(uint8)", ["N", 784])
    assert (given.name, given.type, given.shape) == ("probabilities", "tensor(float)", ["N", 10])
