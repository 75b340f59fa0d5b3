"""Batches that are wrong, while a good model serves; and small ones that are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import requests

from digits.client.errors import RemoteError
from digits.v1 import training_pb2 as pb
from tests.integration.batches import npz
from tests.service import Service

Mnist = dict[str, np.ndarray]
Arrays = dict[str, np.ndarray]
FIVE = "test/data/n5.png"


def some(mnist: Mnist, count: int = 1_000) -> Arrays:
    return {
        "x_train": mnist["x_train"][20_000 : 20_000 + count],
        "y_train": mnist["y_train"][20_000 : 20_000 + count],
        "x_test": mnist["x_train"][30_000:30_500],
        "y_test": mnist["y_train"][30_000:30_500],
    }


def with_pixels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {
        name: np.ascontiguousarray(change(array)) if name.startswith("x") else array
        for name, array in arrays.items()
    }


def two_classes(arrays: Arrays) -> Arrays:
    chosen = {part: arrays[f"y_{part}"] < 2 for part in ("train", "test")}
    return {name: array[chosen[name[2:]]] for name, array in arrays.items()}


def shuffled(arrays: Arrays) -> Arrays:
    random = np.random.default_rng(0)
    return {
        name: random.permutation(array) if name.startswith("y") else array for name, array in arrays.items()
    }


WRONG: dict[str, Callable[[Arrays], Arrays]] = {
    "white background": with_pixels(lambda pixels: 255 - pixels),
    "transposed": with_pixels(lambda pixels: pixels.transpose(0, 2, 1)),
    "pixels of 0 and 1": with_pixels(lambda pixels: (pixels > 127).astype(np.uint8)),
    "all zeros": with_pixels(np.zeros_like),
    "two classes": two_classes,
    "shuffled labels": shuffled,
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_batch_never_takes_over_from_a_good_model(
    trained_service: Service, mnist: Mnist, kind: str
) -> None:
    batch = npz(**WRONG[kind](some(mnist)))
    with trained_service.client() as client:
        before = client.get_model("serving").version
        try:
            last = list(client.train(images_batch=batch))[-1]
        except RemoteError as refused:
            # Said what is wrong instead of learning it.
            assert refused.message
            last = pb.TrainProgress()
        after = client.get_model("serving")
        assert client.classify(image_path=FIVE).digit == 5
    if after.version == before:
        assert not last.promoted
    else:
        # Its pictures were put right while they were read, so it is as good as any.
        assert after.metrics.reference_accuracy > 0.9


def test_five_hundred_pictures_are_learned_and_the_job_says_how_well(
    trained_service: Service, mnist: Mnist
) -> None:
    url = trained_service.rest_url
    files = {"images_batch": npz(**some(mnist, 500))}
    reply = requests.post(f"{url}/digits/train", data={"promotion": "NEVER"}, files=files, timeout=300)
    assert reply.content == b"True"
    progress = requests.get(url + reply.headers["Location"], timeout=30).json()["progress"]
    assert progress["accuracy"] >= 0.85
    assert progress["images_trained"] == progress["images_total"] == "12000"
    assert progress["metrics"]["reference_accuracy"] >= 0.85
    assert progress["promotion_reason"] == "the caller said NEVER"
