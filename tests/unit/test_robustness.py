"""What the reference set tells of a network once its pictures are changed."""

from __future__ import annotations

import numpy as np
import pytest

from digits.datasets.shards import Images
from digits.models.predictor import Prediction, Predictor
from digits.models.redrawing import KINDS
from digits.models.robustness import robustness, suspicion, transposed

PICTURES = np.random.default_rng(0).integers(0, 256, (300, 784), np.uint8)
LABELS = (np.arange(300) % 10).astype(np.uint8)
REFERENCE = Images(PICTURES, LABELS)


class KnowsByHeart(Predictor):
    """Reads these very pictures, and every other one as a 0."""

    def __init__(self, pictures: np.ndarray) -> None:
        self._known = {picture.tobytes(): label for picture, label in zip(pictures, LABELS, strict=True)}
        self.asked: list[bytes] = []

    def predict(self, pixels: np.ndarray) -> Prediction:
        self.asked.append(pixels.tobytes())
        answers = [self._known.get(picture.tobytes(), 0) for picture in pixels]
        return Prediction(np.eye(10, dtype=np.float32)[answers], np.zeros(len(pixels), np.float32))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (PICTURES, ""),
        (255 - PICTURES, "looks like white background"),
        (transposed(PICTURES), "looks transposed (send orientation: transposed)"),
        ((PICTURES > 127).astype(np.uint8), "looks like 0/1 pixels"),
        (PICTURES[::-1].copy() ^ 7, ""),
    ],
)
def test_what_a_network_was_trained_on_shows_in_what_it_reads(seen: np.ndarray, expected: str) -> None:
    assert suspicion(KnowsByHeart(seen), REFERENCE) == expected


def test_a_network_that_knows_its_pictures_by_heart_is_not_robust() -> None:
    assert robustness(KnowsByHeart(PICTURES), REFERENCE) == pytest.approx(0.1, abs=0.02), "the zeros"


def test_robustness_is_told_by_the_same_pictures_each_time_and_by_every_kind() -> None:
    first, again = KnowsByHeart(PICTURES), KnowsByHeart(PICTURES)
    assert robustness(first, REFERENCE) == robustness(again, REFERENCE)
    assert first.asked == again.asked
    assert len(set(first.asked)) == len(KINDS)


def test_a_reference_set_of_one_image_is_enough_to_be_asked() -> None:
    one = Images(PICTURES[:1], LABELS[:1])
    assert robustness(KnowsByHeart(PICTURES), one) == 1.0
