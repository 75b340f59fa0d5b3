"""Batch-norm as TensorFlow's one kernel. Imports TensorFlow: import it lazily.

Keras computes it from a dozen operations, each of which goes over the features once more: a training step
of five convolutions takes a tenth longer.
"""

from __future__ import annotations

import keras
import tensorflow as tf


class FusedNorm(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types.
    """Keras's layer as it trains: without a scale, over the last of four axes."""

    def call(self, inputs: tf.Tensor, **_: object) -> tf.Tensor:
        """Normalizes float32 (n, rows, columns, channels) by its own mean and variance, and follows both."""
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        normalized, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, tf.ones_like(self.beta.value), self.beta.value, epsilon=self.epsilon, is_training=True
        )
        # The kernel's is the sample's variance; Keras follows the population's.
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance * (count - 1) / count)
        return normalized

    def _follow(self, average: keras.Variable, value: tf.Tensor) -> None:
        average.assign(average * self.momentum + value * (1 - self.momentum))


def fused(network: keras.Model) -> keras.Model:
    """The same network, to be trained, with weights of its own under the same names."""

    def copied(layer: keras.Layer) -> keras.Layer:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        return (FusedNorm if is_norm else type(layer)).from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=copied)
