"""Between messages and what the core works on."""

from __future__ import annotations

import numpy as np

from digits.datasets import data_folder
from digits.errors import InvalidInput
from digits.imaging import decode
from digits.serving.answering import Answer
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb


def pixels_from(request: pb.ClassifyRequest, settings: Settings) -> np.ndarray:
    """Returns the request's picture, uint8 (1, 784); raises InvalidInput, NotFound."""
    kind = request.WhichOneof("picture")
    if kind == "pixels":
        pixels = decode.from_pixels(request.pixels, "pixels")
    elif kind == "image":
        pixels = decode.decode(request.image, settings.max_image_bytes, "image")
    elif kind == "image_path":
        pixels = _picture_file(request.image_path, settings)
    else:
        raise InvalidInput("picture", "give one of image_path, image and pixels")
    return pixels.reshape(1, -1)


def _picture_file(relative: str, settings: Settings) -> np.ndarray:
    path = data_folder.resolve(settings.data_dir, relative, "image_path")
    with path.open("rb") as file:
        data = file.read(settings.max_image_bytes + 1)
    return decode.decode(data, settings.max_image_bytes, "image_path")


def classify_responses(answer: Answer) -> list[pb.ClassifyResponse]:
    """One response for each picture of an answer."""
    return [_response(row, answer) for row in answer.probabilities.tolist()]


def _response(probabilities: list[float], answer: Answer) -> pb.ClassifyResponse:
    confidence = max(probabilities)
    return pb.ClassifyResponse(
        digit=probabilities.index(confidence),
        confidence=confidence,
        probabilities=probabilities,
        model_version=answer.model_version,
        served_by=answer.served_by,
    )
