"""A version as a .keras file: Keras itself reads it, and gets the same network."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from digits.models import keras_file
from digits.training import architecture, recipes, tensors
from digits.v1 import artifacts_pb2


@pytest.mark.parametrize("name", ["fast", "standard"])
def test_keras_reads_the_network_that_was_trained(name: str, tmp_path: Path) -> None:
    recipe = recipes.find(name)
    state = architecture.initial_state(recipe, 3)
    generator = np.random.default_rng(0)
    state |= {key: generator.uniform(0.1, 1, state[key].shape).astype(np.float32) for key in state}
    model = architecture.build(recipe)
    architecture.load(model, state)
    bundle = artifacts_pb2.ModelBundle(
        keras_config=model.to_json(), weights=tensors.to_proto(architecture.weights(state))
    )
    path = tmp_path / "model.keras"
    path.write_bytes(keras_file.written(bundle))
    pixels = generator.integers(0, 256, (8, 784), np.uint8)
    read = keras.saving.load_model(path, safe_mode=True)
    np.testing.assert_allclose(read(pixels), model(pixels), rtol=1e-5)
