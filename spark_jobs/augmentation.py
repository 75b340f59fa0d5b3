"""Random affine changes to pictures, inside TensorFlow's graph. Imports TensorFlow: import it lazily."""

from __future__ import annotations

import math

import tensorflow as tf

from digits.training.recipes import Augmentation

CENTRE = 13.5


def augment(pixels: tf.Tensor, limits: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Turns, scales, slants and moves each picture by its own random amounts.

    uint8 (n, 784) → uint8 (n, 784); what comes in from outside is background. `seed` is int32 (2,).
    """
    transformed = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(tf.reshape(pixels, [-1, 28, 28, 1]), tf.float32),
        transforms=_transforms(tf.random.stateless_uniform([tf.shape(pixels)[0], 5], seed, -1, 1), limits),
        output_shape=[28, 28],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return tf.cast(tf.round(tf.reshape(transformed, [-1, 784])), tf.uint8)


def _transforms(amounts: tf.Tensor, limits: Augmentation) -> tf.Tensor:
    """Where each output pixel comes from: (n, 8) rows of a projective transform, from (n, 5) in ±1."""
    turn, scale, shear, across, down = tf.unstack(amounts, axis=1)
    angle = turn * math.radians(limits.rotation_degrees)
    factor = 1 + scale * limits.scale
    cos, sin, slant = factor * tf.cos(angle), factor * tf.sin(angle), shear * limits.shear
    a, b = cos, cos * slant - sin
    c, d = sin, sin * slant + cos
    # The picture's centre stays where it is, but for the shift.
    x = CENTRE * (1 - a - b) + across * limits.shift_pixels
    y = CENTRE * (1 - c - d) + down * limits.shift_pixels
    none = tf.zeros_like(a)
    return tf.stack([a, b, x, c, d, y, none, none], axis=1)
