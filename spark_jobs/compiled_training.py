"""The training loop as one compiled TensorFlow function. Imports TensorFlow: import it lazily."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from digits.pixels import CLASSES
from digits.training import architecture
from digits.training.recipes import Recipe, Schedule
from digits.training.tensors import State
from spark_jobs.fused_norm import fused
from spark_jobs.variation import varied

# Keeps Adam's step finite when a gradient has been zero so far; Adam's paper's value.
ADAM_EPSILON = 1e-8


@dataclass(frozen=True)
class Trained:
    """What a loop over the batches ended with: the state, and sums over all images."""

    state: State
    loss_sum: float
    correct_count: int


class CompiledTraining:
    """One network and the compiled loop over its batches, for one recipe; holds no state between calls."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        network = architecture.build(recipe)
        self._keras_config = str(network.to_json())
        self._model = fused(network)
        self._branches = architecture.branches(recipe, self._model)
        self._weights = self._model.trainable_variables
        self._first_moments = [tf.Variable(tf.zeros(weight.shape)) for weight in self._weights]
        self._second_moments = [tf.Variable(tf.zeros(weight.shape)) for weight in self._weights]
        self._steps = tf.Variable(0.0)
        self._loop = tf.function(
            self._batches,
            # One signature for partitions of every size: nothing is ever traced twice.
            input_signature=[
                tf.TensorSpec([None, 784], tf.uint8),
                tf.TensorSpec([None], tf.uint8),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None, 2], tf.float32),
                tf.TensorSpec([], tf.int32),
            ],
        )

    def keras_config(self) -> str:
        """Keras's own description of the network, as JSON."""
        return self._keras_config

    def train(
        self, state: State, pixels: np.ndarray, labels: np.ndarray, schedule: Schedule, seed: int
    ) -> Trained:
        """Trains from `state` on uint8 pixels (n, 784) and labels (n,), in their order.

        The images are cut into as many batches, of sizes that differ by one image at most, as the schedule
        has. The same seed augments in the same way.
        """
        for name, variable in self._variables().items():
            variable.assign(state[name])
        batches = np.stack([schedule.learning_rates, schedule.redrawn_shares], axis=1)
        borders = np.linspace(0, len(pixels), len(batches) + 1).astype(np.int32)
        loss_sum, correct = self._loop(pixels, labels, borders, batches, np.int32(seed))
        after = {name: variable.numpy() for name, variable in self._variables().items()}
        return Trained(after, float(loss_sum), int(correct))

    def _variables(self) -> dict[str, tf.Variable]:
        moments = {"m": self._first_moments, "v": self._second_moments}
        return {
            **{variable.path: variable.value for variable in self._model.variables},
            **{
                f"{architecture.OPTIMIZER}{moment}/{weight.path}": slot
                for moment, slots in moments.items()
                for weight, slot in zip(self._weights, slots, strict=True)
            },
            architecture.STEPS: self._steps,
        }

    def _batches(
        self, pixels: tf.Tensor, labels: tf.Tensor, borders: tf.Tensor, schedule: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        loss_sum, correct = tf.constant(0.0), tf.constant(0, tf.int32)
        for batch in tf.range(tf.shape(schedule)[0]):
            start, end = borders[batch], borders[batch + 1]
            rate, redrawn_share = tf.unstack(schedule[batch])
            images = varied(pixels[start:end], self._recipe, redrawn_share, tf.stack([seed, batch]))
            losses, right = self._step(images, tf.cast(labels[start:end], tf.int32), rate)
            loss_sum += losses
            correct += right
        return loss_sum, correct

    def _step(self, images: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One step of Adam (arXiv 1412.6980); returns the losses' sum and how many answers were right."""
        with tf.GradientTape() as tape:
            branches = self._logits(images)
            wanted = self._wanted(labels, tf.shape(images)[0])
            # Each branch learns by itself: branches that err elsewhere are worth more together.
            losses = tf.add_n(
                [tf.nn.softmax_cross_entropy_with_logits(wanted, logits) for logits in branches]
            )
            loss = tf.reduce_mean(losses)
        variables = [weight.value for weight in self._weights]
        self._apply(variables, tape.gradient(loss, variables), rate)
        digits = tf.add_n(branches)[: tf.size(labels), :CLASSES]
        right = tf.argmax(digits, axis=1, output_type=tf.int32) == labels
        loss_sum = tf.reduce_sum(losses[: tf.size(labels)]) / len(branches)
        return loss_sum, tf.reduce_sum(tf.cast(right, tf.int32))

    def _logits(self, images: tf.Tensor) -> list[tf.Tensor]:
        logits = self._branches(images, training=True)
        return logits if isinstance(logits, list) else [logits]

    def _wanted(self, labels: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Targets (count, 11): smoothed digits for the labels (n,), "no digit" for the rest."""
        smoothing = self._recipe.label_smoothing
        digits = tf.one_hot(labels, CLASSES, on_value=1 - 0.9 * smoothing, off_value=0.1 * smoothing)
        digits = tf.pad(digits, [[0, 0], [0, 1]])
        none = tf.one_hot(tf.fill([count - tf.size(labels)], CLASSES), architecture.OUTPUTS)
        return tf.concat([digits, none], axis=0)

    def _apply(self, variables: list[tf.Variable], gradients: list[tf.Tensor], rate: tf.Tensor) -> None:
        steps = self._steps.assign_add(1.0)
        for variable, first, second, gradient in zip(
            variables, self._first_moments, self._second_moments, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=self._recipe.first_moment_decay**steps,
                beta2_power=self._recipe.second_moment_decay**steps,
                lr=rate,
                beta1=self._recipe.first_moment_decay,
                beta2=self._recipe.second_moment_decay,
                epsilon=ADAM_EPSILON,
                grad=gradient,
            )
