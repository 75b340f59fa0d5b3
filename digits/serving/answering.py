"""Who answers: the port that the queue, the local model and the failover between them implement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from digits.models.predictor import Prediction
from digits.v1 import digit_service_pb2 as pb


@dataclass(frozen=True)
class Answer:
    """A prediction for N pictures, who made it, and the serving alias's generation then.

    The generation is 0 for a version that was asked for by its name.
    """

    prediction: Prediction
    model_version: str
    served_by: pb.ServedBy
    generation: int = 0

    def part(self, start: int, end: int) -> Answer:
        """The answer for some of the pictures."""
        if end - start == len(self.prediction.probabilities):
            return self
        return Answer(self.prediction.part(start, end), self.model_version, self.served_by, self.generation)


class Answerer(Protocol):
    """Answers with the model that serves. Called on the event loop, where all of its state changes."""

    async def answer(self, pixels: np.ndarray, generation: int) -> Answer:
        """Classifies pictures, uint8 (N, 784), with no older generation of the alias than the given one.

        Raises QueueUnavailable if there is no answer in time, and NotReady if what serves is older.
        """
