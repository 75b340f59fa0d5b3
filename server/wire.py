"""Between messages and what the core works on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.feedback.predictions import Predictions
from digits.imaging import judge
from digits.imaging.candidate import Candidate
from digits.pixels import PIXELS_PER_IMAGE
from digits.serving.answering import Answer
from digits.v1 import digit_service_pb2 as pb
from server.pictures.messages import box_of


def stacked(pictures: Sequence[Sequence[Candidate]]) -> np.ndarray:
    """All readings of some pictures for the network: uint8 (N, 784)."""
    return np.stack([one.pixels.reshape(PIXELS_PER_IMAGE) for picture in pictures for one in picture])


def classify_responses(
    answer: Answer,
    pictures: Sequence[Sequence[Candidate]],
    requests: Sequence[pb.ClassifyRequest],
    predictions: Predictions,
) -> list[pb.ClassifyResponse]:
    """One response for each picture, from the network's word on all of their readings; each is remembered."""
    responses, start = [], 0
    for picture, request in zip(pictures, requests, strict=True):
        end = start + len(picture)
        responses.append(_response(answer.part(start, end), picture, predictions, preview=request.preview))
        start = end
    return responses


def _response(
    answer: Answer, picture: Sequence[Candidate], predictions: Predictions, *, preview: bool
) -> pb.ClassifyResponse:
    best, none = judge.choose(answer.prediction.probabilities, answer.prediction.not_a_digit, picture)
    probabilities = answer.prediction.probabilities[best].tolist()
    confidence = max(probabilities)
    digit = probabilities.index(confidence)
    return pb.ClassifyResponse(
        digit=digit,
        confidence=confidence,
        probabilities=probabilities,
        model_version=answer.model_version,
        served_by=answer.served_by,
        not_a_digit=none,
        preview=_preview(picture[best]) if preview else None,
        prediction_id=predictions.remember(picture[best].pixels.tobytes(), digit, answer.model_version),
    )


def _preview(candidate: Candidate) -> pb.Preview:
    return pb.Preview(pixels=candidate.pixels.tobytes(), box=box_of(candidate.box))
