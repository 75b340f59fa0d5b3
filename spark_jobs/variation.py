"""A batch of digits as people make them, with pictures of no digit among them.

Imports TensorFlow: import it lazily.
"""

from __future__ import annotations

import tensorflow as tf

from digits.training.recipes import Recipe
from spark_jobs.appearance import redraw
from spark_jobs.augmentation import transform
from spark_jobs.non_digits import non_digits


def varied(pixels: tf.Tensor, recipe: Recipe, redrawn_share: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Digits, uint8 (n, 784), changed as the recipe says, then m pictures of no digit: uint8 (n + m, 784).

    `redrawn_share` of both is redrawn; `seed` is int32 (2,).
    """
    count = tf.shape(pixels)[0]
    images = tf.cast(tf.reshape(pixels, [-1, 28, 28, 1]), tf.float32) / 255
    others = images[:0]
    if recipe.non_digit_share:
        others = non_digits(images, _share(recipe.non_digit_share, count), seed)
    if recipe.augmentation is not None:
        # All of them: what is interpolated is softer, and would tell digits from the rest by that alone.
        changed = transform(tf.concat([images, others], axis=0), recipe.augmentation, seed)
        images, others = changed[:count], changed[count:]
    if recipe.redrawn_share:
        # The order is random, so the first of a batch are as good a choice as any.
        digits, other = _share(redrawn_share, count), _share(redrawn_share, tf.shape(others)[0])
        worse = redraw(tf.concat([images[:digits], others[:other]], axis=0), seed + 5)
        images = tf.concat([worse[:digits], images[digits:]], axis=0)
        others = tf.concat([worse[digits:], others[other:]], axis=0)
    return tf.cast(tf.round(255 * tf.reshape(tf.concat([images, others], axis=0), [-1, 784])), tf.uint8)


def _share(share: float | tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    return tf.cast(share * tf.cast(count, tf.float32), tf.int32)
