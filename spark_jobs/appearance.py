"""Pictures as pens, paper and light make them, inside TensorFlow's graph.

Imports TensorFlow: import it lazily.

Strokes grow and shrink, lines and boxes cross them, focus, contrast and grain change. Without these a network
reads MNIST and little else (docs/training.md).
"""

from __future__ import annotations

import tensorflow as tf

SIDE = 28


def redraw(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Changes each picture in its own random way: float32 (n, 28, 28, 1), 0 to 1, in and out.

    `seed` is int32 (2,).
    """
    count = tf.shape(images)[0]
    amounts = tf.random.stateless_uniform([count, 24], seed)
    images = _with_strokes(images, amounts[:, 0:2])
    images = _crossed(images, amounts[:, 2:14])
    images = _out_of_focus(images, amounts[:, 14:16])
    images = _toned(images, amounts[:, 16:20])
    return _grainy(images, amounts[:, 20:24], seed)


def _column(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1, 1, 1, 1])


def _with_strokes(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """A quarter of the pictures is thicker by up to a pixel, a quarter thinner by up to 0.8."""
    choice, by = _column(amounts[:, 0]), _column(amounts[:, 1])
    thick = tf.nn.max_pool2d(images, 2, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 2, 1, "SAME")
    target = tf.where(choice < 0.25, thick, thin)
    share = tf.where(choice < 0.25, by, tf.where(choice < 0.5, 0.8 * by, 0.0))
    return images + share * (target - images)


def _crossed(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """A line from border to border, a short one, and a box: some draw and some erase."""
    rows = tf.reshape(tf.range(SIDE, dtype=tf.float32), [1, SIDE, 1, 1])
    columns = tf.reshape(tf.range(SIDE, dtype=tf.float32), [1, 1, SIDE, 1])
    angle = _column(amounts[:, 0]) * 3.1416
    # Nothing of the two lines' geometry is shared but their angle: a short one is a piece of a long one.
    across = tf.cos(angle) * (columns - 13.5) + tf.sin(angle) * (rows - 13.5)
    along = -tf.sin(angle) * (columns - 13.5) + tf.cos(angle) * (rows - 13.5)
    offset = (_column(amounts[:, 1]) - 0.5) * 24
    half_width = 0.2 + 1.1 * _column(amounts[:, 2])
    line = tf.clip_by_value(half_width + 0.5 - tf.abs(across - offset), 0.0, 1.0)
    middle, half_length = (_column(amounts[:, 3]) - 0.5) * 20, 2 + 4 * _column(amounts[:, 4])
    short = _column(amounts[:, 5]) < 0.5
    line *= tf.where(short, tf.cast(tf.abs(along - middle) < half_length, tf.float32), 1.0)
    line *= tf.cast(_column(amounts[:, 6]) < 0.4, tf.float32)
    images = _laid(images, line, _column(amounts[:, 7]) < 0.35)
    top, left = _column(amounts[:, 8]) * 24 - 2, _column(amounts[:, 9]) * 24 - 2
    size = 3 + 6 * _column(amounts[:, 10])
    box = tf.cast(tf.abs(rows - top - size / 2) < size / 2, tf.float32)
    box *= tf.cast(tf.abs(columns - left - size / 2) < size / 2, tf.float32)
    box *= tf.cast(_column(amounts[:, 11]) < 0.2, tf.float32)
    return _laid(images, box, _column(amounts[:, 11]) < 0.12)


def _laid(images: tf.Tensor, cover: tf.Tensor, erases: tf.Tensor) -> tf.Tensor:
    return tf.where(erases, images * (1 - cover), tf.maximum(images, cover))


def _out_of_focus(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Three pictures in ten are blended with twice the mean of nine pixels."""
    blurred = tf.nn.avg_pool2d(tf.nn.avg_pool2d(images, 3, 1, "SAME"), 3, 1, "SAME")
    share = _column(amounts[:, 1]) * tf.cast(_column(amounts[:, 0]) < 0.3, tf.float32)
    return images + share * (blurred - images)


def _toned(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Half of the pictures get another gamma, half another contrast."""
    gamma = tf.exp(tf.where(amounts[:, 0] < 0.5, 4 * amounts[:, 0] - 1, 0.0))
    images = tf.pow(tf.maximum(images, 1e-4), _column(gamma))
    low = 0.5 * tf.maximum(0.0, 2 * amounts[:, 1] - 1)
    high = 1 - 0.5 * tf.maximum(0.0, 2 * amounts[:, 2] - 1) * (1 - low)
    return _column(low) + images * _column(high - low)


def _grainy(images: tf.Tensor, amounts: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Half of the pictures get noise, a fifth dead and burnt pixels."""
    shape = tf.shape(images)
    noise = tf.random.stateless_uniform(shape, seed + 1, -1.0, 1.0)
    strength = 0.6 * tf.maximum(0.0, amounts[:, 0] - 0.5)
    dead = 0.12 * 5 * tf.maximum(0.0, amounts[:, 1] - 0.8)
    impulse = tf.random.stateless_uniform(shape, seed + 2)
    images = images + _column(strength) * noise
    images = tf.where(impulse < _column(dead), 1.0, tf.where(impulse > 1 - _column(dead), 0.0, images))
    return tf.clip_by_value(images, 0.0, 1.0)
