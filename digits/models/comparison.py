"""Two versions beside each other: how each reads the service's reference set, and on what they differ."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from digits.datasets.shards import Images
from digits.errors import Corrupt, InvalidInput, NotFound, NotReady
from digits.models import bundle
from digits.models.evaluation import Probabilities, probabilities_of
from digits.models.predictor import Predictor
from digits.models.reading import confusion_counts
from digits.models.reference import ReferenceFile
from digits.models.registry import Registry
from digits.ports import ArtifactStore
from digits.v1 import models_pb2 as pb

# As many as fit on a screen or two: 55 KB.
MAX_DIFFERENCES = 60
# Answers of versions that were read last: 400 KB each for MNIST's 10,000 test images, which take a second.
_MAX_KEPT = 8


class Comparison:
    """Compares registered versions. It takes a processor for seconds: its callers have a thread for it."""

    def __init__(self, registry: Registry, store: ArtifactStore, reference: ReferenceFile) -> None:
        self._registry, self._store, self._reference = registry, store, reference
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Probabilities] = OrderedDict()

    def compare(self, first: str, second: str) -> pb.CompareModelsResponse:
        """Has both read the reference set.

        Raises InvalidInput if they are one, NotFound, StoreUnavailable, and NotReady if one cannot.
        """
        models = [self._registry.get(version) for version in (first, second)]
        if models[0].version == models[1].version:
            problem = f"is {models[0].version}, as first_version is: name two versions"
            raise InvalidInput("second_version", problem)
        reference = self._reference.load()
        if reference.images is None:
            why = reference.missing or "there is no reference set: DIGITS_REFERENCE_BATCH names one"
            raise NotReady(f"nothing to compare by: {why}")
        answers = [self._answers(model, reference.images) for model in models]
        return compared([model.version for model in models], answers, reference.images)

    def _answers(self, model: pb.Model, images: Images) -> Probabilities:
        key = (model.version, images.sha256())
        with self._lock:
            if key not in self._kept:
                self._kept[key] = probabilities_of(self._loaded(model), images)
            self._kept.move_to_end(key)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _loaded(self, model: pb.Model) -> Predictor:
        try:
            return bundle.load(bundle.fetch(self._store, model), model.version).predictor
        except (Corrupt, NotFound) as error:
            raise NotReady(f"{model.version} cannot be compared: {error}") from error


def compared(versions: list[str], answers: list[Probabilities], images: Images) -> pb.CompareModelsResponse:
    """What two versions' probabilities, float32 (N, 10) each, say of N labelled images."""
    digits = [probabilities.argmax(axis=1) for probabilities in answers]
    right = [read == images.labels for read in digits]
    different = np.flatnonzero(digits[0] != digits[1])
    sureness = np.maximum(*(probabilities[different].max(axis=1) for probabilities in answers))
    shown = different[np.argsort(-sureness, kind="stable")][:MAX_DIFFERENCES]
    return pb.CompareModelsResponse(
        image_count=len(images),
        first=_reading(versions[0], digits[0], images),
        second=_reading(versions[1], digits[1], images),
        first_only_count=int((right[0] & ~right[1]).sum()),
        second_only_count=int((right[1] & ~right[0]).sum()),
        differences=[_difference(int(at), answers, images) for at in shown],
        difference_count=len(different),
    )


def _reading(version: str, digits: NDArray[np.int64], images: Images) -> pb.Reading:
    accuracy = float((digits == images.labels).mean())
    return pb.Reading(version=version, accuracy=accuracy, confusion_counts=confusion_counts(digits, images))


def _difference(at: int, answers: list[Probabilities], images: Images) -> pb.Difference:
    first, second = (probabilities[at] for probabilities in answers)
    return pb.Difference(
        pixels=images.pixels[at].tobytes(),
        label=int(images.labels[at]),
        first_digit=int(first.argmax()),
        first_confidence=float(first.max()),
        second_digit=int(second.argmax()),
        second_confidence=float(second.max()),
    )
