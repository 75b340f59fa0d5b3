"""Letters, figures and scribbles, drawn with a random pen inside TensorFlow's graph.

Imports TensorFlow: import it lazily.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import tensorflow as tf

SIDE = 28
_MAX_SEGMENTS = 12
# In radians. Letters lean no more than writing does; a triangle stands on any corner.
_LEANS, _TURNS = 0.35, math.pi

Points = list[tuple[float, float]]


def _polygon(corners: int, turn: float = 0.0) -> Points:
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners + 1)]
    return [(0.5 + 0.5 * math.sin(angle), 0.5 - 0.5 * math.cos(angle)) for angle in angles]


_A: list[Points] = [[(0, 1), (0.5, 0), (1, 1)], [(0.2, 0.62), (0.8, 0.62)]]
_PLUS: list[Points] = [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]]
_STAR: Points = [_polygon(5)[place * 2 % 5] for place in range(6)]

# Strokes in a unit square, x to the right and y down. No letter that people also write as a digit:
# D, I, O, S, Z, B, q, g, l.
SHAPES: list[list[Points]] = [
    _A,
    [[(1, 0.1), (0.4, 0), (0, 0.5), (0.4, 1), (1, 0.9)]],  # C
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
    _PLUS,
    [[(0, 0.55), (0.35, 1), (1, 0)]],  # check
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
    # What is most like a digit comes more than once.
    *[_PLUS] * 6,
    *[_A] * 5,
    *[[_polygon(3)]] * 2,
    [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],  # T
    [[(0, 0), (0, 0.1)], [(0, 0), (1, 0), (1, 0.1)], [(0.5, 0), (0.5, 1)], [(0.35, 1), (0.65, 1)]],  # T
    [[(0, 0), (0, 1), (0.7, 1)]],  # L
    [[(0, 0), (0.3, 0)], [(0.15, 0), (0.15, 1)], [(0, 1), (1, 1), (1, 0.8)]],  # L, with serifs
]
# Drawn whichever way round. A minus or a check that lies on its side is a 1 or a 7, so those are above.
FIGURES: list[list[Points]] = [
    *[[_polygon(3)]] * 4,
    [_polygon(4)],
    [_polygon(5)],
    [_STAR],
    [[(0, 0.5), (1, 0.5)], [(0.6, 0.1), (1, 0.5), (0.6, 0.9)]],  # arrow
    [[(0, 0.5), (1, 0.5)], [(0.7, 0.3), (1, 0.5), (0.7, 0.7)]],
]


def _segments(shapes: list[list[Points]]) -> np.ndarray:
    """The shapes' strokes, float32 (shapes, 12, 4), as x, y to x, y; the rest repeats the first."""
    table = []
    for strokes in shapes:
        pieces = [(*a, *b) for points in strokes for a, b in pairwise(points)]
        table.append([*pieces, *[pieces[0]] * (_MAX_SEGMENTS - len(pieces))])
    return np.array(table, np.float32)


def drawn(letters: tf.Tensor, scribbles: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """So many letters and figures, then so many scribbles: float32 (letters + scribbles, 28, 28, 1), 0 to 1.

    Each lies in a box of 20 pixels as MNIST's digits do. The counts are int32, `seed` is int32 (2,).
    """
    count = letters + scribbles
    amounts = tf.random.stateless_uniform([count, 8], seed + 12)
    table = tf.constant(_segments([*SHAPES, *FIGURES]))
    chosen = tf.cast(amounts[:letters, 0] * (len(SHAPES) + len(FIGURES)), tf.int32)
    wobble = tf.random.stateless_uniform([letters, _MAX_SEGMENTS, 4], seed + 15, -0.05, 0.05)
    limits = tf.where(chosen < len(SHAPES), _LEANS, _TURNS)
    segments = tf.concat([tf.gather(table, chosen) + wobble, _scribbled(amounts[letters:, 0], seed)], axis=0)
    limits = tf.concat([limits, tf.fill([scribbles], _LEANS)], axis=0)
    return _penned(segments, (2 * amounts[:, 1] - 1) * limits, amounts)


def _scribbled(lengths: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Lines from anywhere to anywhere, 7 to 12 of them (n, 12, 4) by `lengths` (n,), 0 to 1.

    Of fewer, too many look like digits.
    """
    corners = tf.random.stateless_uniform([tf.size(lengths), _MAX_SEGMENTS + 1, 2], seed + 14)
    segments = tf.concat([corners[:, :-1], corners[:, 1:]], axis=2)
    used = 7 + tf.cast(lengths * (_MAX_SEGMENTS - 6), tf.int32)
    keep = tf.range(_MAX_SEGMENTS)[None, :] < used[:, None]
    return tf.where(keep[:, :, None], segments, segments[:, :1])


def _penned(segments: tf.Tensor, angles: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Strokes (n, 12, 4) in a unit square to pictures: turned by angles (n,), slanted, and inked."""
    x = tf.stack([segments[..., 0], segments[..., 2]], axis=-1) - 0.5
    y = tf.stack([segments[..., 1], segments[..., 3]], axis=-1) - 0.5
    angle = tf.reshape(angles, [-1, 1, 1])
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
