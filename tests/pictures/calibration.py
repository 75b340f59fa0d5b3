"""Whether a network's confidence is the share of its answers that are right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BINS = 15
# Temperatures that are tried: 2 % apart.
_TEMPERATURES = np.geomspace(0.25, 2.5, 117)

Probabilities = NDArray[np.floating]
"""(N, 10)."""


def calibration_error(probabilities: Probabilities, labels: NDArray[np.uint8]) -> float:
    """The expected calibration error (Guo et al. 2017, arXiv 1706.04599), 0 to 1, over 15 equal bins."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float((right[bins == n] - confidence[bins == n]).sum())) for n in range(_BINS)]
    return sum(gaps) / len(labels)


def at_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """What a network that said so would say if its logits were divided by a temperature."""
    logits = np.log(np.maximum(probabilities, 1e-30).astype(np.float64)) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def best_temperature(probabilities: Probabilities, labels: NDArray[np.uint8]) -> float:
    """The temperature at which the labels are likeliest."""

    def loss(temperature: float) -> float:
        of_label = at_temperature(probabilities, temperature)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(of_label, 1e-30)).mean())

    return float(min(_TEMPERATURES, key=loss))
