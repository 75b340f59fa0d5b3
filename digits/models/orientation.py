"""Pictures with rows and columns exchanged, as in EMNIST: noticed by what serves, before any training."""

from __future__ import annotations

from digits.datasets.shards import Images
from digits.errors import InvalidInput
from digits.models.bundle import LoadedModel
from digits.models.evaluation import accuracy
from digits.models.robustness import spread, transposed

# A good model reads a quarter of what is transposed, since 0, 1 and 8 hardly change.
_READS_AS_THEY_ARE, _READS_TRANSPOSED = 0.5, 0.8
# Tells shares apart that are as far from each other as these, in 50 ms.
_IMAGES = 200


def check_not_transposed(images: Images, serving: LoadedModel, field: str) -> None:
    """Raises InvalidInput if the model reads these images only once rows and columns are exchanged."""
    picked = spread(images, _IMAGES)
    as_they_are = accuracy(serving.predictor, picked)
    if as_they_are > _READS_AS_THEY_ARE:
        return
    turned = accuracy(serving.predictor, Images(transposed(picked.pixels), picked.labels))
    if turned >= _READS_TRANSPOSED:
        raise InvalidInput(
            field,
            f"the pictures look transposed: {serving.version} reads {as_they_are:.0%} of them so and "
            f"{turned:.0%} with rows and columns exchanged; send orientation: transposed, or promotion: "
            "ALWAYS if they are meant so",
        )
