"""How good a network is on held-out images, and whether it may serve."""

from __future__ import annotations

import numpy as np

from digits.datasets.shards import Images
from digits.models.predictor import Predictor
from digits.v1 import models_pb2, training_pb2

_AT_ONCE = 512


def evaluate(predictor: Predictor, held_out: Images) -> models_pb2.Metrics:
    """Measures a network on held-out images: accuracy, and mean cross-entropy in nats."""
    chunks = range(0, len(held_out.labels), _AT_ONCE)
    predictions = (predictor.predict(held_out.pixels[at : at + _AT_ONCE]) for at in chunks)
    probabilities = np.concatenate([prediction.probabilities for prediction in predictions])
    right = probabilities.argmax(axis=1) == held_out.labels
    of_label = probabilities[np.arange(len(held_out.labels)), held_out.labels]
    return models_pb2.Metrics(
        accuracy=float(right.mean()),
        loss=float(-np.log(np.maximum(of_label, 1e-12)).mean()),
        held_out_image_count=len(held_out.labels),
        held_out_sha256=held_out.sha256(),
    )


def may_serve(
    promotion: training_pb2.Promotion, candidate: models_pb2.Metrics, serving: models_pb2.Metrics | None
) -> bool:
    """The gate: a candidate serves if it is at least as accurate as what serves, or the caller says so.

    Both metrics are of the same held-out images; `serving` is None if nothing usable serves.
    """
    if promotion in (training_pb2.ALWAYS, training_pb2.NEVER):
        return promotion == training_pb2.ALWAYS
    return serving is None or candidate.accuracy >= serving.accuracy
