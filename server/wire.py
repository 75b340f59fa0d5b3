"""Between messages and what the core works on."""

from __future__ import annotations

import hashlib
import uuid

import numpy as np

from digits.datasets import data_folder
from digits.datasets.dataset import open_dataset
from digits.errors import InvalidInput
from digits.imaging import decode
from digits.jobs.jobs import check_request_id
from digits.ports import ArtifactStore
from digits.serving.answering import Answer
from digits.settings import Settings
from digits.training import recipes
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import training_pb2


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


def spec_from(
    request: pb.TrainRequest, caller: str, settings: Settings, store: ArtifactStore
) -> training_pb2.TrainSpec:
    """Checks a Train request, images included, and keeps an upload; raises InvalidInput, NotFound."""
    check_request_id(request.request_id)
    if request.promotion not in training_pb2.Promotion.values():
        raise InvalidInput("promotion", f"one of {', '.join(training_pb2.Promotion.keys())}")
    spec = training_pb2.TrainSpec(
        recipe=recipes.find(request.recipe).name,
        seed=request.seed,
        promotion=request.promotion,
        request_id=request.request_id,
        fingerprint=_fingerprint(request),
        caller=caller,
    )
    kind = request.WhichOneof("batch")
    if kind == "images_batch_path":
        path = data_folder.resolve(
            settings.data_dir, request.images_batch_path, "images_batch_path", folder_allowed=True
        )
        open_dataset(path, "images_batch_path", settings.max_dataset_bytes)
        spec.images_batch_path = request.images_batch_path
    elif kind == "images_batch":
        open_dataset(request.images_batch, "images_batch", settings.max_dataset_bytes)
        spec.upload = _keep(request.images_batch, store)
    else:
        raise InvalidInput("batch", "give one of images_batch_path and images_batch")
    return spec


def _keep(upload: bytes, store: ArtifactStore) -> str:
    """Publishes an upload under a name of its own, since a job deletes its upload when it ends."""
    name = f"uploads/{uuid.uuid4().hex}.npz"
    store.publish(name, upload)
    return name


def _fingerprint(request: pb.TrainRequest) -> str:
    body = pb.TrainRequest()
    body.CopyFrom(request)
    body.ClearField("request_id")
    return hashlib.sha256(body.SerializeToString(deterministic=True)).hexdigest()
