"""A dataset without certain images: those that judge a model are not trained on, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np

from digits.datasets.dataset import Dataset, Subset
from digits.datasets.shards import Images
from digits.errors import InvalidInput


def without(dataset: Dataset, images: Images) -> Dataset:
    """Leaves out of the training what has the very pixels of one of `images`, whatever its label.

    Reads all training images once. Raises InvalidInput if fewer than two digits are left to train on.
    """
    pictures = {picture.tobytes() for picture in images.pixels}
    subsets = [_without(subset, pictures) for subset in dataset.train_subsets]
    _check_enough(subsets)
    return replace(dataset, train_subsets=subsets)


def _without(subset: Subset, pictures: Set[bytes]) -> Subset:
    found = [picture.tobytes() in pictures for chunk in subset.read() for picture in chunk.pixels]
    chosen = subset.chosen.copy()
    chosen[np.flatnonzero(chosen)[np.array(found, bool)]] = False
    return replace(subset, chosen=chosen)


def _check_enough(subsets: Sequence[Subset]) -> None:
    left = np.concatenate([subset.shard.labels[subset.chosen] for subset in subsets])
    if len(np.unique(left)) < 2:
        raise InvalidInput(
            subsets[0].shard.field,
            "holds hardly any image but those of the service's reference set (DIGITS_REFERENCE_BATCH), which "
            "are never trained on; send others",
        )
