"""What a network is worth beside its accuracy: its calibration, its doubts, its robustness."""

from __future__ import annotations

import numpy as np

from digits.datasets.shards import Images
from digits.models.predictor import Predictor
from digits.models.redrawing import KINDS, redrawn
from tests.pictures.calibration import at_temperature, best_temperature, calibration_error

_REDRAWN_IMAGES = 2000


def print_measures(predictor: Predictor, images: Images, calibrates: bool) -> None:
    """Prints a line, and the temperature that would calibrate a network of temperature 1 if asked."""
    prediction = predictor.predict(images.pixels)
    probabilities, labels = prediction.probabilities, images.labels
    print(
        f"  calibration error {calibration_error(probabilities, labels):.2%}, "
        f"taken for no digit {(prediction.not_a_digit >= 0.5).mean():.2%}, "
        f"robustness {_robustness(predictor, images):.2%}",
        flush=True,
    )
    if calibrates:
        best = best_temperature(probabilities, labels)
        error = calibration_error(at_temperature(probabilities, best), labels)
        print(f"  best temperature {best:.2f}: calibration error {error:.2%}", flush=True)


def _robustness(predictor: Predictor, images: Images) -> float:
    """Mean accuracy over the kinds of worse pictures of the first images."""
    pixels, labels = images.pixels[:_REDRAWN_IMAGES], images.labels[:_REDRAWN_IMAGES]
    shares = [
        (predictor.predict(redrawn(pixels, kind)).probabilities.argmax(axis=1) == labels).mean()
        for kind in KINDS
    ]
    return float(np.mean(shares))
