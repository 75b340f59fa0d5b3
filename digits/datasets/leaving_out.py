"""A dataset without certain images: those that judge a model are not trained on, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digits.datasets.dataset import Dataset, Subset
from digits.datasets.shards import Images
from digits.errors import InvalidInput
from digits.pixels import PIXELS_PER_IMAGE, Pixels

_WORDS = PIXELS_PER_IMAGE // 8


def without(dataset: Dataset, images: Images) -> Dataset:
    """Leaves out of the training what has the very pixels of one of `images`, whatever its label.

    Reads all training images once. Raises InvalidInput if fewer than two digits are left to train on.
    """
    looked_for = _LookedFor(images.pixels)
    subsets = [looked_for.left_out_of(subset) for subset in dataset.train_subsets]
    _check_enough(subsets)
    return replace(dataset, train_subsets=subsets)


class _LookedFor:
    """Pictures that are found again: by a sum over each, which is fast, and then by all their pixels."""

    def __init__(self, pixels: Pixels) -> None:
        self._weights = np.random.default_rng(0).integers(0, 2**64, _WORDS, np.uint64) | np.uint64(1)
        self._sums = np.unique(self._sum(pixels))
        self._pictures = {picture.tobytes() for picture in pixels}

    def left_out_of(self, subset: Subset) -> Subset:
        """The subset without these pictures; itself if it has none."""
        found = np.concatenate([self._among(images.pixels) for images in subset.read()])
        if not found.any():
            return subset
        chosen = subset.chosen.copy()
        chosen[np.flatnonzero(chosen)[found]] = False
        return replace(subset, chosen=chosen)

    def _among(self, pixels: Pixels) -> np.ndarray:
        found = np.isin(self._sum(pixels), self._sums)
        for place in np.flatnonzero(found):
            found[place] = pixels[place].tobytes() in self._pictures
        return found

    def _sum(self, pixels: Pixels) -> np.ndarray:
        return np.ascontiguousarray(pixels).view(np.uint64) @ self._weights


def _check_enough(subsets: Sequence[Subset]) -> None:
    left = np.concatenate([subset.shard.labels[subset.chosen] for subset in subsets])
    if len(np.unique(left)) < 2:
        raise InvalidInput(
            subsets[0].shard.field,
            "holds hardly any image but those of the service's reference set (DIGITS_REFERENCE_BATCH), which "
            "are never trained on; send others",
        )
