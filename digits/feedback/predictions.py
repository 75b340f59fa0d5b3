"""The newest predictions of a server, so that whoever labels one need not send its picture again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import NamedTuple

from digits.errors import NotFound

# 784 bytes each, and some 200 beside them: 8 MB. A bulk stream passes them in a second; a person who looked
# away too long sends the pixels.
_MAX_REMEMBERED = 8192


class Prediction(NamedTuple):
    """One picture's 784 bytes, what was read and by which version. A tuple: one is made for every answer."""

    prediction_id: str
    pixels: bytes
    digit: int
    model_version: str


class Predictions:
    """Remembers predictions by ids that nobody can guess: who knows one was answered with it."""

    def __init__(self, max_remembered: int = _MAX_REMEMBERED) -> None:
        self._max_remembered = max_remembered
        self._remembered: OrderedDict[str, Prediction] = OrderedDict()

    def remember(self, pixels: bytes, digit: int, model_version: str) -> str:
        """Returns the prediction's id."""
        prediction_id = secrets.token_hex(8)
        self._remembered[prediction_id] = Prediction(prediction_id, pixels, digit, model_version)
        if len(self._remembered) > self._max_remembered:
            self._remembered.popitem(last=False)
        return prediction_id

    def find(self, prediction_id: str) -> Prediction:
        """The prediction; raises NotFound if it is none, or was too long ago, or another server's."""
        found = self._remembered.get(prediction_id)
        if found is None:
            raise NotFound("remembered prediction (send its pixels instead)", prediction_id)
        return found
