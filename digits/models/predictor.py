"""A network that answers: ONNX Runtime on the processor."""

from __future__ import annotations

import numpy as np
import onnxruntime

from digits.errors import Corrupt
from digits.pixels import CLASSES, PIXELS_PER_IMAGE


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
            self._try_out()
        except Corrupt:
            raise
        except Exception as error:  # ONNX Runtime's own errors share no public base class
            raise Corrupt(f"the network cannot be run: {str(error)[:200]}") from error

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Returns probabilities, float32 (N, 10), of pictures, uint8 (N, 784)."""
        (probabilities,) = self._session.run(["probabilities"], {"pixels": pixels})
        return np.asarray(probabilities)

    def _try_out(self) -> None:
        """Runs blank, inked and random pictures through the network, which also warms it."""
        random = np.random.default_rng(0).integers(0, 256, (6, PIXELS_PER_IMAGE), np.uint8)
        edges = np.stack([np.zeros_like(random[0]), np.full_like(random[0], 255)])
        for pictures in (np.concatenate([edges, random]), random[:1]):
            probabilities = self.predict(pictures)
            if probabilities.shape != (len(pictures), CLASSES) or probabilities.dtype != np.float32:
                raise Corrupt(f"the network gives {probabilities.dtype} {probabilities.shape}")
            if not np.isfinite(probabilities).all():
                raise Corrupt("the network gives numbers that are not finite")
            if np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3 or probabilities.min() < 0:
                raise Corrupt("the network does not give probabilities")
