"""Random affine changes to pictures, inside TensorFlow's graph. Imports TensorFlow: import it lazily."""

from __future__ import annotations

import math

import tensorflow as tf

from digits.training.recipes import Augmentation

CENTRE = 13.5


def transform(images: tf.Tensor, limits: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Turns, scales, slants and moves each picture by its own random amounts.

    float32 (n, 28, 28, 1) → the same; what comes in from outside is background. `seed` is int32 (2,).
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_transforms(tf.random.stateless_uniform([tf.shape(images)[0], 5], seed, -1, 1), limits),
        output_shape=[28, 28],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


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
