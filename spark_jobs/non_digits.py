"""Pictures of no digit, made from digits and by drawing, inside TensorFlow's graph.

By drawing: letters, figures and scribbles (strokes.py), and what is full of ink. From digits comes what a
picture's wrong readings show: two side by side, pieces, frames, digits on filled sheets. None may look like a
digit: halves of two digits put together often do, and twice as many digits were doubted.

Imports TensorFlow: import it lazily.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import tensorflow as tf

from spark_jobs.strokes import SIDE, drawn

# Letters and figures are the most varied, so they come most often. The order is that of `non_digits`.
_SHARES = (0.37, 0.32, 0.08, 0.05, 0.05, 0.04, 0.09)


def non_digits(images: tf.Tensor, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Returns `count` pictures of no digit in random order, float32 (count, 28, 28, 1), 0 to 1.

    `images` are digits, (n, 28, 28, 1), n at least twice `count`; `seed` is int32 (2,).
    """
    first, second = images[:count], images[count : 2 * count]
    amounts = tf.random.stateless_uniform([count, 12], seed + 11)
    ends = _ends(count, seed)
    side_by_side, piece, framed, on_sheet, filled = (slice(start, end) for start, end in pairwise(ends[1:]))
    pictures = [
        drawn(ends[0], ends[1] - ends[0], seed),
        _side_by_side(first[side_by_side], second[side_by_side]),
        _piece(first[piece], amounts[piece]),
        _framed(first[framed], amounts[framed]),
        _on_sheet(first[on_sheet], amounts[on_sheet]),
        _filled(amounts[filled]),
    ]
    return tf.gather(tf.concat(pictures, axis=0), tf.argsort(amounts[:, 0]))


def _ends(count: tf.Tensor, seed: tf.Tensor) -> list[tf.Tensor]:
    """Where each kind's pictures end among `count`: by systematic sampling, so that rare kinds come too."""
    start = tf.random.stateless_uniform([], seed + 10)
    ends = np.cumsum(_SHARES).round(6).astype(np.float32)
    return list(tf.unstack(tf.cast(tf.floor(tf.cast(count, tf.float32) * ends + start), tf.int32)))


def _side_by_side(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Two digits in one box, each at 0.7 of its size."""
    half = [tf.image.resize(images[:, 2:26, 4:24], [17, 14], "area") for images in (first, second)]
    pair = tf.concat(half, axis=2)
    return tf.pad(pair, [[0, 0], [5, 6], [0, 0], [0, 0]])


def _piece(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """A corner of a digit at twice its size: what is seen of one that is cut off."""
    count = tf.shape(images)[0]
    top, left = amounts[:, 3], amounts[:, 4]
    top, left = tf.where(top < 0.5, 0.14, 0.50), tf.where(left < 0.5, 0.14, 0.50)
    boxes = tf.stack([top, left, top + 0.36, left + 0.36], axis=1)
    return tf.image.crop_and_resize(images, boxes, tf.range(count), [SIDE, SIDE])


def _framed(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """A small digit in a printed box."""
    small = tf.image.resize(images, [14, 14], "area")
    inside = tf.pad(small, [[0, 0], [7, 7], [7, 7], [0, 0]])
    width = 1 + tf.cast(amounts[:, 5] > 0.5, tf.float32)
    place = tf.range(SIDE, dtype=tf.float32) - 13.5
    away = tf.reshape(tf.maximum(tf.abs(place)[:, None], tf.abs(place)[None, :]), [1, SIDE, SIDE, 1])
    frame = tf.cast((away < 10) & (away > 10 - _column(width)), tf.float32)
    return tf.maximum(inside, frame)


def _on_sheet(images: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """A digit that is paper on a sheet that is ink: the wrong polarity."""
    place = tf.range(SIDE, dtype=tf.float32) - 13.5
    half_width, half_height = 6 + 4 * amounts[:, 6], 8 + 2 * amounts[:, 7]
    sheet = tf.cast(tf.abs(tf.reshape(place, [1, 1, SIDE, 1])) < _column(half_width), tf.float32)
    sheet *= tf.cast(tf.abs(tf.reshape(place, [1, SIDE, 1, 1])) < _column(half_height), tf.float32)
    return sheet * (1 - images)


def _filled(amounts: tf.Tensor) -> tf.Tensor:
    """Boxes, discs, polygons and stars full of ink, turned, and blank sheets."""
    place = tf.range(SIDE, dtype=tf.float32) - 13.5
    x = tf.reshape(place, [1, 1, SIDE, 1]) + _column(2 * amounts[:, 1] - 1)
    y = tf.reshape(place, [1, SIDE, 1, 1]) + _column(2 * amounts[:, 2] - 1)
    angle = _column(3.1416 * amounts[:, 3])
    x, y = x * tf.cos(angle) - y * tf.sin(angle), x * tf.sin(angle) + y * tf.cos(angle)
    # One side is as long as a digit, for so everything is framed.
    x, y = x / _column(8 + 2.5 * amounts[:, 8]), y / _column(4 + 6.5 * amounts[:, 9])
    rounded = _column(amounts[:, 11]) < 0.55
    inside = tf.where(
        rounded, _superellipse(x, y, amounts[:, 10]), _star(x, y, amounts[:, 10], amounts[:, 4])
    )
    blank = _column(amounts[:, 11]) < 0.08
    return tf.cast(inside & ~blank, tf.float32)


def _superellipse(x: tf.Tensor, y: tf.Tensor, amount: tf.Tensor) -> tf.Tensor:
    """What lies in a diamond of sunken or straight sides, in a disc or in a box."""
    exponents = tf.constant([0.6, 1.0, 2.0, 2.0, 8.0])
    exponent = _column(tf.gather(exponents, tf.cast(5 * amount, tf.int32)))
    return tf.pow(tf.abs(x), exponent) + tf.pow(tf.abs(y), exponent) < 1


def _star(x: tf.Tensor, y: tf.Tensor, amount: tf.Tensor, depth: tf.Tensor) -> tf.Tensor:
    """What lies in a star of 3 to 6 points; the least deep are about polygons."""
    points = _column(3 + tf.floor(4 * amount))
    around = tf.math.floormod(points * tf.atan2(y, x) / (2 * math.pi), 1.0)
    sunken = 1 - tf.abs(2 * around - 1)
    return tf.sqrt(x * x + y * y) < 1 - sunken * _column(0.15 + 0.5 * depth)


def _column(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1, 1, 1, 1])
