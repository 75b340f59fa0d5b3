"""How a network read labelled images: what each label was taken for, and its surest mistakes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.datasets.shards import Images
from digits.pixels import CLASSES
from digits.v1 import training_pb2 as pb

# Two rows of pictures: 10 KB of a job's record.
MAX_MISTAKES = 12


def confusion_counts(digits: NDArray[np.int64], images: Images) -> list[int]:
    """How often an image of each label was read as each digit: ten counts for each label, in its order."""
    pairs = images.labels.astype(np.int64) * CLASSES + digits
    counts: list[int] = np.bincount(pairs, minlength=CLASSES * CLASSES).tolist()
    return counts


def reading_of(probabilities: NDArray[np.float32], images: Images) -> pb.HeldOutReading:
    """How N images were read, by what was said of them, float32 (N, 10)."""
    digits = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(digits != images.labels)
    surest = wrong[np.argsort(-probabilities[wrong, digits[wrong]], kind="stable")][:MAX_MISTAKES]
    return pb.HeldOutReading(
        confusion_counts=confusion_counts(digits, images),
        mistakes=[
            pb.Mistake(
                pixels=images.pixels[at].tobytes(),
                label=int(images.labels[at]),
                digit=int(digits[at]),
                confidence=float(probabilities[at, digits[at]]),
            )
            for at in surest
        ],
    )
