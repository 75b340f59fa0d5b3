"""Pictures of no digit, made from digits and by drawing, inside TensorFlow's graph.

Letters and shapes are strokes (`SHAPES`), drawn with a random pen, slant and size. From digits comes what a
picture's wrong readings show: two side by side, halves that do not belong together, pieces, frames, digits on
filled sheets. Imports TensorFlow: import it lazily.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import tensorflow as tf

SIDE = 28
_MAX_SEGMENTS = 12

Points = list[tuple[float, float]]


def _polygon(corners: int, turn: float = 0.0) -> Points:
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners + 1)]
    return [(0.5 + 0.5 * math.sin(angle), 0.5 - 0.5 * math.cos(angle)) for angle in angles]


_STAR: Points = [_polygon(5)[place * 2 % 5] for place in range(6)]

# Strokes in a unit square, x to the right and y down. No letter that people also write as a digit:
# I, O, S, Z, B, q, g, l.
SHAPES: list[list[Points]] = [
    [[(0, 1), (0.5, 0), (1, 1)], [(0.2, 0.62), (0.8, 0.62)]],  # A
    [[(1, 0.1), (0.4, 0), (0, 0.5), (0.4, 1), (1, 0.9)]],  # C
    [[(0, 0), (0, 1), (0.6, 1), (1, 0.5), (0.6, 0), (0, 0)]],  # D
    [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, 0.5), (0.8, 0.5)]],  # E
    [[(1, 0), (0, 0), (0, 1)], [(0, 0.45), (0.8, 0.45)]],  # F
    [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, 0.5), (1, 0.5)]],  # H
    [[(0, 0), (0, 1)], [(1, 0), (0, 0.55), (1, 1)]],  # K
    [[(0, 0), (0, 1), (0.9, 1)]],  # L
    [[(0, 1), (0, 0), (0.5, 0.6), (1, 0), (1, 1)]],  # M
    [[(0, 1), (0, 0), (1, 1), (1, 0)]],  # N
    [[(0, 1), (0, 0), (0.8, 0), (1, 0.25), (0.8, 0.5), (0, 0.5)]],  # P
    [[(0, 1), (0, 0), (0.8, 0), (1, 0.25), (0.8, 0.5), (0, 0.5)], [(0.5, 0.5), (1, 1)]],  # R
    [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],  # T
    [[(0, 0), (0, 0.7), (0.3, 1), (0.7, 1), (1, 0.7), (1, 0)]],  # U
    [[(0, 0), (0.5, 1), (1, 0)]],  # V
    [[(0, 0), (0.25, 1), (0.5, 0.3), (0.75, 1), (1, 0)]],  # W
    [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],  # X
    [[(0, 0), (0.5, 0.5), (1, 0)], [(0.5, 0.5), (0.5, 1)]],  # Y
    [[(0.9, 0.1), (0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1)]],  # a square
    [_polygon(3)],
    [_polygon(4)],
    [_STAR],
    [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]],  # plus
    [[(0, 0.55), (0.35, 1), (1, 0)]],  # check
    [[(0, 0.5), (1, 0.5)], [(0.6, 0.1), (1, 0.5), (0.6, 0.9)]],  # arrow
    [[(0.5, 1), (0, 0.4), (0.2, 0), (0.5, 0.25), (0.8, 0), (1, 0.4), (0.5, 1)]],  # heart
    [[(0, 0.35), (1, 0.35)], [(0, 0.65), (1, 0.65)]],  # equals
    [[(0, 0.5), (1, 0.5)]],  # minus
    [[(0, 0.6), (0.25, 0.35), (0.5, 0.6), (0.75, 0.35), (1, 0.6)]],  # wave
    [[(0.3, 0), (0.2, 1)], [(0.8, 0), (0.7, 1)], [(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],  # hash
    [[(0, 0.2), (0.3, 0), (0.7, 0.1), (0.7, 0.4), (0.45, 0.6), (0.45, 0.75)], [(0.45, 0.95), (0.45, 1)]],  # ?
    [[(0, 0.5), (0.5, 0.5), (0.5, 1), (0, 1), (0, 0), (0.02, 0)], [(0.5, 0.5), (0.9, 0.6)]],  # h
    [[(0, 1), (0, 0.3), (0.4, 0.3), (0.5, 1)], [(0.5, 0.5), (0.8, 0.3), (1, 1)]],  # m
    [[(0.1, 0.6), (0.9, 0.55), (0.7, 0.3), (0.3, 0.3), (0.1, 0.6), (0.3, 0.95), (0.9, 0.9)]],  # e
    [[(0.8, 0.4), (0.4, 0.3), (0.1, 0.65), (0.4, 1), (0.8, 0.7)], [(0.8, 0.3), (0.85, 1)]],  # a
    # a as it is printed
    [
        [(0.1, 0.2), (0.4, 0), (0.8, 0.15), (0.85, 1)],
        [(0.83, 0.45), (0.3, 0.5), (0.05, 0.75), (0.35, 1), (0.84, 0.8)],
    ],
    [[(0.9, 0), (0.9, 1)], [(0.9, 0.5), (0.4, 0.35), (0.1, 0.7), (0.4, 1), (0.9, 0.85)]],  # d
    [[(0.9, 0.1), (0.6, 0), (0.45, 0.2), (0.45, 1)], [(0.1, 0.4), (0.8, 0.4)]],  # f
    [[(0, 0), (0, 1)], [(0.7, 0.35), (0, 0.7)], [(0.25, 0.6), (0.75, 1)]],  # k
    [[(0, 0), (0, 1)], [(0, 0.3), (0.4, 0), (0.8, 0.2), (0.85, 1)]],  # n
    [[(0, 0), (0, 1)], [(0, 0.1), (0.5, 0), (0.8, 0.3), (0.5, 0.6), (0, 0.5)]],  # p
    [[(0, 0), (0, 1)], [(0, 0.35), (0.3, 0.05), (0.7, 0)]],  # r
    [
        [(0.1, 0), (0.1, 1)],
        [(0, 1), (0.3, 1)],
        [(0, 0), (0.1, 0)],
        [(0.1, 0.3), (0.7, 0.05)],
    ],  # r, with serifs
    [[(0.4, 0), (0.4, 0.9), (0.8, 1)], [(0, 0.3), (0.8, 0.3)]],  # t
    [[(0, 0), (0, 0.7), (0.3, 1), (0.8, 0.75)], [(0.85, 0), (0.85, 1)]],  # u
    [[(0, 0), (0.45, 0.6)], [(0.9, 0), (0.2, 1)]],  # y
    # What is most like a digit comes twice.
    [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],  # T
    [[(0, 0), (0, 0.1)], [(0, 0), (1, 0), (1, 0.1)], [(0.5, 0), (0.5, 1)], [(0.35, 1), (0.65, 1)]],  # T
    [[(0, 0), (0, 1), (0.7, 1)]],  # L
    [[(0, 0), (0.3, 0)], [(0.15, 0), (0.15, 1)], [(0, 1), (1, 1), (1, 0.8)]],  # L, with serifs
]


def _segments() -> np.ndarray:
    """The shapes' strokes, float32 (shapes, 12, 4), as x, y to x, y; the rest repeats the first."""
    table = []
    for strokes in SHAPES:
        pieces = [(*a, *b) for points in strokes for a, b in pairwise(points)]
        table.append([*pieces, *[pieces[0]] * (_MAX_SEGMENTS - len(pieces))])
    return np.array(table, np.float32)


def non_digits(images: tf.Tensor, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Returns `count` pictures of no digit, float32 (count, 28, 28, 1), 0 to 1.

    `images` are digits, (n, 28, 28, 1), n at least twice `count`; `seed` is int32 (2,).
    """
    first, second = images[:count], images[count : 2 * count]
    amounts = tf.random.stateless_uniform([count, 12], seed + 11)
    kinds = [
        drawn(count, seed, scribble=False),
        drawn(count, seed, scribble=True),
        _side_by_side(first, second),
        _spliced(first, second, amounts),
        _piece(first, amounts),
        _framed(first, amounts),
        _on_sheet(first, amounts),
        _filled(amounts),
    ]
    # Letters and shapes are the most varied, so they come most often.
    share = [0.42, 0.14, 0.1, 0.07, 0.06, 0.05, 0.04, 0.12]
    borders = np.cumsum(share).astype(np.float32)
    chosen = tf.reduce_sum(tf.cast(amounts[:, :1] > borders[None, :-1], tf.int32), axis=1)
    return tf.gather_nd(tf.stack(kinds, axis=1), tf.stack([tf.range(count), chosen], axis=1))


def drawn(count: tf.Tensor, seed: tf.Tensor, *, scribble: bool) -> tf.Tensor:
    """Letters and shapes, or scribbles, each in a box of 20 pixels as MNIST's digits are."""
    amounts = tf.random.stateless_uniform([count, 8], seed + (13 if scribble else 12))
    if scribble:
        corners = tf.random.stateless_uniform([count, _MAX_SEGMENTS + 1, 2], seed + 14)
        segments = tf.concat([corners[:, :-1], corners[:, 1:]], axis=2)
        used = 5 + tf.cast(amounts[:, 0] * (_MAX_SEGMENTS - 5), tf.int32)
        keep = tf.range(_MAX_SEGMENTS)[None, :] < used[:, None]
        segments = tf.where(keep[:, :, None], segments, segments[:, :1])
    else:
        table = tf.constant(_segments())
        chosen = tf.cast(amounts[:, 0] * len(SHAPES), tf.int32)
        wobble = tf.random.stateless_uniform([count, _MAX_SEGMENTS, 4], seed + 15, -0.05, 0.05)
        segments = tf.gather(table, chosen) + wobble
    return _penned(segments, amounts)


def _penned(segments: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Strokes (n, 12, 4) in a unit square to pictures: turned, slanted, narrowed, and inked."""
    x = tf.stack([segments[..., 0], segments[..., 2]], axis=-1) - 0.5
    y = tf.stack([segments[..., 1], segments[..., 3]], axis=-1) - 0.5
    angle = tf.reshape((amounts[:, 1] - 0.5) * 0.7, [-1, 1, 1])
    slant = tf.reshape((amounts[:, 2] - 0.5) * 0.6, [-1, 1, 1])
    narrow = tf.reshape(0.5 + 0.6 * amounts[:, 3], [-1, 1, 1])
    x = (x - slant * y) * narrow
    x, y = x * tf.cos(angle) - y * tf.sin(angle), x * tf.sin(angle) + y * tf.cos(angle)
    low_x, high_x = tf.reduce_min(x, [1, 2], True), tf.reduce_max(x, [1, 2], True)
    low_y, high_y = tf.reduce_min(y, [1, 2], True), tf.reduce_max(y, [1, 2], True)
    radius = tf.reshape(0.7 + 1.5 * amounts[:, 4], [-1, 1, 1])
    scale = (20 - 2 * radius) / tf.maximum(1e-3, tf.maximum(high_x - low_x, high_y - low_y))
    x = (x - (low_x + high_x) / 2) * scale + 13.5
    y = (y - (low_y + high_y) / 2) * scale + 13.5
    # MNIST centres the mass, which is seldom the middle.
    x += tf.reshape(4 * amounts[:, 5] - 2, [-1, 1, 1])
    y += tf.reshape(4 * amounts[:, 6] - 2, [-1, 1, 1])
    return _inked(x, y, radius)


def _inked(x: tf.Tensor, y: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    """Each pixel's ink from its distance to the nearest of the strokes, (n, 12, 2) in pixels."""
    places = tf.range(SIDE, dtype=tf.float32)
    across, down = tf.meshgrid(places, places)
    px, py = tf.reshape(across, [1, 1, -1]), tf.reshape(down, [1, 1, -1])
    x0, y0 = x[:, :, :1], y[:, :, :1]
    dx, dy = x[:, :, 1:] - x0, y[:, :, 1:] - y0
    share = ((px - x0) * dx + (py - y0) * dy) / tf.maximum(1e-6, dx * dx + dy * dy)
    share = tf.clip_by_value(share, 0.0, 1.0)
    squared = tf.square(px - x0 - share * dx) + tf.square(py - y0 - share * dy)
    distance = tf.sqrt(tf.reduce_min(squared, axis=1) + 1e-6)
    ink = tf.clip_by_value(radius[:, 0] + 0.5 - distance, 0.0, 1.0)
    return tf.reshape(ink, [-1, SIDE, SIDE, 1])


def _side_by_side(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Two digits in one box, each at 0.7 of its size."""
    half = [tf.image.resize(images[:, 2:26, 4:24], [17, 14], "area") for images in (first, second)]
    pair = tf.concat(half, axis=2)
    return tf.pad(pair, [[0, 0], [5, 6], [0, 0], [0, 0]])


def _spliced(first: tf.Tensor, second: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """The upper part of one digit on the lower part of another turned half round, or left on right."""
    turned = tf.where(_column(amounts[:, 1]) < 0.5, second[:, ::-1, ::-1], second[:, :, ::-1])
    rows = tf.reshape(tf.range(SIDE), [1, SIDE, 1, 1])
    columns = tf.reshape(tf.range(SIDE), [1, 1, SIDE, 1])
    place = tf.where(_column(amounts[:, 2]) < 0.5, rows + 0 * columns, columns + 0 * rows)
    return tf.where(place < 14, first, turned)


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
    """Stars, diamonds, discs and boxes full of ink (superellipses), turned, and blank sheets."""
    place = tf.range(SIDE, dtype=tf.float32) - 13.5
    x = tf.reshape(place, [1, 1, SIDE, 1]) + _column(2 * amounts[:, 1] - 1)
    y = tf.reshape(place, [1, SIDE, 1, 1]) + _column(2 * amounts[:, 2] - 1)
    angle = _column(3.1416 * amounts[:, 3])
    x, y = x * tf.cos(angle) - y * tf.sin(angle), x * tf.sin(angle) + y * tf.cos(angle)
    # One side is as long as a digit, for so everything is framed.
    half_width, half_height = _column(8 + 2.5 * amounts[:, 8]), _column(4 + 6.5 * amounts[:, 9])
    exponent = _column(
        tf.gather(tf.constant([0.6, 1.0, 2.0, 2.0, 8.0]), tf.cast(5 * amounts[:, 10], tf.int32))
    )
    reach = tf.pow(tf.abs(x / half_width), exponent) + tf.pow(tf.abs(y / half_height), exponent)
    blank = _column(amounts[:, 11]) < 0.1
    return tf.cast((reach < 1) & ~blank, tf.float32)


def _column(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1, 1, 1, 1])
