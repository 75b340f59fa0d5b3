"""A network that answers: ONNX Runtime on the processor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from digits.errors import Corrupt
from digits.pixels import CLASSES, PIXELS_PER_IMAGE
from digits.signals.metrics.predicting import PREDICT_SECONDS


@dataclass(frozen=True)
class Prediction:
    """Of N pictures the probabilities of the ten digits, float32 (N, 10), and of none, float32 (N,)."""

    probabilities: NDArray[np.float32]
    not_a_digit: NDArray[np.float32]

    def part(self, start: int, end: int) -> Prediction:
        """That of some of the pictures."""
        return Prediction(self.probabilities[start:end], self.not_a_digit[start:end])


class Predictor:
    """A verified, warm network. `predict` may be called from several threads."""

    def __init__(self, onnx: bytes, threads: int = 1) -> None:
        """Loads and tries the network; raises Corrupt if it does not do what a digit network does."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
            self._tells_none = "not_a_digit" in {output.name for output in self._session.get_outputs()}
            self._try_out()
        except Corrupt:
            raise
        except Exception as error:  # ONNX Runtime's own errors share no public base class
            raise Corrupt(f"the network cannot be run: {str(error)[:200]}") from error

    def predict(self, pixels: np.ndarray) -> Prediction:
        """Reads pictures, uint8 (N, 784). A network of an earlier release never says that one is no digit."""
        with PREDICT_SECONDS.time():
            if not self._tells_none:
                (probabilities,) = self._session.run(["probabilities"], {"pixels": pixels})
                return Prediction(probabilities, np.zeros(len(pixels), np.float32))
            probabilities, none = self._session.run(["probabilities", "not_a_digit"], {"pixels": pixels})
            return Prediction(probabilities, none.reshape(-1))

    def _try_out(self) -> None:
        """Runs blank, inked and random pictures through the network, which also warms it."""
        random = np.random.default_rng(0).integers(0, 256, (6, PIXELS_PER_IMAGE), np.uint8)
        edges = np.stack([np.zeros_like(random[0]), np.full_like(random[0], 255)])
        for pictures in (np.concatenate([edges, random]), random[:1]):
            prediction = self.predict(pictures)
            probabilities = prediction.probabilities
            if probabilities.shape != (len(pictures), CLASSES) or probabilities.dtype != np.float32:
                raise Corrupt(f"the network gives {probabilities.dtype} {probabilities.shape}")
            if not (np.isfinite(probabilities).all() and np.isfinite(prediction.not_a_digit).all()):
                raise Corrupt("the network gives numbers that are not finite")
            if np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3 or probabilities.min() < 0:
                raise Corrupt("the network does not give probabilities")
