"""The network that is trained is Keras's, whose batch-norms are computed in another way."""

from __future__ import annotations

import numpy as np
import pytest

from digits.training import architecture
from digits.training.recipes import RECIPES, Recipe


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_what_is_trained_computes_and_notes_what_keras_does(recipe: Recipe) -> None:
    import tensorflow as tf  # noqa: PLC0415

    from spark_jobs.fused_norm import fused  # noqa: PLC0415

    state = architecture.initial_state(recipe, 3)
    pixels = np.random.default_rng(4).integers(0, 256, (5, 784), np.uint8)
    plain = architecture.build(recipe)
    answers = []
    for model in (plain, fused(plain)):
        architecture.load(model, state)
        with tf.GradientTape() as tape:
            logits = model(pixels, training=True)
            loss = tf.reduce_sum(logits * tf.range(11.0))
        weights = [weight.value for weight in model.trainable_variables]
        gradients = {
            f"gradient of {weight.path}": gradient.numpy()
            for weight, gradient in zip(model.trainable_variables, tape.gradient(loss, weights), strict=True)
        }
        after = {weight.path: weight.numpy() for weight in model.weights}
        answers.append({"logits": logits.numpy(), **gradients, **after})
    of_keras, ours = answers
    assert ours.keys() == of_keras.keys()
    for name, expected in of_keras.items():
        tolerance = 1e-5 if "moving" in name else 1e-3
        at_least = tolerance * np.abs(expected).max() + 1e-6
        np.testing.assert_allclose(ours[name], expected, rtol=tolerance, atol=at_least)
    assert not np.array_equal(ours["norm1/moving_mean"], state["norm1/moving_mean"])
