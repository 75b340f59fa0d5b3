"""The convolutional network: its tensors, and itself in Keras.

Keras and TensorFlow are imported inside the functions that need them: who only starts, merges or saves a
training never pays for the import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from digits.pixels import CLASSES, SIDE
from digits.training.recipes import Layers, Recipe
from digits.training.tensors import State

if TYPE_CHECKING:
    import keras

# Keras's own default; the ONNX graph folds the same number into its weights.
NORM_EPSILON = 1e-3
# The ten digits, and what is none.
OUTPUTS = CLASSES + 1
OPTIMIZER = "adam/"
STEPS = f"{OPTIMIZER}steps"


def build(recipe: Recipe) -> keras.Model:
    """Returns the network: uint8 pixels (N, 784), 0 background to 255 ink → float32 logits (N, 11).

    They are those of the ten digits, and of "no digit"; of several branches, their mean.
    """
    import keras  # noqa: PLC0415
    from keras import layers  # noqa: PLC0415

    pixels = keras.Input((784,), dtype="uint8", name="pixels")
    ink = layers.Rescaling(1 / 255)(layers.Reshape((28, 28, 1))(pixels))
    logits = [_branch(recipe, branch, ink) for branch in range(len(recipe.branches))]
    mean = logits[0] if len(logits) == 1 else layers.Average(name="logits")(logits)
    return keras.Model(pixels, mean, name=recipe.name)


def branches(recipe: Recipe, network: keras.Model) -> keras.Model:
    """The same network, which shares its weights, with the logits of each branch: a list of (N, 11)."""
    import keras  # noqa: PLC0415

    names = [f"{prefix(branch)}dense" for branch in range(len(recipe.branches))]
    return keras.Model(network.input, [network.get_layer(name).output for name in names])


def prefix(branch: int) -> str:
    """What the names of a branch's layers begin with, counted from 0."""
    return f"branch{branch + 1}_" if branch else ""


def _branch(recipe: Recipe, branch: int, features: keras.KerasTensor) -> keras.KerasTensor:
    """The branch's logits.

    Batch-norm comes after the pooling, on a quarter of the values, and has no scale of its own: what
    follows a ReLU can scale by itself, and a scale that is always positive lets ONNX fold it into the
    convolution before the pooling.
    """
    from keras import layers  # noqa: PLC0415

    name = prefix(branch)
    for number, layer in enumerate(recipe.branches[branch], start=1):
        padding = "same" if layer.padded else "valid"
        convolution = layers.Conv2D(
            layer.channels, layer.size, padding=padding, use_bias=False, name=f"{name}conv{number}"
        )
        features = convolution(features)
        if layer.pooled:
            features = layers.MaxPooling2D(2)(features)
        norm = layers.BatchNormalization(
            scale=False,
            momentum=recipe.statistics_momentum,
            epsilon=NORM_EPSILON,
            name=f"{name}norm{number}",
        )
        features = layers.ReLU()(norm(features))
    return layers.Dense(OUTPUTS, name=f"{name}dense")(layers.Flatten()(features))


def load(model: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Puts the state's weights and statistics into a model of the same recipe."""
    for variable in model.weights:
        variable.assign(state[variable.path])


def initial_state(recipe: Recipe, seed: int) -> State:
    """Everything that a training step reads and changes, before the first one; float32, without Keras.

    Weights and statistics bear Keras's names; kernels are drawn as Glorot and Bengio (2010) propose, the
    same for the same seed, any whole number. Below "adam/" are Adam's moments and how many steps it took.
    """
    generator = np.random.default_rng(seed % 2**64)
    state: State = {}
    for branch, layers in enumerate(recipe.branches):
        name, shapes = prefix(branch), _kernel_shapes(layers)
        for number, layer in enumerate(layers, start=1):
            channels = layer.channels
            state[f"{name}conv{number}/kernel"] = _glorot(generator, shapes[number - 1])
            state[f"{name}norm{number}/beta"] = np.zeros(channels, np.float32)
            state[f"{name}norm{number}/moving_mean"] = np.zeros(channels, np.float32)
            state[f"{name}norm{number}/moving_variance"] = np.ones(channels, np.float32)
        state[f"{name}dense/kernel"] = _glorot(generator, shapes[-1])
        state[f"{name}dense/bias"] = np.zeros(OUTPUTS, np.float32)
    return state | _initial_moments(state)


def weights(state: Mapping[str, np.ndarray]) -> State:
    """The part of a state that a network needs: its weights and statistics, under Keras's names."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(OPTIMIZER)}


def moments(state: Mapping[str, np.ndarray]) -> State:
    """The other part: Adam's moments, and how many steps it took."""
    return {name: tensor for name, tensor in state.items() if name.startswith(OPTIMIZER)}


def _initial_moments(state: State) -> State:
    trained = [name for name in state if "/moving_" not in name]
    moments = {
        f"{OPTIMIZER}{moment}/{name}": np.zeros_like(state[name]) for moment in ("m", "v") for name in trained
    }
    return moments | {STEPS: np.zeros((), np.float32)}


def feature_side(layers: Layers) -> int:
    """How many pixels a side are left of 28 after all layers."""
    side = SIDE
    for layer in layers:
        side -= 0 if layer.padded else layer.size - 1
        side //= 2 if layer.pooled else 1
    return side


def _kernel_shapes(layers: Layers) -> list[tuple[int, ...]]:
    channels = [1, *(layer.channels for layer in layers)]
    convolutions: list[tuple[int, ...]] = [
        (layer.size, layer.size, before, layer.channels)
        for layer, before in zip(layers, channels, strict=False)
    ]
    return [*convolutions, (feature_side(layers) ** 2 * channels[-1], OUTPUTS)]


def _glorot(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    receptive_field = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (receptive_field * (shape[-2] + shape[-1])))
    return generator.uniform(-limit, limit, shape).astype(np.float32)
