"""How good a network is on labelled images that it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digits.datasets.shards import Images
from digits.models.predictor import Predictor
from digits.models.reading import reading_of
from digits.pixels import CLASSES
from digits.v1 import models_pb2, training_pb2

_AT_ONCE = 512

Probabilities = NDArray[np.float32]


def evaluate(predictor: Predictor, held_out: Images) -> models_pb2.Metrics:
    """Measures a network on held-out images: accuracy, chance, and mean cross-entropy in nats."""
    return _measured(probabilities_of(predictor, held_out), held_out)


def _measured(probabilities: Probabilities, held_out: Images) -> models_pb2.Metrics:
    answers = probabilities.argmax(axis=1)
    of_label = probabilities[np.arange(len(held_out)), held_out.labels]
    return models_pb2.Metrics(
        accuracy=float((answers == held_out.labels).mean()),
        chance_accuracy=_chance(answers, held_out.labels),
        loss=float(-np.log(np.maximum(of_label, 1e-12)).mean()),
        held_out_image_count=len(held_out),
        held_out_sha256=held_out.sha256(),
    )


def accuracy(predictor: Predictor, images: Images) -> float:
    """Share of the images whose digit is right, 0 to 1."""
    return float((probabilities_of(predictor, images).argmax(axis=1) == images.labels).mean())


@dataclass(frozen=True)
class Judges:
    """The images that a candidate and what serves are measured on.

    `reference` is None if there is none; `remark` says what a reader should know of it, if anything.
    """

    held_out: Images
    reference: Images | None = None
    remark: str = ""

    def measure(self, predictor: Predictor) -> models_pb2.Metrics:
        """Measures a network on both; on one of them if they are the same images, as with MNIST itself."""
        return self._metrics(predictor, probabilities_of(predictor, self.held_out))

    def judge(self, predictor: Predictor) -> tuple[models_pb2.Metrics, training_pb2.HeldOutReading]:
        """The same, and how it read the held-out images."""
        probabilities = probabilities_of(predictor, self.held_out)
        return self._metrics(predictor, probabilities), reading_of(probabilities, self.held_out)

    def _metrics(self, predictor: Predictor, probabilities: Probabilities) -> models_pb2.Metrics:
        metrics = _measured(probabilities, self.held_out)
        if self.reference is not None:
            same = self.reference.sha256() == metrics.held_out_sha256
            metrics.reference_accuracy = metrics.accuracy if same else accuracy(predictor, self.reference)
            metrics.reference_image_count = len(self.reference)
            metrics.reference_sha256 = self.reference.sha256()
        return metrics

    def measured(self, metrics: models_pb2.Metrics) -> bool:
        """Whether these metrics are of these very images."""
        reference = self.reference.sha256() if self.reference is not None else ""
        return (metrics.held_out_sha256, metrics.reference_sha256) == (self.held_out.sha256(), reference)


def probabilities_of(predictor: Predictor, images: Images) -> Probabilities:
    """What a network says of N images: float32 (N, 10)."""
    chunks = range(0, len(images), _AT_ONCE)
    return np.concatenate(
        [predictor.predict(images.pixels[at : at + _AT_ONCE]).probabilities for at in chunks]
    )


def _chance(answers: np.ndarray, labels: np.ndarray) -> float:
    """How often answers would be right that are as frequent, and fall on any image: Cohen (1960)."""
    given = np.bincount(answers, minlength=CLASSES) / len(labels)
    right = np.bincount(labels, minlength=CLASSES) / len(labels)
    return 0.0 if right.max() == 1 else float(given @ right)
