"""What is looked at before a training: whose images a batch holds, and which way up they are."""

from __future__ import annotations

from digits.datasets.dataset import Dataset
from digits.datasets.leaving_out import without
from digits.errors import Corrupt, NotFound, NotReady
from digits.models.orientation import check_not_transposed
from digits.models.reference import Reference
from digits.serving.model_loader import ModelLoader

# So many tell which way up they are; to read all of a large batch for that takes minutes.
_IMAGES = 1_000


def without_reference(dataset: Dataset, reference: Reference) -> tuple[Dataset, str]:
    """Returns the dataset without the reference set's images, and what a reader should know of that.

    Raises InvalidInput if too little is left.
    """
    if reference.images is None:
        return dataset, reference.missing
    rest = without(dataset, reference.images)
    left_out = dataset.train_count - rest.train_count
    return (
        rest,
        f"{left_out:,} training images are in the reference set and were left out" if left_out else "",
    )


def check_orientation(dataset: Dataset, loader: ModelLoader) -> None:
    """Raises InvalidInput if what serves reads the dataset's pictures only once they are transposed."""
    try:
        serving = loader.load("serving").model
    except (NotReady, NotFound, Corrupt):
        # Nobody can tell; the reference set may, after the training.
        return
    check_not_transposed(dataset.some_held_out(_IMAGES), serving, dataset.train_subsets[0].shard.field)
